// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack encoder of one stream: values in, code stream and offset stream out.
 *
 * Load a table (see apack_table for the rows), then send blocks of values, tlast with the last value of a
 * block. A beat with tkeep 0 carries no value; with tlast it ends the block, which is how an empty block
 * is sent. Every block yields
 *   - its code stream on m_axis_code_* and its offset stream on m_axis_offset_*, in words whose first bit
 *     is the most significant; tuser is the number of valid bits of a word, tlast marks the block's last
 *     word; an empty offset stream is one word with tuser 0;
 *   - one transfer on m_axis_block_*: tdata the number of values, tuser 1 if the block was cut.
 * The three outputs may be taken at any pace, but each must be taken: one that is never ready stops the
 * encoder. Their ready reaches s_axis_value_tready in the same cycle.
 *
 * One value a cycle, and one cycle a block for the flush, two where its bits need two words. A run of
 * pending bits longer than WORD_W - CODE_W stalls the encoder for a cycle each WORD_W bits once it resolves.
 *
 * A table is taken only between blocks, and goes before a block that waits. Values wait while there is no
 * legal table. Errors are sticky until status_clear:
 *   status_table_illegal    a table broke a rule; status_table_row is its first wrong row
 *   status_block_too_long   a block had more than 2^BLOCK_W - 1 values: those beyond were dropped, the
 *                           block ended at its tlast with the values before them
 */
module apack_encoder #(
    // bits of a value, 2..16
    parameter VALUE_W = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of a word, at least CODE_W and VALUE_W
    parameter WORD_W  = 32,
    // bits of a block's number of values, at least 1
    parameter BLOCK_W = 24,
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W  = $clog2(WORD_W + 1),
    // bits of a row number, 0..SYMBOLS; leave at its default
    parameter ROW_W   = $clog2(SYMBOLS + 1)
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire [COUNT_W+VALUE_W:0] s_axis_table_tdata,
    input  wire                     s_axis_table_tvalid,
    output wire                     s_axis_table_tready,
    input  wire                     s_axis_table_tlast,

    input  wire [VALUE_W-1:0]       s_axis_value_tdata,
    input  wire                     s_axis_value_tkeep,
    input  wire                     s_axis_value_tvalid,
    output wire                     s_axis_value_tready,
    input  wire                     s_axis_value_tlast,

    output wire [WORD_W-1:0]        m_axis_code_tdata,
    output wire [FILL_W-1:0]        m_axis_code_tuser,
    output wire                     m_axis_code_tvalid,
    input  wire                     m_axis_code_tready,
    output wire                     m_axis_code_tlast,

    output wire [WORD_W-1:0]        m_axis_offset_tdata,
    output wire [FILL_W-1:0]        m_axis_offset_tuser,
    output wire                     m_axis_offset_tvalid,
    input  wire                     m_axis_offset_tready,
    output wire                     m_axis_offset_tlast,

    output wire [BLOCK_W-1:0]       m_axis_block_tdata,
    output wire                     m_axis_block_tuser,
    output wire                     m_axis_block_tvalid,
    input  wire                     m_axis_block_tready,

    input  wire                     status_clear,
    output wire                     status_table_valid,
    output wire                     status_table_illegal,
    output wire [ROW_W-1:0]         status_table_row,
    output wire                     status_block_too_long,
    output wire                     status_busy
);

    localparam SHIFT_W   = $clog2(CODE_W + 1);
    localparam WIDTH_W   = $clog2(VALUE_W + 1);
    localparam SYMBOL_W  = (SYMBOLS > 1) ? $clog2(SYMBOLS) : 1;
    // a block of 2^BLOCK_W - 1 values makes fewer than CODE_W shifts with each
    localparam PENDING_W = BLOCK_W + $clog2(CODE_W);

    localparam [WIDTH_W-1:0] VALUE_BITS = VALUE_W[WIDTH_W-1:0];

    generate
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_encoder_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_encoder_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_encoder_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (WORD_W < CODE_W || WORD_W < VALUE_W) begin : g_check_word_w
            apack_encoder_needs_WORD_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
        end
        if (BLOCK_W < 1) begin : g_check_block_w
            apack_encoder_needs_BLOCK_W_of_at_least_1 illegal_parameter ();
        end
    endgenerate

    // ---- symbol table ------------------------------------------------------------------------------

    reg block_open_reg;     // a block has begun and its last beat is still to come

    wire [SYMBOLS-1:0]             row_valid;
    wire [SYMBOLS*VALUE_W-1:0]     row_base;
    wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w;
    wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum;

    apack_table #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W)
    ) table_inst (
        .clk                 (clk),
        .rst                 (rst),
        .load_enable         (!block_open_reg),
        .status_clear        (status_clear),
        .s_axis_table_tdata  (s_axis_table_tdata),
        .s_axis_table_tvalid (s_axis_table_tvalid),
        .s_axis_table_tready (s_axis_table_tready),
        .s_axis_table_tlast  (s_axis_table_tlast),
        .table_valid         (status_table_valid),
        .table_illegal       (status_table_illegal),
        .table_illegal_row   (status_table_row),
        .row_valid           (row_valid),
        .row_base            (row_base),
        .row_limit           (),                        // the decoder's check, of no use here
        .row_offset_w        (row_offset_w),
        .row_cum             (row_cum)
    );

    // ---- stage 1: value -> symbol and offset -------------------------------------------------------

    // The symbol's number is for the reader of a waveform; the coder works on its counts.
    wire [SYMBOL_W-1:0] symbol;
    wire [VALUE_W-1:0]  offset;
    wire [WIDTH_W-1:0]  offset_w;
    wire [COUNT_W:0]    cum_lo;
    wire [COUNT_W:0]    cum_hi;

    apack_symbol_lookup #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W)
    ) symbol_lookup_inst (
        .row_valid    (row_valid),
        .row_base     (row_base),
        .row_offset_w (row_offset_w),
        .row_cum      (row_cum),
        .value        (s_axis_value_tdata),
        .symbol       (symbol),
        .offset       (offset),
        .offset_w     (offset_w),
        .cum_lo       (cum_lo),
        .cum_hi       (cum_hi)
    );

    reg [BLOCK_W-1:0] count_reg;            // values of this block so far
    reg               cut_reg;              // values of this block were dropped
    reg               too_long_reg;

    reg               symbol_valid_reg;
    reg               symbol_keep_reg;      // there is a value, not only the end of the block
    reg               symbol_last_reg;
    reg [VALUE_W-1:0] symbol_offset_reg;    // left-aligned
    reg [WIDTH_W-1:0] symbol_offset_w_reg;
    reg [COUNT_W:0]   symbol_cum_lo_reg;
    reg [COUNT_W:0]   symbol_cum_hi_reg;

    wire symbol_done;                       // stage 2 is through with what stage 1 holds

    wire table_waits = s_axis_table_tvalid && !block_open_reg;

    assign s_axis_value_tready = status_table_valid && !table_waits && (!symbol_valid_reg || symbol_done);

    wire value_take  = s_axis_value_tvalid && s_axis_value_tready;
    wire block_full  = block_open_reg && (count_reg == {BLOCK_W{1'b1}});
    wire value_codes = s_axis_value_tkeep && !block_full;
    wire value_drops = s_axis_value_tkeep && block_full;

    always @(posedge clk) begin
        if (status_clear) begin
            too_long_reg <= 1'b0;
        end

        if (symbol_done) begin
            symbol_valid_reg <= 1'b0;
        end

        if (value_take) begin
            block_open_reg      <= !s_axis_value_tlast;
            count_reg           <= (block_open_reg ? count_reg : {BLOCK_W{1'b0}})
                                 + {{BLOCK_W-1{1'b0}}, value_codes};
            cut_reg             <= block_open_reg && (cut_reg || value_drops);
            symbol_valid_reg    <= value_codes || s_axis_value_tlast;
            symbol_keep_reg     <= value_codes;
            symbol_last_reg     <= s_axis_value_tlast;
            symbol_offset_reg   <= offset << (VALUE_BITS - offset_w);
            symbol_offset_w_reg <= offset_w;
            symbol_cum_lo_reg   <= cum_lo;
            symbol_cum_hi_reg   <= cum_hi;
            if (value_drops) begin
                too_long_reg <= 1'b1;
            end
        end

        if (rst) begin
            block_open_reg   <= 1'b0;
            too_long_reg     <= 1'b0;
            symbol_valid_reg <= 1'b0;
        end
    end

    assign status_block_too_long = too_long_reg;

    // ---- stage 2: the interval ---------------------------------------------------------------------

    reg [CODE_W-1:0] low_reg;
    reg [CODE_W-1:0] high_reg;

    wire [CODE_W-1:0]  slice_low;
    wire [CODE_W-1:0]  slice_high;
    wire [SHIFT_W-1:0] lead_count;
    wire [CODE_W-1:0]  lead_bits;
    wire [SHIFT_W-1:0] under_count;
    wire [CODE_W-1:0]  next_low;
    wire [CODE_W-1:0]  next_high;

    apack_interval #(
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) interval_inst (
        .low       (low_reg),
        .high      (high_reg),
        .cum_lo    (symbol_cum_lo_reg),
        .cum_hi    (symbol_cum_hi_reg),
        .next_low  (slice_low),
        .next_high (slice_high)
    );

    apack_renorm #(
        .CODE_W (CODE_W)
    ) renorm_inst (
        .low         (slice_low),
        .high        (slice_high),
        .lead_count  (lead_count),
        .lead_bits   (lead_bits),
        .under_count (under_count),
        .next_low    (next_low),
        .next_high   (next_high)
    );

    reg               flush_reg;            // the block's last value is coded, its flush is next

    reg               code_valid_reg;
    reg               code_last_reg;
    reg [SHIFT_W-1:0] code_lead_count_reg;
    reg [CODE_W-1:0]  code_lead_bits_reg;
    reg [SHIFT_W-1:0] code_under_count_reg;

    reg               offset_valid_reg;
    reg               offset_last_reg;
    reg [VALUE_W-1:0] offset_bits_reg;
    reg [WIDTH_W-1:0] offset_count_reg;

    reg               block_valid_reg;
    reg [BLOCK_W-1:0] block_count_reg;
    reg               block_cut_reg;

    wire code_ready;
    wire offset_ready;

    wire flush = flush_reg || !symbol_keep_reg;
    wire step  = symbol_valid_reg && (!code_valid_reg || code_ready) && (!offset_valid_reg || offset_ready)
              && (!flush || !block_valid_reg || m_axis_block_tready);

    assign symbol_done = step && (flush || !symbol_last_reg);

    always @(posedge clk) begin
        if (code_ready) begin
            code_valid_reg <= 1'b0;
        end
        if (offset_ready) begin
            offset_valid_reg <= 1'b0;
        end
        if (m_axis_block_tready) begin
            block_valid_reg <= 1'b0;
        end

        if (step) begin
            flush_reg            <= !flush && symbol_last_reg;
            code_valid_reg       <= 1'b1;
            code_last_reg        <= flush;
            offset_valid_reg     <= 1'b1;
            offset_last_reg      <= flush;
            offset_bits_reg      <= symbol_offset_reg;
            if (flush) begin
                // closing bit: 0 if low is below a quarter (low is always below a half here), else 1
                low_reg              <= {CODE_W{1'b0}};
                high_reg             <= {CODE_W{1'b1}};
                code_lead_count_reg  <= {{SHIFT_W-1{1'b0}}, 1'b1};
                code_lead_bits_reg   <= low_reg << 1;
                code_under_count_reg <= {SHIFT_W{1'b0}};
                offset_count_reg     <= {WIDTH_W{1'b0}};
                block_valid_reg      <= 1'b1;
                block_count_reg      <= count_reg;
                block_cut_reg        <= cut_reg;
            end else begin
                low_reg              <= next_low;
                high_reg             <= next_high;
                code_lead_count_reg  <= lead_count;
                code_lead_bits_reg   <= lead_bits;
                code_under_count_reg <= under_count;
                offset_count_reg     <= symbol_offset_w_reg;
            end
        end

        if (rst) begin
            low_reg          <= {CODE_W{1'b0}};
            high_reg         <= {CODE_W{1'b1}};
            flush_reg        <= 1'b0;
            code_valid_reg   <= 1'b0;
            offset_valid_reg <= 1'b0;
            block_valid_reg  <= 1'b0;
        end
    end

    assign m_axis_block_tdata  = block_count_reg;
    assign m_axis_block_tuser  = block_cut_reg;
    assign m_axis_block_tvalid = block_valid_reg;

    // ---- stages 3 and 4: pending bits, words -------------------------------------------------------

    wire [WORD_W-1:0] chunk_bits;
    wire [FILL_W-1:0] chunk_count;
    wire              chunk_last;
    wire              chunk_valid;
    wire              chunk_ready;

    apack_pending #(
        .CODE_W    (CODE_W),
        .WORD_W    (WORD_W),
        .PENDING_W (PENDING_W)
    ) pending_inst (
        .clk           (clk),
        .rst           (rst),
        .s_lead_count  (code_lead_count_reg),
        .s_lead_bits   (code_lead_bits_reg),
        .s_under_count (code_under_count_reg),
        .s_last        (code_last_reg),
        .s_valid       (code_valid_reg),
        .s_ready       (code_ready),
        .m_bits        (chunk_bits),
        .m_count       (chunk_count),
        .m_last        (chunk_last),
        .m_valid       (chunk_valid),
        .m_ready       (chunk_ready)
    );

    cell_bit_packer #(
        .IN_W   (WORD_W),
        .WORD_W (WORD_W)
    ) code_packer_inst (
        .clk           (clk),
        .rst           (rst),
        .s_bits        (chunk_bits),
        .s_count       (chunk_count),
        .s_last        (chunk_last),
        .s_valid       (chunk_valid),
        .s_ready       (chunk_ready),
        .m_axis_tdata  (m_axis_code_tdata),
        .m_axis_tuser  (m_axis_code_tuser),
        .m_axis_tvalid (m_axis_code_tvalid),
        .m_axis_tready (m_axis_code_tready),
        .m_axis_tlast  (m_axis_code_tlast)
    );

    cell_bit_packer #(
        .IN_W   (VALUE_W),
        .WORD_W (WORD_W)
    ) offset_packer_inst (
        .clk           (clk),
        .rst           (rst),
        .s_bits        (offset_bits_reg),
        .s_count       (offset_count_reg),
        .s_last        (offset_last_reg),
        .s_valid       (offset_valid_reg),
        .s_ready       (offset_ready),
        .m_axis_tdata  (m_axis_offset_tdata),
        .m_axis_tuser  (m_axis_offset_tuser),
        .m_axis_tvalid (m_axis_offset_tvalid),
        .m_axis_tready (m_axis_offset_tready),
        .m_axis_tlast  (m_axis_offset_tlast)
    );

    // Busy from a block's first beat until all of it has left. Between the words of a block the packers
    // hold bits without showing it, but then the block's last beat or its flush is still under way; and an
    // offset waits only while a word of offsets does.
    assign status_busy = block_open_reg || symbol_valid_reg || code_valid_reg || chunk_valid
                      || block_valid_reg || m_axis_code_tvalid || m_axis_offset_tvalid;

endmodule

`resetall
