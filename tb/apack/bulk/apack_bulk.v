// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Round trip of tensors in files through compressor and decompressor, without a Python call a clock edge.
 *
 * Not synthesizable: it reads its stimulus from files in the working directory and writes there what the
 * two units put out; the checks are the caller's (round_trip.py). Files in:
 *   commands.txt  what a host does at the registers, one command a line: OP UNIT ADDRESS DATA, the last two
 *                 in hexadecimal; UNIT is 0 for the compressor, 1 for the decompressor. OP 0 writes a
 *                 register, 1 reads one (ADDRESS DATA go to reads.txt), 2 reads one until it is DATA or more
 *   tensors.txt   number of values of each tensor, one a line
 *   values.bin    their values, one byte each (VALUE_W <= 8) or two, little endian; each tensor's are
 *                 padded to a whole beat
 * Files out, all binary ones padded to a multiple of four bytes a beat:
 *   memory.bin    memory words, little endian
 *   decoded.bin   beats of decoded values; lanes that are not kept hold anything
 *   ends.txt      a line for each tlast, "memory" or "values", with the number of beats so far and the cycle; and
 *                 one for each beat of values with tuser, "marked", with its number and the cycle
 *   reads.txt     UNIT ADDRESS DATA, the last two in hexadecimal
 *   waves.fst     the first +wave_cycles cycles, if asked for and built with tracing
 * Plus arguments: +wave_cycles, and +compare, with which the run ends with $stop unless every value has come
 * back (of one byte, LANES a multiple of 4, whole beats). The last line on standard output is "bulk: " and
 * name=value pairs: end=done unless nothing moves any more, the cycles of all, and for each unit the cycle of
 * the first write to its registers.
 *
 * Between the two units stands a memory of 2^FIFO_W words, read in the order of writing.
 *
 * With OUTER_CLOCK the clock comes from outside, which takes Verilator less time than to make it in here.
 */
// A bench counts in integers, which are wider than the ports they meet.
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
module apack_bulk #(
    parameter ENGINES      = 1,
    parameter STREAMS      = 4,
    parameter VALUE_W      = 8,
    parameter SYMBOLS      = 16,
    parameter COUNT_W      = 10,
    parameter CODE_W       = 16,
    parameter WORD_W       = 64,
    parameter LANES        = 8,
    parameter BLOCK_VALUES = 4096,
    // log2 of the words between compressor and decompressor
    parameter FIFO_W       = 16
) (
`ifdef OUTER_CLOCK
    input wire clk
`endif
);

    localparam BYTES      = (VALUE_W > 8) ? 2 : 1;
    localparam BEAT_BYTES = BYTES * LANES;
    localparam BEAT_W     = 8 * BEAT_BYTES;
    localparam BEAT_QUADS = (BEAT_W + 31) / 32;
    localparam WORD_QUADS = (WORD_W + 31) / 32;
    localparam CHUNK      = 4096 * BEAT_BYTES;   // bytes read at a time
    localparam GATHERED   = 16;                  // beats written at a time
    localparam MOST_IDLE  = 64 * BLOCK_VALUES + 65536;  // cycles without any beat that mean a hang

    localparam COMPRESSOR   = 0;
    localparam DECOMPRESSOR = 1;

`ifndef OUTER_CLOCK
    reg clk = 1'b0;
    always #5 clk = !clk;
`endif

    // ---- device under test -------------------------------------------------------------------------

    reg                   rst = 1'b1;

    reg  [7:0]            address = 8'd0;
    reg  [31:0]           wdata   = 32'd0;
    reg  [1:0]            awvalid = 2'd0;
    reg  [1:0]            wvalid  = 2'd0;
    reg  [1:0]            arvalid = 2'd0;
    wire [1:0]            awready;
    wire [1:0]            wready;
    wire [1:0]            bvalid;
    wire [1:0]            arready;
    wire [1:0]            rvalid;
    wire [3:0]            bresp;
    wire [3:0]            rresp;
    wire [63:0]           rdata;

    reg  [BEAT_W-1:0]     values_tdata;
    reg  [BEAT_BYTES-1:0] values_tkeep;
    reg                   values_tvalid = 1'b0;
    wire                  values_tready;
    reg                   values_tlast;

    wire [WORD_W-1:0]     memory_tdata;
    wire                  memory_tvalid;
    wire                  memory_tready;
    wire                  memory_tlast;

    wire [BEAT_W-1:0]     back_tdata;
    wire [BEAT_BYTES-1:0] back_tkeep;
    wire                  back_tvalid;
    wire                  back_tlast;
    wire                  back_tuser;

    apack_loop #(
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES),
        .FIFO_W       (FIFO_W)
    ) loop_inst (
        .clk                          (clk),
        .rst                          (rst),
        .s_axil_compressor_awaddr     (address),
        .s_axil_compressor_awprot     (3'd0),
        .s_axil_compressor_awvalid    (awvalid[COMPRESSOR]),
        .s_axil_compressor_awready    (awready[COMPRESSOR]),
        .s_axil_compressor_wdata      (wdata),
        .s_axil_compressor_wstrb      (4'hF),
        .s_axil_compressor_wvalid     (wvalid[COMPRESSOR]),
        .s_axil_compressor_wready     (wready[COMPRESSOR]),
        .s_axil_compressor_bresp      (bresp[1:0]),
        .s_axil_compressor_bvalid     (bvalid[COMPRESSOR]),
        .s_axil_compressor_bready     (1'b1),
        .s_axil_compressor_araddr     (address),
        .s_axil_compressor_arprot     (3'd0),
        .s_axil_compressor_arvalid    (arvalid[COMPRESSOR]),
        .s_axil_compressor_arready    (arready[COMPRESSOR]),
        .s_axil_compressor_rdata      (rdata[31:0]),
        .s_axil_compressor_rresp      (rresp[1:0]),
        .s_axil_compressor_rvalid     (rvalid[COMPRESSOR]),
        .s_axil_compressor_rready     (1'b1),
        .compressor_irq               (),
        .s_axil_decompressor_awaddr   (address),
        .s_axil_decompressor_awprot   (3'd0),
        .s_axil_decompressor_awvalid  (awvalid[DECOMPRESSOR]),
        .s_axil_decompressor_awready  (awready[DECOMPRESSOR]),
        .s_axil_decompressor_wdata    (wdata),
        .s_axil_decompressor_wstrb    (4'hF),
        .s_axil_decompressor_wvalid   (wvalid[DECOMPRESSOR]),
        .s_axil_decompressor_wready   (wready[DECOMPRESSOR]),
        .s_axil_decompressor_bresp    (bresp[3:2]),
        .s_axil_decompressor_bvalid   (bvalid[DECOMPRESSOR]),
        .s_axil_decompressor_bready   (1'b1),
        .s_axil_decompressor_araddr   (address),
        .s_axil_decompressor_arprot   (3'd0),
        .s_axil_decompressor_arvalid  (arvalid[DECOMPRESSOR]),
        .s_axil_decompressor_arready  (arready[DECOMPRESSOR]),
        .s_axil_decompressor_rdata    (rdata[63:32]),
        .s_axil_decompressor_rresp    (rresp[3:2]),
        .s_axil_decompressor_rvalid   (rvalid[DECOMPRESSOR]),
        .s_axil_decompressor_rready   (1'b1),
        .decompressor_irq             (),
        .s_axis_values_tdata          (values_tdata),
        .s_axis_values_tkeep          (values_tkeep),
        .s_axis_values_tvalid         (values_tvalid),
        .s_axis_values_tready         (values_tready),
        .s_axis_values_tlast          (values_tlast),
        .m_axis_memory_tdata          (memory_tdata),
        .m_axis_memory_tkeep          (),
        .m_axis_memory_tvalid         (memory_tvalid),
        .m_axis_memory_tready         (memory_tready),
        .m_axis_memory_tlast          (memory_tlast),
        .m_axis_values_tdata          (back_tdata),
        .m_axis_values_tkeep          (back_tkeep),
        .m_axis_values_tvalid         (back_tvalid),
        .m_axis_values_tready         (1'b1),
        .m_axis_values_tlast          (back_tlast),
        .m_axis_values_tuser          (back_tuser)
    );

    // ---- files -------------------------------------------------------------------------------------

    integer wave_cycles;
    integer commands_file;
    integer tensors_file;
    integer values_file;
    integer memory_file;
    integer decoded_file;
    integer ends_file;
    integer reads_file;

    initial begin
        commands_file = $fopen("commands.txt", "r");
        tensors_file  = $fopen("tensors.txt", "r");
        values_file   = $fopen("values.bin", "rb");
        memory_file   = $fopen("memory.bin", "wb");
        decoded_file  = $fopen("decoded.bin", "wb");
        ends_file     = $fopen("ends.txt", "w");
        reads_file    = $fopen("reads.txt", "w");
        if (!$value$plusargs("wave_cycles=%d", wave_cycles)) begin
            wave_cycles = 0;
        end else begin
            $dumpfile("waves.fst");
            $dumpvars(0, apack_bulk);
        end
    end

    // ---- the host ----------------------------------------------------------------------------------

    localparam WRITE = 0;
    localparam READ  = 1;
    localparam POLL  = 2;

    localparam [1:0] HOST_NEXT  = 2'd0;
    localparam [1:0] HOST_WRITE = 2'd1;
    localparam [1:0] HOST_READ  = 2'd2;
    localparam [1:0] HOST_DATA  = 2'd3;

    reg [1:0]  host_reg = HOST_NEXT;
    integer    fields;
    integer    operation;
    integer    unit = 0;
    reg [7:0]  command_address;
    reg [31:0] command_data;
    reg        refused = 1'b0;

    wire        address_taken = !awvalid[unit] || awready[unit];
    wire        data_taken    = !wvalid[unit] || wready[unit];
    wire [31:0] read_data     = rdata[32*unit +: 32];

    always @(posedge clk) begin
        if (!rst && ((bvalid[0] && bresp[1:0] != 2'd0) || (bvalid[1] && bresp[3:2] != 2'd0)
                     || (rvalid[0] && rresp[1:0] != 2'd0) || (rvalid[1] && rresp[3:2] != 2'd0))) begin
            refused = 1'b1;
        end
        case (host_reg)
            HOST_NEXT: if (!rst) begin
                next_command;
            end

            HOST_WRITE: begin
                if (address_taken) awvalid[unit] <= 1'b0;
                if (data_taken) wvalid[unit] <= 1'b0;
                if (address_taken && data_taken) next_command;
            end

            HOST_READ: if (arready[unit]) begin
                arvalid[unit] <= 1'b0;
                host_reg      <= HOST_DATA;
            end

            default: if (rvalid[unit]) begin
                if (operation == READ) begin
                    $fdisplay(reads_file, "%0d %h %h", unit, command_address, read_data);
                    next_command;
                end else if (read_data >= command_data) begin
                    next_command;
                end else begin
                    arvalid[unit] <= 1'b1;
                    host_reg      <= HOST_READ;
                end
            end
        endcase
    end

    task next_command;
        begin
            fields = $fscanf(commands_file, "%d %d %h %h", operation, unit, command_address, command_data);
            address <= command_address;
            wdata   <= command_data;
            if (fields != 4) begin
                finish(1'b1);
            end else if (operation == WRITE) begin
                awvalid[unit] <= 1'b1;
                wvalid[unit]  <= 1'b1;
                host_reg      <= HOST_WRITE;
            end else begin
                arvalid[unit] <= 1'b1;
                host_reg      <= HOST_READ;
            end
        end
    endtask

    // ---- values in ---------------------------------------------------------------------------------

    reg [7:0] chunk [0:CHUNK-1];

    integer cycle       = 0;
    integer tensors     = 0;        // that have begun
    integer bytes_left  = 0;        // of the tensor
    integer chunk_at    = CHUNK;
    integer chunk_bytes = 0;
    integer value_count = 0;
    reg     more        = 1'b1;

    always @(posedge clk) begin : b_values
        integer i;

        cycle <= cycle + 1;
        rst   <= cycle < 4;

        if (!rst && (!values_tvalid || values_tready)) begin
            if (bytes_left <= 0 && more) begin
                more = $fscanf(tensors_file, "%d", value_count) == 1;
                if (more) begin
                    bytes_left = BYTES * value_count;
                    tensors    = tensors + 1;
                end
            end
            values_tvalid <= bytes_left > 0;
            if (bytes_left > 0) begin
                if (chunk_at == CHUNK) begin
                    chunk_bytes = $fread(chunk, values_file);
                    chunk_at    = 0;
                end
                for (i = 0; i < BEAT_BYTES; i = i + 1) begin
                    values_tdata[8*i +: 8] <= chunk[chunk_at+i];
                    values_tkeep[i]        <= i < bytes_left;
                end
                values_tlast <= bytes_left <= BEAT_BYTES;
                chunk_at      = chunk_at + BEAT_BYTES;
                bytes_left    = bytes_left - BEAT_BYTES;
            end
        end
    end

    // ---- what comes out ----------------------------------------------------------------------------

    integer last_cycle         = 0;         // of any beat, or of a write
    integer words              = 0;
    integer beats              = 0;         // of values
    integer tensors_back       = 0;
    integer compressor_begin   = -1;        // cycle of the first write to its registers
    integer decompressor_begin = -1;

    wire [32*WORD_QUADS-1:0] memory_quads = memory_tdata;
    wire [32*BEAT_QUADS-1:0] back_quads   = back_tdata;

    // what is not yet in the files: writes of many beats take less time
    reg [32*WORD_QUADS*GATHERED-1:0] memory_gathered;
    reg [32*BEAT_QUADS*GATHERED-1:0] back_gathered;

    always @(posedge clk) begin
        if (awvalid[COMPRESSOR] && compressor_begin < 0) compressor_begin = cycle;
        if (awvalid[DECOMPRESSOR] && decompressor_begin < 0) decompressor_begin = cycle;

        if (memory_tvalid && memory_tready) begin
            memory_gathered[32*WORD_QUADS*(words%GATHERED) +: 32*WORD_QUADS] = memory_quads;
            words = words + 1;
            if (words % GATHERED == 0) $fwrite(memory_file, "%u", memory_gathered);
            if (memory_tlast) $fdisplay(ends_file, "memory %0d %0d", words, cycle);
        end

        if (back_tvalid) begin
            back_gathered[32*BEAT_QUADS*(beats%GATHERED) +: 32*BEAT_QUADS] = back_quads;
            if (back_tuser) $fdisplay(ends_file, "marked %0d %0d", beats, cycle);
            beats = beats + 1;
            if (beats % GATHERED == 0) $fwrite(decoded_file, "%u", back_gathered);
            if (back_tlast) begin
                $fdisplay(ends_file, "values %0d %0d", beats, cycle);
                tensors_back = tensors_back + 1;
            end
        end

        if ((memory_tvalid && memory_tready) || back_tvalid || (values_tvalid && values_tready)
                || awvalid != 2'd0) begin
            last_cycle = cycle;
        end

        if (wave_cycles != 0 && cycle == wave_cycles) $dumpoff;

        if (cycle - last_cycle > MOST_IDLE) finish(1'b0);
    end

    task finish;
        input   done;
        integer j;
        begin
            for (j = 0; j < words % GATHERED * WORD_QUADS; j = j + 1) begin
                $fwrite(memory_file, "%u", memory_gathered[32*j +: 32]);
            end
            for (j = 0; j < beats % GATHERED * BEAT_QUADS; j = j + 1) begin
                $fwrite(decoded_file, "%u", back_gathered[32*j +: 32]);
            end
            $fclose(memory_file);
            $fclose(decoded_file);
            $fclose(ends_file);
            $fclose(reads_file);
            $display("bulk: end=%0s cycles=%0d compressor_begin=%0d decompressor_begin=%0d",
                     !done ? "hang" : refused ? "refused" : "done", cycle, compressor_begin, decompressor_begin);
            if ($test$plusargs("compare")) compare(done && !refused);
            $finish;
        end
    endtask

    task compare;
        input   done;
        integer sent;
        integer back;
        integer i;
        begin
            values_file  = $fopen("values.bin", "rb");
            decoded_file = $fopen("decoded.bin", "rb");
            for (i = 0; i < beats * BEAT_BYTES; i = i + 1) begin
                sent = $fgetc(values_file);
                back = $fgetc(decoded_file);
                if (sent != back) begin
                    $display("value %0d is %0d, not %0d", i, back, sent);
                    $stop;
                end
            end
            if (!done || beats == 0 || tensors_back != tensors || bytes_left > 0) begin
                $display("the run did not come to its end");
                $stop;
            end
            $display("all %0d values came back", beats * LANES);
        end
    endtask

endmodule

`resetall
