// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Round trip of a file of values through encoder and decoder, without a Python call a clock edge.
 *
 * Not synthesizable: it makes its own clock, reads its stimulus from files in the working directory and
 * writes there what the two units put out; the checks are the caller's (round_trip.py). Files in:
 *   table.hex    rows of the table, one a line in hexadecimal: {cum, base}
 *   values.bin   values, one byte each (VALUE_W <= 8) or two, the high byte first
 * Files out:
 *   code.bin, offset.bin   words of the two streams, WORD_W / 8 bytes each, little endian
 *   ends.txt               a line for the end of each block in each stream: "code BITS", "offset BITS",
 *                          "block VALUES CUT", "value FAILED"
 *   decoded.bin            decoded values, one byte each (VALUE_W <= 8) or two, little endian, padded to
 *                          a multiple of four bytes
 *   waves.fst              the first +wave_cycles cycles, if asked for and built with tracing
 * Plus arguments: +rows (of the table), +count (of values), +block (values in a block), +wave_cycles.
 * The last line on standard output is "bulk: " and name=value pairs; end=done unless the units hang.
 *
 * Between the two units stand FIFOs of 2^FIFO_W words. Both streams of a block must fit, because the
 * decoder may want the last word of one while the encoder still fills the other.
 */
// A bench counts in integers, which are wider than the ports they meet.
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */

module apack_bulk #(
    parameter VALUE_W = 8,
    parameter SYMBOLS = 16,
    parameter COUNT_W = 10,
    parameter CODE_W  = 16,
    parameter WORD_W  = 32,
    parameter BLOCK_W = 24,
    // log2 of the words each FIFO between encoder and decoder holds
    parameter FIFO_W  = 16
);

    localparam FILL_W    = $clog2(WORD_W + 1);
    localparam ROW_W     = $clog2(SYMBOLS + 1);
    localparam BYTES     = (VALUE_W > 8) ? 2 : 1;
    localparam MOST_ROWS = 4096;
    localparam CHUNK     = 65536;               // bytes read at a time
    localparam MOST_IDLE = 4 << FIFO_W;         // cycles without any word or value that mean a hang

    reg clk = 1'b0;
    always #5 clk = !clk;

    // ---- device under test -------------------------------------------------------------------------

    reg                      rst = 1'b1;

    reg  [COUNT_W+VALUE_W:0] table_tdata;
    reg                      table_tvalid = 1'b0;
    reg                      table_tlast;
    wire                     encoder_table_tready;
    wire                     decoder_table_tready;

    reg  [VALUE_W-1:0]       value_tdata;
    reg                      value_tvalid = 1'b0;
    reg                      value_tlast;
    wire                     value_tready;

    wire [WORD_W-1:0]        code_tdata;
    wire [FILL_W-1:0]        code_tuser;
    wire                     code_tvalid;
    wire                     code_tready;
    wire                     code_tlast;

    wire [WORD_W-1:0]        offset_tdata;
    wire [FILL_W-1:0]        offset_tuser;
    wire                     offset_tvalid;
    wire                     offset_tready;
    wire                     offset_tlast;

    wire [BLOCK_W-1:0]       block_tdata;
    wire                     block_tuser;
    wire                     block_tvalid;
    wire                     block_tready;

    wire [WORD_W-1:0]        code_back_tdata;
    wire [FILL_W-1:0]        code_back_tuser;
    wire                     code_back_tvalid;
    wire                     code_back_tready;
    wire                     code_back_tlast;

    wire [WORD_W-1:0]        offset_back_tdata;
    wire [FILL_W-1:0]        offset_back_tuser;
    wire                     offset_back_tvalid;
    wire                     offset_back_tready;
    wire                     offset_back_tlast;

    wire [BLOCK_W-1:0]       block_back_tdata;
    wire                     block_back_tuser;
    wire                     block_back_tvalid;
    wire                     block_back_tready;

    wire [VALUE_W-1:0]       back_tdata;
    wire                     back_tkeep;
    wire                     back_tuser;
    wire                     back_tvalid;
    wire                     back_tlast;

    wire                     encoder_table_valid;
    wire                     encoder_table_illegal;
    wire [ROW_W-1:0]         encoder_table_row;
    wire                     encoder_too_long;
    wire                     encoder_busy;
    wire                     decoder_table_valid;
    wire                     decoder_table_illegal;
    wire [ROW_W-1:0]         decoder_table_row;
    wire                     decoder_code_early;
    wire                     decoder_code_leftover;
    wire                     decoder_offset_early;
    wire                     decoder_offset_leftover;
    wire                     decoder_offset_illegal;
    wire                     decoder_busy;

    apack_encoder #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .WORD_W  (WORD_W),
        .BLOCK_W (BLOCK_W)
    ) encoder_inst (
        .clk                   (clk),
        .rst                   (rst),
        .s_axis_table_tdata    (table_tdata),
        .s_axis_table_tvalid   (table_tvalid && decoder_table_tready),
        .s_axis_table_tready   (encoder_table_tready),
        .s_axis_table_tlast    (table_tlast),
        .s_axis_value_tdata    (value_tdata),
        .s_axis_value_tkeep    (1'b1),
        .s_axis_value_tvalid   (value_tvalid),
        .s_axis_value_tready   (value_tready),
        .s_axis_value_tlast    (value_tlast),
        .m_axis_code_tdata     (code_tdata),
        .m_axis_code_tuser     (code_tuser),
        .m_axis_code_tvalid    (code_tvalid),
        .m_axis_code_tready    (code_tready),
        .m_axis_code_tlast     (code_tlast),
        .m_axis_offset_tdata   (offset_tdata),
        .m_axis_offset_tuser   (offset_tuser),
        .m_axis_offset_tvalid  (offset_tvalid),
        .m_axis_offset_tready  (offset_tready),
        .m_axis_offset_tlast   (offset_tlast),
        .m_axis_block_tdata    (block_tdata),
        .m_axis_block_tuser    (block_tuser),
        .m_axis_block_tvalid   (block_tvalid),
        .m_axis_block_tready   (block_tready),
        .status_clear          (1'b0),
        .status_table_valid    (encoder_table_valid),
        .status_table_illegal  (encoder_table_illegal),
        .status_table_row      (encoder_table_row),
        .status_block_too_long (encoder_too_long),
        .status_busy           (encoder_busy)
    );

    cell_fifo #(
        .DATA_W (WORD_W + FILL_W + 1),
        .FIFO_W (FIFO_W)
    ) code_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({code_tlast, code_tuser, code_tdata}),
        .s_valid (code_tvalid),
        .s_ready (code_tready),
        .m_data  ({code_back_tlast, code_back_tuser, code_back_tdata}),
        .m_valid (code_back_tvalid),
        .m_ready (code_back_tready)
    );

    cell_fifo #(
        .DATA_W (WORD_W + FILL_W + 1),
        .FIFO_W (FIFO_W)
    ) offset_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({offset_tlast, offset_tuser, offset_tdata}),
        .s_valid (offset_tvalid),
        .s_ready (offset_tready),
        .m_data  ({offset_back_tlast, offset_back_tuser, offset_back_tdata}),
        .m_valid (offset_back_tvalid),
        .m_ready (offset_back_tready)
    );

    cell_fifo #(
        .DATA_W (BLOCK_W + 1),
        .FIFO_W (FIFO_W)
    ) block_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({block_tuser, block_tdata}),
        .s_valid (block_tvalid),
        .s_ready (block_tready),
        .m_data  ({block_back_tuser, block_back_tdata}),
        .m_valid (block_back_tvalid),
        .m_ready (block_back_tready)
    );

    apack_decoder #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .WORD_W  (WORD_W),
        .BLOCK_W (BLOCK_W)
    ) decoder_inst (
        .clk                    (clk),
        .rst                    (rst),
        .s_axis_table_tdata     (table_tdata),
        .s_axis_table_tvalid    (table_tvalid && encoder_table_tready),
        .s_axis_table_tready    (decoder_table_tready),
        .s_axis_table_tlast     (table_tlast),
        .s_axis_block_tdata     (block_back_tdata),
        .s_axis_block_tvalid    (block_back_tvalid),
        .s_axis_block_tready    (block_back_tready),
        .s_axis_code_tdata      (code_back_tdata),
        .s_axis_code_tuser      (code_back_tuser),
        .s_axis_code_tvalid     (code_back_tvalid),
        .s_axis_code_tready     (code_back_tready),
        .s_axis_code_tlast      (code_back_tlast),
        .s_axis_offset_tdata    (offset_back_tdata),
        .s_axis_offset_tuser    (offset_back_tuser),
        .s_axis_offset_tvalid   (offset_back_tvalid),
        .s_axis_offset_tready   (offset_back_tready),
        .s_axis_offset_tlast    (offset_back_tlast),
        .m_axis_value_tdata     (back_tdata),
        .m_axis_value_tkeep     (back_tkeep),
        .m_axis_value_tuser     (back_tuser),
        .m_axis_value_tvalid    (back_tvalid),
        .m_axis_value_tready    (1'b1),
        .m_axis_value_tlast     (back_tlast),
        .status_clear           (1'b0),
        .status_table_valid     (decoder_table_valid),
        .status_table_illegal   (decoder_table_illegal),
        .status_table_row       (decoder_table_row),
        .status_code_early      (decoder_code_early),
        .status_code_leftover   (decoder_code_leftover),
        .status_offset_early    (decoder_offset_early),
        .status_offset_leftover (decoder_offset_leftover),
        .status_offset_illegal  (decoder_offset_illegal),
        .status_busy            (decoder_busy)
    );

    // ---- files -------------------------------------------------------------------------------------

    reg [COUNT_W+VALUE_W:0] rows  [0:MOST_ROWS-1];
    reg [7:0]               chunk [0:CHUNK-1];

    integer row_count;
    integer value_count;
    integer block_values;
    integer wave_cycles;
    integer values_file;
    integer code_file;
    integer offset_file;
    integer ends_file;
    integer decoded_file;

    initial begin
        if (!$value$plusargs("rows=%d", row_count) || !$value$plusargs("count=%d", value_count)
                || !$value$plusargs("block=%d", block_values)) begin
            $display("bulk: end=argument_missing");
            $finish;
        end
        $readmemh("table.hex", rows, 0, row_count - 1);
        values_file  = $fopen("values.bin", "rb");
        code_file    = $fopen("code.bin", "wb");
        offset_file  = $fopen("offset.bin", "wb");
        ends_file    = $fopen("ends.txt", "w");
        decoded_file = $fopen("decoded.bin", "wb");
        if (!$value$plusargs("wave_cycles=%d", wave_cycles)) begin
            wave_cycles = 0;
        end else begin
            $dumpfile("waves.fst");
            $dumpvars(0, apack_bulk);
        end
    end

    // ---- table, then values ------------------------------------------------------------------------

    integer cycle        = 0;
    integer row_at       = 0;
    integer value_at     = 0;
    integer block_at     = 0;
    integer chunk_at     = CHUNK;
    integer chunk_bytes  = 0;

    wire table_take = encoder_table_tready && decoder_table_tready;

    always @(posedge clk) begin
        cycle <= cycle + 1;
        rst   <= cycle < 4;

        if (!rst && (!table_tvalid || table_take)) begin
            table_tvalid <= row_at < row_count;
            table_tdata  <= rows[row_at];
            table_tlast  <= row_at == row_count - 1;
            if (row_at < row_count) row_at <= row_at + 1;
        end

        if (encoder_table_valid && (!value_tvalid || value_tready)) begin
            value_tvalid <= value_at < value_count;
            if (value_at < value_count) begin
                if (chunk_at == CHUNK) begin
                    chunk_bytes = $fread(chunk, values_file);
                    chunk_at    = 0;
                end
                value_tdata <= (BYTES == 2) ? {chunk[chunk_at], chunk[chunk_at+BYTES-1]} : chunk[chunk_at];
                value_tlast <= block_at == block_values - 1 || value_at == value_count - 1;
                chunk_at     = chunk_at + BYTES;
                block_at     <= (block_at == block_values - 1) ? 0 : block_at + 1;
                value_at     <= value_at + 1;
            end
        end
    end

    // ---- what comes out ----------------------------------------------------------------------------

    integer    code_bits      = 0;
    integer    offset_bits    = 0;
    integer    back_count     = 0;
    integer    encoder_cycles = 0;
    integer    decoder_cycles = 0;
    integer    last_cycle     = 0;      // of a word or a value
    reg [31:0] back_word      = 0;

    wire [15:0] back_value = {{16-VALUE_W{1'b0}}, back_tdata};
    wire        all_back   = back_count == value_count && !encoder_busy && !decoder_busy;

    always @(posedge clk) begin
        if (code_tvalid && code_tready) begin
            if (code_tuser != 0) $fwrite(code_file, "%u", code_tdata);
            code_bits = code_bits + code_tuser;
            if (code_tlast) begin
                $fdisplay(ends_file, "code %0d", code_bits);
                code_bits = 0;
            end
            last_cycle = cycle;
        end

        if (offset_tvalid && offset_tready) begin
            if (offset_tuser != 0) $fwrite(offset_file, "%u", offset_tdata);
            offset_bits = offset_bits + offset_tuser;
            if (offset_tlast) begin
                $fdisplay(ends_file, "offset %0d", offset_bits);
                offset_bits = 0;
            end
            last_cycle = cycle;
        end

        if (block_tvalid && block_tready) begin
            $fdisplay(ends_file, "block %0d %0d", block_tdata, block_tuser);
        end

        if (back_tvalid) begin
            if (back_tkeep) begin
                back_word  = (BYTES == 2) ? {back_value, back_word[31:16]}
                                          : {back_value[7:0], back_word[31:8]};
                back_count = back_count + 1;
                if (back_count % (4 / BYTES) == 0) $fwrite(decoded_file, "%u", back_word);
            end
            if (back_tlast) $fdisplay(ends_file, "value %0d", back_tuser);
            last_cycle = cycle;
        end

        if (encoder_busy) encoder_cycles = encoder_cycles + 1;
        if (decoder_busy) decoder_cycles = decoder_cycles + 1;

        if (wave_cycles != 0 && cycle == wave_cycles) $dumpoff;

        if (all_back || encoder_table_illegal || cycle - last_cycle > MOST_IDLE) begin
            while (back_count % (4 / BYTES) != 0) begin
                back_word  = back_word >> (8 * BYTES);
                back_count = back_count + 1;
                if (back_count % (4 / BYTES) == 0) $fwrite(decoded_file, "%u", back_word);
            end
            $fclose(code_file);
            $fclose(offset_file);
            $fclose(ends_file);
            $fclose(decoded_file);
            $display("bulk: end=%0s cycles=%0d encoder_cycles=%0d decoder_cycles=%0d",
                     all_back ? "done" : encoder_table_illegal ? "illegal_table" : "hang",
                     cycle, encoder_cycles, decoder_cycles);
            $display("bulk: table_row=%0d too_long=%0d code_early=%0d code_leftover=%0d offset_early=%0d offset_leftover=%0d offset_illegal=%0d",
                     encoder_table_row, encoder_too_long, decoder_code_early, decoder_code_leftover,
                     decoder_offset_early, decoder_offset_leftover, decoder_offset_illegal);
            $finish;
        end
    end

endmodule

`resetall
