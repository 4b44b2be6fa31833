// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack decoder of one stream: code stream and offset stream in, values out.
 *
 * Load a table (see apack_table for the rows). For each block send its number of values on s_axis_block_*
 * and its two streams on s_axis_code_* and s_axis_offset_*, as apack_encoder writes them: words whose
 * first bit is the most significant, tuser the number of valid bits of a word, tlast with the last word of
 * the block; words with tuser 0 are allowed and carry nothing but their tlast. The values leave on
 * m_axis_value_*, tlast with the block's last; an empty block leaves as one beat with tkeep 0 and tlast,
 * whose tdata means nothing.
 *
 * One value a cycle (if WORD_W >= 2 * CODE_W - 1), and some cycles a block to fill and to check. The last
 * value of a block is held until both streams have ended and been found to fit.
 *
 * A block that is found wrong is stopped: no more of its values leave, the rest of its streams is thrown
 * away up to tlast, and it ends in a beat with tlast and tuser 1 (tkeep 0, unless all its values were
 * decoded). The next block is decoded as ever. Sticky until status_clear:
 *   status_table_illegal     a table broke a rule; status_table_row is its first wrong row
 *   status_code_early        the code stream ended before the block did
 *   status_code_leftover     the code stream went on after the block's last value
 *   status_offset_early      the offset stream ended before the block did
 *   status_offset_leftover   the offset stream went on after the block's last value
 *   status_offset_illegal    an offset pointed beyond its group
 * A table is taken only between blocks, and goes before a block that waits. Blocks wait while there is no
 * legal table.
 */
module apack_decoder #(
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

    input  wire [BLOCK_W-1:0]       s_axis_block_tdata,
    input  wire                     s_axis_block_tvalid,
    output wire                     s_axis_block_tready,

    input  wire [WORD_W-1:0]        s_axis_code_tdata,
    input  wire [FILL_W-1:0]        s_axis_code_tuser,
    input  wire                     s_axis_code_tvalid,
    output wire                     s_axis_code_tready,
    input  wire                     s_axis_code_tlast,

    input  wire [WORD_W-1:0]        s_axis_offset_tdata,
    input  wire [FILL_W-1:0]        s_axis_offset_tuser,
    input  wire                     s_axis_offset_tvalid,
    output wire                     s_axis_offset_tready,
    input  wire                     s_axis_offset_tlast,

    output wire [VALUE_W-1:0]       m_axis_value_tdata,
    output wire                     m_axis_value_tkeep,
    output wire                     m_axis_value_tuser,
    output wire                     m_axis_value_tvalid,
    input  wire                     m_axis_value_tready,
    output wire                     m_axis_value_tlast,

    input  wire                     status_clear,
    output wire                     status_table_valid,
    output wire                     status_table_illegal,
    output wire [ROW_W-1:0]         status_table_row,
    output wire                     status_code_early,
    output wire                     status_code_leftover,
    output wire                     status_offset_early,
    output wire                     status_offset_leftover,
    output wire                     status_offset_illegal,
    output wire                     status_busy
);

    localparam SHIFT_W  = $clog2(CODE_W + 1);
    localparam WIDTH_W  = $clog2(VALUE_W + 1);
    localparam SYMBOL_W = (SYMBOLS > 1) ? $clog2(SYMBOLS) : 1;
    // counts of available bits, of pad bits and their sums
    localparam SUM_W    = FILL_W + 2;

    localparam [CODE_W-1:0]  ONE         = 1;
    localparam [SUM_W-1:0]   CODE_BITS   = CODE_W[SUM_W-1:0];
    localparam [SUM_W-1:0]   VALUE_BITS  = VALUE_W[SUM_W-1:0];
    // A block's code stream is two bits longer than its shifts; the decoder looks CODE_W bits ahead, so it
    // reads exactly this many bits past the end of an intact stream.
    localparam [SUM_W-1:0]   PAD_BITS    = CODE_W[SUM_W-1:0] - 2;

    localparam [1:0] STATE_IDLE   = 2'd0;   // between blocks
    localparam [1:0] STATE_FILL   = 2'd1;   // waits for the first CODE_W bits
    localparam [1:0] STATE_VALUES = 2'd2;   // decodes one value a cycle
    localparam [1:0] STATE_FINISH = 2'd3;   // waits for both streams to end, then sends the last beat

    generate
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_decoder_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_decoder_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_decoder_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (WORD_W < CODE_W || WORD_W < VALUE_W) begin : g_check_word_w
            apack_decoder_needs_WORD_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
        end
        if (BLOCK_W < 1) begin : g_check_block_w
            apack_decoder_needs_BLOCK_W_of_at_least_1 illegal_parameter ();
        end
    endgenerate

    reg [1:0] state_reg;

    wire idle   = state_reg == STATE_IDLE;
    wire fill   = state_reg == STATE_FILL;
    wire values = state_reg == STATE_VALUES;
    wire finish = state_reg == STATE_FINISH;

    // ---- symbol table ------------------------------------------------------------------------------

    wire [SYMBOLS-1:0]             row_valid;
    wire [SYMBOLS*VALUE_W-1:0]     row_base;
    wire [SYMBOLS*VALUE_W-1:0]     row_limit;
    wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w;
    wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum;

    apack_table #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W)
    ) table_inst (
        .clk                 (clk),
        .rst                 (rst),
        .load_enable         (idle),
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
        .row_limit           (row_limit),
        .row_offset_w        (row_offset_w),
        .row_cum             (row_cum)
    );

    // ---- the two streams ---------------------------------------------------------------------------

    wire [CODE_W-1:0]  code_bits;
    wire [FILL_W:0]    code_available;
    wire               code_ended;
    wire               code_remove;
    wire [SHIFT_W-1:0] code_remove_count;
    wire               code_over;

    wire [VALUE_W-1:0] offset_bits;
    wire [FILL_W:0]    offset_available;
    wire               offset_ended;
    wire               offset_over;

    wire [WIDTH_W-1:0] offset_w;
    wire               step;        // a value is decoded in this cycle
    wire               block_end;   // the block's last beat is sent in this cycle

    cell_bit_unpacker #(
        .OUT_W  (CODE_W),
        .WORD_W (WORD_W)
    ) code_unpacker_inst (
        .clk            (clk),
        .rst            (rst),
        .s_axis_tdata   (s_axis_code_tdata),
        .s_axis_tuser   (s_axis_code_tuser),
        .s_axis_tvalid  (s_axis_code_tvalid),
        .s_axis_tready  (s_axis_code_tready),
        .s_axis_tlast   (s_axis_code_tlast),
        .m_bits         (code_bits),
        .m_available    (code_available),
        .m_ended        (code_ended),
        .m_remove       (code_remove),
        .m_remove_count (code_remove_count),
        .discard        (finish),
        .m_leftover     (code_over),
        .restart        (block_end)
    );

    cell_bit_unpacker #(
        .OUT_W  (VALUE_W),
        .WORD_W (WORD_W)
    ) offset_unpacker_inst (
        .clk            (clk),
        .rst            (rst),
        .s_axis_tdata   (s_axis_offset_tdata),
        .s_axis_tuser   (s_axis_offset_tuser),
        .s_axis_tvalid  (s_axis_offset_tvalid),
        .s_axis_tready  (s_axis_offset_tready),
        .s_axis_tlast   (s_axis_offset_tlast),
        .m_bits         (offset_bits),
        .m_available    (offset_available),
        .m_ended        (offset_ended),
        .m_remove       (step),
        .m_remove_count (offset_w),
        .discard        (finish),
        .m_leftover     (offset_over),
        .restart        (block_end)
    );

    wire [SUM_W-1:0] code_have   = {1'b0, code_available};
    wire [SUM_W-1:0] offset_have = {1'b0, offset_available};

    // ---- the interval and the code -----------------------------------------------------------------

    reg [CODE_W-1:0] low_reg;
    reg [CODE_W-1:0] high_reg;
    reg [CODE_W-1:0] code_reg;

    wire [CODE_W:0]   range    = {1'b0, high_reg - low_reg} + {1'b0, ONE};
    wire [CODE_W-1:0] position = code_reg - low_reg;

    // The symbol's number is for the reader of a waveform; the decoder works on its row.
    wire [SYMBOL_W-1:0] symbol;
    // Bounds stay below 2^CODE_W but for the full interval's end, which wraps to its highest bound.
    wire [CODE_W:0]     slice_lo;
    wire [CODE_W:0]     slice_hi;
    wire [VALUE_W-1:0]  base;
    wire [VALUE_W-1:0]  limit;

    apack_symbol_search #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) symbol_search_inst (
        .row_valid    (row_valid),
        .row_base     (row_base),
        .row_limit    (row_limit),
        .row_offset_w (row_offset_w),
        .row_cum      (row_cum),
        .range        (range),
        .position     (position),
        .symbol       (symbol),
        .base         (base),
        .limit        (limit),
        .offset_w     (offset_w),
        .slice_lo     (slice_lo),
        .slice_hi     (slice_hi)
    );

    wire [SHIFT_W-1:0] lead_count;
    wire [SHIFT_W-1:0] under_count;
    wire [CODE_W-1:0]  next_low;
    wire [CODE_W-1:0]  next_high;

    apack_renorm #(
        .CODE_W (CODE_W)
    ) renorm_inst (
        .low         (low_reg + slice_lo[CODE_W-1:0]),
        .high        (low_reg + slice_hi[CODE_W-1:0] - ONE),
        .lead_count  (lead_count),
        .lead_bits   (),                                // the decoder has them already
        .under_count (under_count),
        .next_low    (next_low),
        .next_high   (next_high)
    );

    // The code makes the same shifts as the bounds: under the top bit for the pending ones.
    wire [SHIFT_W-1:0]  shift_count = lead_count + under_count;
    wire [2*CODE_W-1:0] lead_code   = {code_reg, code_bits} << lead_count;
    wire [2*CODE_W-1:0] shift_code  = {code_reg, code_bits} << shift_count;
    wire [CODE_W-1:0]   next_code   = {lead_code[2*CODE_W-1], shift_code[2*CODE_W-2:CODE_W]};

    assign code_remove_count = fill ? CODE_BITS[SHIFT_W-1:0] : shift_count;

    // Bits read past the end of the code stream, which are zeros.
    reg  [SUM_W-1:0] pad_reg;
    wire [SUM_W-1:0] wanted   = {{SUM_W-SHIFT_W{1'b0}}, code_remove_count};
    wire [SUM_W-1:0] next_pad = pad_reg + ((wanted > code_have) ? wanted - code_have : {SUM_W{1'b0}});

    // ---- the offset --------------------------------------------------------------------------------

    localparam [WIDTH_W-1:0] VALUE_SHIFT = VALUE_W[WIDTH_W-1:0];

    wire [VALUE_W-1:0] offset = offset_bits >> (VALUE_SHIFT - offset_w);

    // ---- control -----------------------------------------------------------------------------------

    reg [BLOCK_W-1:0] remaining_reg;    // values still to decode
    reg               failed_reg;       // the block was stopped
    reg               held_reg;         // the last value is decoded and waits in value_reg
    reg [VALUE_W-1:0] value_reg;

    reg [VALUE_W-1:0] m_data_reg;
    reg               m_keep_reg;
    reg               m_user_reg;
    reg               m_last_reg;
    reg               m_valid_reg;

    reg               code_early_reg;
    reg               code_leftover_reg;
    reg               offset_early_reg;
    reg               offset_leftover_reg;
    reg               offset_illegal_reg;

    wire out_free = !m_valid_reg || m_axis_value_tready;

    wire code_ready   = code_ended || code_have >= CODE_BITS;
    wire offset_ready = offset_ended || offset_have >= VALUE_BITS;

    assign s_axis_block_tready = idle && status_table_valid && !s_axis_table_tvalid;

    wire fill_step = fill && code_ready;
    assign step        = values && code_ready && offset_ready && out_free;
    assign code_remove = fill_step || step;

    wire code_short   = next_pad > PAD_BITS;
    wire offset_short = {{SUM_W-WIDTH_W{1'b0}}, offset_w} > offset_have;
    wire offset_wrong = offset > limit;
    wire step_fails   = code_short || offset_short || offset_wrong;
    wire last_value   = remaining_reg == {{BLOCK_W-1{1'b0}}, 1'b1};

    assign block_end = finish && code_ended && offset_ended && out_free;

    wire code_left   = !failed_reg && (code_over || pad_reg != PAD_BITS);
    wire offset_left = !failed_reg && offset_over;

    always @(posedge clk) begin
        if (m_axis_value_tready) begin
            m_valid_reg <= 1'b0;
        end

        if (status_clear) begin
            code_early_reg      <= 1'b0;
            code_leftover_reg   <= 1'b0;
            offset_early_reg    <= 1'b0;
            offset_leftover_reg <= 1'b0;
            offset_illegal_reg  <= 1'b0;
        end

        if (s_axis_block_tvalid && s_axis_block_tready) begin
            state_reg     <= STATE_FILL;
            remaining_reg <= s_axis_block_tdata;
            failed_reg    <= 1'b0;
            held_reg      <= 1'b0;
            pad_reg       <= {SUM_W{1'b0}};
            low_reg       <= {CODE_W{1'b0}};
            high_reg      <= {CODE_W{1'b1}};
        end

        if (fill_step) begin
            code_reg <= code_bits;
            pad_reg  <= next_pad;
            if (code_short) begin
                state_reg      <= STATE_FINISH;
                failed_reg     <= 1'b1;
                code_early_reg <= 1'b1;
            end else if (remaining_reg == {BLOCK_W{1'b0}}) begin
                state_reg      <= STATE_FINISH;
            end else begin
                state_reg      <= STATE_VALUES;
            end
        end

        if (step && step_fails) begin
            state_reg  <= STATE_FINISH;
            failed_reg <= 1'b1;
            if (code_short) begin
                code_early_reg <= 1'b1;
            end
            if (offset_short) begin
                offset_early_reg <= 1'b1;
            end
            if (offset_wrong) begin
                offset_illegal_reg <= 1'b1;
            end
        end else if (step) begin
            low_reg       <= next_low;
            high_reg      <= next_high;
            code_reg      <= next_code;
            pad_reg       <= next_pad;
            remaining_reg <= remaining_reg - {{BLOCK_W-1{1'b0}}, 1'b1};
            if (last_value) begin
                state_reg <= STATE_FINISH;
                held_reg  <= 1'b1;
                value_reg <= base + offset;
            end else begin
                m_valid_reg <= 1'b1;
                m_data_reg  <= base + offset;
                m_keep_reg  <= 1'b1;
                m_user_reg  <= 1'b0;
                m_last_reg  <= 1'b0;
            end
        end

        if (block_end) begin
            state_reg   <= STATE_IDLE;
            m_valid_reg <= 1'b1;
            m_data_reg  <= value_reg;
            m_keep_reg  <= held_reg;
            m_user_reg  <= failed_reg || code_left || offset_left;
            m_last_reg  <= 1'b1;
            if (code_left) begin
                code_leftover_reg <= 1'b1;
            end
            if (offset_left) begin
                offset_leftover_reg <= 1'b1;
            end
        end

        if (rst) begin
            state_reg           <= STATE_IDLE;
            m_valid_reg         <= 1'b0;
            code_early_reg      <= 1'b0;
            code_leftover_reg   <= 1'b0;
            offset_early_reg    <= 1'b0;
            offset_leftover_reg <= 1'b0;
            offset_illegal_reg  <= 1'b0;
        end
    end

    assign m_axis_value_tdata  = m_data_reg;
    assign m_axis_value_tkeep  = m_keep_reg;
    assign m_axis_value_tuser  = m_user_reg;
    assign m_axis_value_tvalid = m_valid_reg;
    assign m_axis_value_tlast  = m_last_reg;

    assign status_code_early      = code_early_reg;
    assign status_code_leftover   = code_leftover_reg;
    assign status_offset_early    = offset_early_reg;
    assign status_offset_leftover = offset_leftover_reg;
    assign status_offset_illegal  = offset_illegal_reg;
    assign status_busy            = !idle || m_valid_reg;

endmodule

`resetall
