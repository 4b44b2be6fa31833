// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Round trip of a file of values through compressor and decompressor, without a Python call a clock edge.
 *
 * Not synthesizable: it makes its own clock, reads its stimulus from files in the working directory and
 * writes there what the two units put out; the checks are the caller's (tops_round_trip.py). Files in:
 *   commands.txt  what a host does at the registers, one command a line: OP UNIT ADDRESS DATA, the last two
 *                 in hexadecimal; UNIT is 0 for the compressor, 1 for the decompressor. OP 0 writes a
 *                 register, 1 reads one (ADDRESS DATA go to reads.txt), 2 waits for the unit's irq
 *   values.bin    values, one byte each (VALUE_W <= 8) or two, little endian
 * Files out, all binary ones padded to a multiple of four bytes a beat:
 *   memory.bin    memory words, little endian
 *   index.txt     index entries: TKEEP TDATA in hexadecimal
 *   decoded.bin   beats of decoded values; lanes that are not kept hold anything
 *   marked.txt    numbers of the beats with tuser
 *   reads.txt     UNIT ADDRESS DATA, the last two in hexadecimal
 *   waves.fst     the first +wave_cycles cycles, if asked for and built with tracing
 * Plus arguments: +count (of values), +wave_cycles, and +compare, with which the run ends with $stop unless
 * every value has come back (of one byte, LANES a multiple of 4, +count one of LANES). The last line on
 * standard output is "bulk: " and name=value pairs; end=done unless nothing moves any more.
 *
 * Between the two units stands a memory of 2^FIFO_W words and as many entries, read in the order of writing.
 */
// A bench counts in integers, which are wider than the ports they meet.
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
module apack_bulk_tops #(
    parameter ENGINES      = 1,
    parameter STREAMS      = 4,
    parameter VALUE_W      = 8,
    parameter SYMBOLS      = 16,
    parameter COUNT_W      = 10,
    parameter CODE_W       = 16,
    parameter PIECE_W      = 16,
    parameter WORD_W       = 64,
    parameter LANES        = 8,
    parameter BLOCK_VALUES = 4096,
    // log2 of the words, and of the entries, between compressor and decompressor
    parameter FIFO_W       = 16
);

    localparam BYTES      = (VALUE_W > 8) ? 2 : 1;
    localparam BEAT_BYTES = BYTES * LANES;
    localparam BEAT_W     = 8 * BEAT_BYTES;
    localparam WORD_BYTES = WORD_W / 8;
    localparam BEAT_QUADS = (BEAT_W + 31) / 32;
    localparam WORD_QUADS = (WORD_W + 31) / 32;
    localparam CHUNK      = 65536;               // bytes read at a time
    localparam MOST_IDLE  = 64 * BLOCK_VALUES + 65536;  // cycles without any beat that mean a hang

    localparam COMPRESSOR   = 0;
    localparam DECOMPRESSOR = 1;

    reg clk = 1'b0;
    always #5 clk = !clk;

    // ---- devices under test ------------------------------------------------------------------------

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
    wire [1:0]            irq;

    reg  [BEAT_W-1:0]     values_tdata;
    reg  [BEAT_BYTES-1:0] values_tkeep;
    reg                   values_tvalid = 1'b0;
    wire                  values_tready;
    reg                   values_tlast;

    wire [WORD_W-1:0]     memory_tdata;
    wire [WORD_BYTES-1:0] memory_tkeep;
    wire                  memory_tvalid;
    wire                  memory_tready;
    wire                  memory_tlast;

    wire [95:0]           index_tdata;
    wire [11:0]           index_tkeep;
    wire                  index_tvalid;
    wire                  index_tready;
    wire                  index_tlast;

    wire [WORD_W-1:0]     memory_back_tdata;
    wire [WORD_BYTES-1:0] memory_back_tkeep;
    wire                  memory_back_tvalid;
    wire                  memory_back_tready;
    wire                  memory_back_tlast;

    wire [95:0]           index_back_tdata;
    wire [11:0]           index_back_tkeep;
    wire                  index_back_tvalid;
    wire                  index_back_tready;
    wire                  index_back_tlast;

    wire [BEAT_W-1:0]     back_tdata;
    wire [BEAT_BYTES-1:0] back_tkeep;
    wire                  back_tvalid;
    wire                  back_tlast;
    wire                  back_tuser;

    apack_compressor #(
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .PIECE_W      (PIECE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) compressor_inst (
        .clk                  (clk),
        .rst                  (rst),
        .irq                  (irq[COMPRESSOR]),
        .s_axil_awaddr        (address),
        .s_axil_awprot        (3'd0),
        .s_axil_awvalid       (awvalid[COMPRESSOR]),
        .s_axil_awready       (awready[COMPRESSOR]),
        .s_axil_wdata         (wdata),
        .s_axil_wstrb         (4'hF),
        .s_axil_wvalid        (wvalid[COMPRESSOR]),
        .s_axil_wready        (wready[COMPRESSOR]),
        .s_axil_bresp         (bresp[1:0]),
        .s_axil_bvalid        (bvalid[COMPRESSOR]),
        .s_axil_bready        (1'b1),
        .s_axil_araddr        (address),
        .s_axil_arprot        (3'd0),
        .s_axil_arvalid       (arvalid[COMPRESSOR]),
        .s_axil_arready       (arready[COMPRESSOR]),
        .s_axil_rdata         (rdata[31:0]),
        .s_axil_rresp         (rresp[1:0]),
        .s_axil_rvalid        (rvalid[COMPRESSOR]),
        .s_axil_rready        (1'b1),
        .s_axis_values_tdata  (values_tdata),
        .s_axis_values_tkeep  (values_tkeep),
        .s_axis_values_tvalid (values_tvalid),
        .s_axis_values_tready (values_tready),
        .s_axis_values_tlast  (values_tlast),
        .m_axis_memory_tdata  (memory_tdata),
        .m_axis_memory_tkeep  (memory_tkeep),
        .m_axis_memory_tvalid (memory_tvalid),
        .m_axis_memory_tready (memory_tready),
        .m_axis_memory_tlast  (memory_tlast),
        .m_axis_index_tdata   (index_tdata),
        .m_axis_index_tkeep   (index_tkeep),
        .m_axis_index_tvalid  (index_tvalid),
        .m_axis_index_tready  (index_tready),
        .m_axis_index_tlast   (index_tlast)
    );

    cell_fifo #(
        .DATA_W (WORD_W + WORD_BYTES + 1),
        .FIFO_W (FIFO_W)
    ) memory_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({memory_tlast, memory_tkeep, memory_tdata}),
        .s_valid (memory_tvalid),
        .s_ready (memory_tready),
        .m_data  ({memory_back_tlast, memory_back_tkeep, memory_back_tdata}),
        .m_valid (memory_back_tvalid),
        .m_ready (memory_back_tready)
    );

    cell_fifo #(
        .DATA_W (96 + 12 + 1),
        .FIFO_W (FIFO_W)
    ) index_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({index_tlast, index_tkeep, index_tdata}),
        .s_valid (index_tvalid),
        .s_ready (index_tready),
        .m_data  ({index_back_tlast, index_back_tkeep, index_back_tdata}),
        .m_valid (index_back_tvalid),
        .m_ready (index_back_tready)
    );

    apack_decompressor #(
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .PIECE_W      (PIECE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) decompressor_inst (
        .clk                  (clk),
        .rst                  (rst),
        .irq                  (irq[DECOMPRESSOR]),
        .s_axil_awaddr        (address),
        .s_axil_awprot        (3'd0),
        .s_axil_awvalid       (awvalid[DECOMPRESSOR]),
        .s_axil_awready       (awready[DECOMPRESSOR]),
        .s_axil_wdata         (wdata),
        .s_axil_wstrb         (4'hF),
        .s_axil_wvalid        (wvalid[DECOMPRESSOR]),
        .s_axil_wready        (wready[DECOMPRESSOR]),
        .s_axil_bresp         (bresp[3:2]),
        .s_axil_bvalid        (bvalid[DECOMPRESSOR]),
        .s_axil_bready        (1'b1),
        .s_axil_araddr        (address),
        .s_axil_arprot        (3'd0),
        .s_axil_arvalid       (arvalid[DECOMPRESSOR]),
        .s_axil_arready       (arready[DECOMPRESSOR]),
        .s_axil_rdata         (rdata[63:32]),
        .s_axil_rresp         (rresp[3:2]),
        .s_axil_rvalid        (rvalid[DECOMPRESSOR]),
        .s_axil_rready        (1'b1),
        .s_axis_memory_tdata  (memory_back_tdata),
        .s_axis_memory_tkeep  (memory_back_tkeep),
        .s_axis_memory_tvalid (memory_back_tvalid),
        .s_axis_memory_tready (memory_back_tready),
        .s_axis_memory_tlast  (memory_back_tlast),
        .s_axis_index_tdata   (index_back_tdata),
        .s_axis_index_tkeep   (index_back_tkeep),
        .s_axis_index_tvalid  (index_back_tvalid),
        .s_axis_index_tready  (index_back_tready),
        .s_axis_index_tlast   (index_back_tlast),
        .m_axis_values_tdata  (back_tdata),
        .m_axis_values_tkeep  (back_tkeep),
        .m_axis_values_tvalid (back_tvalid),
        .m_axis_values_tready (1'b1),
        .m_axis_values_tlast  (back_tlast),
        .m_axis_values_tuser  (back_tuser)
    );

    // ---- files -------------------------------------------------------------------------------------

    reg [7:0] chunk [0:CHUNK-1];

    integer value_count;
    integer wave_cycles;
    integer commands_file;
    integer values_file;
    integer memory_file;
    integer index_file;
    integer decoded_file;
    integer marked_file;
    integer reads_file;

    initial begin
        if (!$value$plusargs("count=%d", value_count)) begin
            $display("bulk: end=argument_missing");
            $finish;
        end
        commands_file = $fopen("commands.txt", "r");
        values_file   = $fopen("values.bin", "rb");
        memory_file   = $fopen("memory.bin", "wb");
        index_file    = $fopen("index.txt", "w");
        decoded_file  = $fopen("decoded.bin", "wb");
        marked_file   = $fopen("marked.txt", "w");
        reads_file    = $fopen("reads.txt", "w");
        if (!$value$plusargs("wave_cycles=%d", wave_cycles)) begin
            wave_cycles = 0;
        end else begin
            $dumpfile("waves.fst");
            $dumpvars(0, apack_bulk_tops);
        end
    end

    // ---- the host ----------------------------------------------------------------------------------

    localparam [2:0] HOST_NEXT     = 3'd0;
    localparam [2:0] HOST_WRITE    = 3'd1;
    localparam [2:0] HOST_RESPONSE = 3'd2;
    localparam [2:0] HOST_READ     = 3'd3;
    localparam [2:0] HOST_DATA     = 3'd4;
    localparam [2:0] HOST_WAIT     = 3'd5;

    reg [2:0]  host_reg = HOST_NEXT;
    integer    fields;
    integer    operation;
    integer    unit = 0;
    reg [7:0]  command_address;
    reg [31:0] command_data;
    reg        refused = 1'b0;

    wire address_taken = !awvalid[unit] || awready[unit];
    wire data_taken    = !wvalid[unit] || wready[unit];

    always @(posedge clk) begin
        case (host_reg)
            HOST_NEXT: if (!rst) begin
                fields = $fscanf(commands_file, "%d %d %h %h", operation, unit, command_address, command_data);
                address <= command_address;
                wdata   <= command_data;
                if (fields != 4) begin
                    finish(1'b1);
                end else if (operation == 0) begin
                    awvalid[unit] <= 1'b1;
                    wvalid[unit]  <= 1'b1;
                    host_reg      <= HOST_WRITE;
                end else if (operation == 1) begin
                    arvalid[unit] <= 1'b1;
                    host_reg      <= HOST_READ;
                end else begin
                    host_reg <= HOST_WAIT;
                end
            end

            HOST_WRITE: begin
                if (address_taken) awvalid[unit] <= 1'b0;
                if (data_taken) wvalid[unit] <= 1'b0;
                if (address_taken && data_taken) host_reg <= HOST_RESPONSE;
            end

            HOST_RESPONSE: if (bvalid[unit]) begin
                refused   = refused || bresp[2*unit +: 2] != 2'd0;
                host_reg <= HOST_NEXT;
            end

            HOST_READ: if (arready[unit]) begin
                arvalid[unit] <= 1'b0;
                host_reg      <= HOST_DATA;
            end

            HOST_DATA: if (rvalid[unit]) begin
                refused   = refused || rresp[2*unit +: 2] != 2'd0;
                host_reg <= HOST_NEXT;
                $fdisplay(reads_file, "%0d %h %h", unit, command_address, rdata[32*unit +: 32]);
            end

            default: if (irq[unit]) begin
                host_reg <= HOST_NEXT;
            end
        endcase
    end

    // ---- values in ---------------------------------------------------------------------------------

    integer cycle       = 0;
    integer last_cycle  = 0;        // of any beat
    integer byte_at     = 0;
    integer chunk_at    = CHUNK;
    integer chunk_bytes = 0;

    always @(posedge clk) begin : b_values
        integer i;

        cycle <= cycle + 1;
        rst   <= cycle < 4;

        if (!rst && (!values_tvalid || values_tready)) begin
            values_tvalid <= byte_at < BYTES * value_count;
            if (byte_at < BYTES * value_count) begin
                if (chunk_at == CHUNK) begin
                    chunk_bytes = $fread(chunk, values_file);
                    chunk_at    = 0;
                end
                for (i = 0; i < BEAT_BYTES; i = i + 1) begin
                    values_tdata[8*i +: 8] <= chunk[chunk_at+i];
                    values_tkeep[i]        <= byte_at + i < BYTES * value_count;
                end
                values_tlast <= byte_at + BEAT_BYTES >= BYTES * value_count;
                chunk_at      = chunk_at + BEAT_BYTES;
                byte_at      <= byte_at + BEAT_BYTES;
            end
        end
    end

    // ---- what comes out ----------------------------------------------------------------------------

    integer beat_at = 0;

    wire [32*WORD_QUADS-1:0] memory_quads = memory_tdata;
    wire [32*BEAT_QUADS-1:0] back_quads   = back_tdata;

    always @(posedge clk) begin : b_out
        integer j;

        if (memory_tvalid && memory_tready) begin
            for (j = 0; j < WORD_QUADS; j = j + 1) begin
                $fwrite(memory_file, "%u", memory_quads[32*j +: 32]);
            end
        end

        if (index_tvalid && index_tready) begin
            $fdisplay(index_file, "%h %h", index_tkeep, index_tdata);
        end

        if (back_tvalid) begin
            for (j = 0; j < BEAT_QUADS; j = j + 1) begin
                $fwrite(decoded_file, "%u", back_quads[32*j +: 32]);
            end
            if (back_tuser) $fdisplay(marked_file, "%0d", beat_at);
            beat_at = beat_at + 1;
        end

        if ((memory_tvalid && memory_tready) || (index_tvalid && index_tready) || back_tvalid
                || (values_tvalid && values_tready)
                || (memory_back_tvalid && memory_back_tready) || awvalid != 2'd0 || arvalid != 2'd0) begin
            last_cycle = cycle;
        end

        if (wave_cycles != 0 && cycle == wave_cycles) $dumpoff;

        if (cycle - last_cycle > MOST_IDLE) finish(1'b0);
    end

    task finish;
        input done;
        begin
            $fclose(memory_file);
            $fclose(index_file);
            $fclose(decoded_file);
            $fclose(marked_file);
            $fclose(reads_file);
            $display("bulk: end=%0s cycles=%0d", !done ? "hang" : refused ? "refused" : "done", cycle);
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
            for (i = 0; i < value_count; i = i + 1) begin
                sent = $fgetc(values_file);
                back = $fgetc(decoded_file);
                if (sent != back) begin
                    $display("value %0d is %0d, not %0d", i, back, sent);
                    $stop;
                end
            end
            if (!done || value_count == 0) begin
                $display("the run did not come to its end");
                $stop;
            end
            $display("all %0d values came back", value_count);
        end
    endtask

endmodule

`resetall
