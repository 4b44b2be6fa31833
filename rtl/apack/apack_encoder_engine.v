// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack encoder engine: the values of a block to the pieces of its streams, one value a cycle in all.
 *
 * The coder's interval depends on the value before, so that one stream cannot fill a pipeline. Here each
 * stream owns every STREAMS-th slot: the interval of a stream goes round a loop of STREAMS registers and
 * is back when the stream's next slot comes. The loop's logic is cut into as many parts by the registers.
 *
 * In every cycle with s_ready high a slot begins: s_stream names its stream. It has s_valid and a value, or
 * s_end, or neither: then it is idle and changes nothing. Value i of a block goes in a slot of stream
 * i mod STREAMS, in order; then come STREAMS slots on end with s_end, the last of them with s_last.
 *
 * What leaves, slot by slot in order, in cycles that wait for nobody:
 *   m_code_take    a decoder takes a piece of stream m_stream here: its piece number m_take_number
 *   m_offset_take  a decoder takes a piece of the offset stream here, after that
 *   m_code_valid   m_code_data is piece number m_code_number of stream m_stream, complete
 *   m_far          m_stream has become more than 8 pieces ahead of what is complete, with this value
 *   m_end          the block has no further pieces but the one on m_offset_*
 * Numbers count from 0 in each block, modulo 16, those that a block begins with (FIRST of each stream, taken
 * before its values) included; m_code_first says that the piece is one of these. Each piece that is taken
 * leaves, with zeros where the stream has ended. Pieces of the offset stream, all in order, leave on
 * m_offset_*, each after the take of the next one or the block's end, m_offset_last with the block's last one,
 * which shows in the cycle after m_end. While one waits and the next is due, all stands still.
 * A block that was far once is to be stored raw: which of its pieces leave, and what is in them, means nothing.
 *
 * The row buses are apack_table's; from each cycle after a value was taken until the next slot begins they must
 * be those of the value's table.
 */
module apack_encoder_engine #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS  = 4,
    // bits of a value, 2..16
    parameter VALUE_W  = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS  = 16,
    // bits of a cumulative count, at most CODE_W - 2 and 16
    parameter COUNT_W  = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W   = 16,
    // bits of a piece; leave at its default
    parameter PIECE_W  = (COUNT_W > 14) ? 32 : 16,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W  = $clog2(VALUE_W + 1),
    // bits of a stream's number; leave at its default
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    output wire [STREAM_W-1:0]            s_stream,
    output wire                           s_ready,
    input  wire                           s_valid,
    input  wire [VALUE_W-1:0]             s_value,
    input  wire                           s_end,
    input  wire                           s_last,

    output wire [STREAM_W-1:0]            m_stream,
    output wire                           m_code_take,
    output wire [3:0]                     m_take_number,
    output wire                           m_offset_take,
    output wire                           m_code_valid,
    output wire [PIECE_W-1:0]             m_code_data,
    output wire [3:0]                     m_code_number,
    output wire                           m_code_first,
    output wire                           m_far,
    output wire                           m_end,

    output wire [PIECE_W-1:0]             m_offset_data,
    output wire                           m_offset_last,
    output wire                           m_offset_valid,
    input  wire                           m_offset_ready
);

    localparam SHIFT_W = $clog2(COUNT_W + 3);
    localparam LEAD_W  = COUNT_W + 2;
    localparam FILL_W  = $clog2(PIECE_W + 1);
    localparam PLACE_W = $clog2(PIECE_W);
    localparam FIRST   = (CODE_W + PIECE_W - 1) / PIECE_W;     // pieces of a stream taken before its values
    localparam FLIGHT  = (STREAMS < 8) ? STREAMS : 7;          // slots from the symbol's row to its shifts
    localparam DEPTH   = FLIGHT + 2;                           // and to its code bits

    localparam [COUNT_W:0]    TOTAL       = {1'b1, {COUNT_W{1'b0}}};
    localparam [WIDTH_W-1:0]  VALUE_BITS  = VALUE_W[WIDTH_W-1:0];
    localparam [STREAM_W-1:0] LAST        = STREAMS[STREAM_W-1:0] - 1'b1;
    localparam [STREAM_W-1:0] BEHIND      = DEPTH[STREAM_W-1:0];
    localparam [31:0]         CODE_TOP    = CODE_W - 1;
    localparam [PLACE_W-1:0]  CODE_PLACE  = CODE_TOP[PLACE_W-1:0];
    localparam [3:0]          FIRST_AHEAD = FIRST[3:0];

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_encoder_engine_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_encoder_engine_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_encoder_engine_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > 16 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_encoder_engine_needs_COUNT_W_of_1_to_16_and_CODE_W_minus_2 illegal_parameter ();
        end
        if (CODE_W > 32) begin : g_check_code_w
            apack_encoder_engine_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
    endgenerate

    // frozen: an offset piece is due and the one before it waits. more: the stream that ends has pieces to come.
    // advance: the stream at turn is done with its code bits, and all slots move on.
    wire frozen;
    wire more;
    wire step    = !frozen && !more;
    wire done;
    wire advance = step && done;

    // ---- slot --------------------------------------------------------------------------------------

    reg [STREAM_W-1:0] turn_reg;

    reg                slot_valid_reg;
    reg [VALUE_W-1:0]  slot_value_reg;
    reg                slot_end_reg;
    reg                slot_last_reg;

    assign s_stream = turn_reg;
    assign s_ready  = advance;

    always @(posedge clk) begin
        if (advance) begin
            turn_reg       <= (turn_reg + 1'b1) & LAST;
            slot_valid_reg <= s_valid;
            slot_value_reg <= s_value;
            slot_end_reg   <= s_end;
            slot_last_reg  <= s_last;
        end

        if (rst) begin
            turn_reg       <= {STREAM_W{1'b0}};
            slot_valid_reg <= 1'b0;
            slot_end_reg   <= 1'b0;
            slot_last_reg  <= 1'b0;
        end
    end

    // ---- value -> symbol and offset ----------------------------------------------------------------

    // The symbol's number is for the reader of a waveform; the coder works on its counts.
    wire [$clog2((SYMBOLS > 1) ? SYMBOLS : 2)-1:0] symbol;
    wire [VALUE_W-1:0] offset;
    wire [WIDTH_W-1:0] offset_w;
    wire [COUNT_W:0]   cum_lo;
    wire [COUNT_W:0]   cum_hi;

    apack_symbol_lookup #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W)
    ) symbol_lookup_inst (
        .row_valid    (row_valid),
        .row_base     (row_base),
        .row_offset_w (row_offset_w),
        .row_cum      (row_cum),
        .value        (slot_value_reg),
        .symbol       (symbol),
        .offset       (offset),
        .offset_w     (offset_w),
        .cum_lo       (cum_lo),
        .cum_hi       (cum_hi)
    );

    wire open;      // this stream has had a value of the block

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (1)
    ) open_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (advance),
        .turn   (1'b1),
        .next   (slot_valid_reg || (open && !slot_end_reg)),
        .head   (open)
    );

    reg               symbol_first_reg;
    reg               symbol_end_reg;
    reg               symbol_last_reg;
    reg [COUNT_W:0]   symbol_cum_lo_reg;
    reg [COUNT_W:0]   symbol_cum_hi_reg;
    reg [VALUE_W-1:0] symbol_offset_reg;
    reg [WIDTH_W-1:0] symbol_offset_w_reg;

    always @(posedge clk) begin
        if (advance) begin
            symbol_first_reg    <= !open;
            symbol_end_reg      <= slot_end_reg;
            symbol_last_reg     <= slot_last_reg;
            symbol_cum_lo_reg   <= cum_lo & {COUNT_W+1{slot_valid_reg}};
            symbol_cum_hi_reg   <= slot_valid_reg ? cum_hi : TOTAL;
            symbol_offset_reg   <= offset;
            symbol_offset_w_reg <= offset_w & {WIDTH_W{slot_valid_reg}};
        end
    end

    // ---- interval ----------------------------------------------------------------------------------

    wire [CODE_W-1:0]  low;
    wire [SHIFT_W-1:0] loop_lead_count;
    wire [SHIFT_W-1:0] loop_shift_count;
    wire [WIDTH_W-1:0] loop_offset_w;
    wire [VALUE_W-1:0] loop_offset;
    wire               loop_end;
    wire               loop_last;

    apack_interval_loop #(
        .STREAMS (STREAMS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .TAG_W   (VALUE_W + WIDTH_W + 2)
    ) interval_loop_inst (
        .clk           (clk),
        .enable        (advance),
        .s_first       (symbol_first_reg),
        .s_cum_lo      (symbol_cum_lo_reg),
        .s_cum_hi      (symbol_cum_hi_reg),
        .s_tag         ({symbol_end_reg, symbol_last_reg, symbol_offset_w_reg, symbol_offset_reg}),
        .m_low         (low),
        .m_lead_count  (loop_lead_count),
        .m_shift_count (loop_shift_count),
        .m_tag         ({loop_end, loop_last, loop_offset_w, loop_offset})
    );

    // What was under way at a reset comes out as slots in which nothing happens. A stream without an open
    // block enters the loop with a fresh interval, so that nothing older survives.
    reg  [FLIGHT-1:0]  clear_reg;
    wire [FLIGHT:0]    clear_next  = {clear_reg, 1'b0};
    wire               live        = !clear_next[FLIGHT];
    wire [SHIFT_W-1:0] lead_count  = loop_lead_count & {SHIFT_W{live}};
    wire [SHIFT_W-1:0] shift_count = loop_shift_count & {SHIFT_W{live}};

    // Bits that a decoder has used of its latest piece of this stream, less one: it begins with CODE_W bits. What
    // goes beyond the piece makes it take another. The ring has zeros where a block begins.
    wire [PLACE_W-1:0] used_head;
    wire [PLACE_W-1:0] used      = used_head ^ CODE_PLACE;
    wire [PLACE_W:0]   used_next = {1'b0, used} + {{PLACE_W+1-SHIFT_W{1'b0}}, shift_count};

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (PLACE_W)
    ) used_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (advance),
        .turn   (1'b1),
        .next   ((used_next[PLACE_W-1:0] ^ CODE_PLACE) & {PLACE_W{!loop_end && live}}),
        .head   (used_head)
    );

    reg [SHIFT_W-1:0] shift_lead_count_reg;
    reg [LEAD_W-1:0]  shift_lead_bits_reg;
    reg [SHIFT_W-1:0] shift_under_count_reg;
    reg               shift_code_take_reg;
    reg               shift_end_reg;
    reg               shift_last_reg;
    reg [WIDTH_W-1:0] shift_offset_w_reg;
    reg [VALUE_W-1:0] shift_offset_reg;

    always @(posedge clk) begin
        if (advance) begin
            clear_reg             <= clear_next[FLIGHT-1:0];
            // the closing bit of a stream is 0 if low is below a quarter, else 1; low is below a half
            shift_lead_bits_reg   <= loop_end ? {low[CODE_W-2], {LEAD_W-1{1'b0}}} : low[CODE_W-1 -: LEAD_W];
            shift_lead_count_reg  <= lead_count | {{SHIFT_W-1{1'b0}}, loop_end && live};
            shift_under_count_reg <= shift_count - lead_count;
            shift_code_take_reg   <= used_next[PLACE_W];
            shift_end_reg         <= loop_end && live;
            shift_last_reg        <= loop_last && live;
            shift_offset_w_reg    <= loop_offset_w & {WIDTH_W{live}};
            shift_offset_reg      <= loop_offset;
        end

        if (rst) begin
            clear_reg             <= {FLIGHT{1'b1}};
            shift_lead_count_reg  <= {SHIFT_W{1'b0}};
            shift_under_count_reg <= {SHIFT_W{1'b0}};
            shift_code_take_reg   <= 1'b0;
            shift_end_reg         <= 1'b0;
            shift_last_reg        <= 1'b0;
            shift_offset_w_reg    <= {WIDTH_W{1'b0}};
        end
    end

    // ---- code bits and offset bits -----------------------------------------------------------------

    wire [PIECE_W-1:0] bits;
    wire [FILL_W-1:0]  count;

    apack_stream_pending #(
        .STREAMS (STREAMS),
        .COUNT_W (COUNT_W),
        .PIECE_W (PIECE_W)
    ) pending_inst (
        .clk           (clk),
        .rst           (rst),
        .enable        (step),
        .s_lead_count  (shift_lead_count_reg),
        .s_lead_bits   (shift_lead_bits_reg),
        .s_under_count (shift_under_count_reg),
        .s_end         (shift_end_reg),
        .m_done        (done),
        .m_bits        (bits),
        .m_count       (count)
    );

    // Bits of the latest offset piece that have been used, less one; all of them where a block begins.
    reg  [PLACE_W-1:0] offset_used_reg;
    wire [PLACE_W:0]   offset_used_next = {1'b0, offset_used_reg}
                                        + {{PLACE_W+1-WIDTH_W{1'b0}}, shift_offset_w_reg};

    // The chunk of this cycle; a slot has several where it has many code bits.
    reg [STREAM_W-1:0] chunk_stream_reg;
    reg [PIECE_W-1:0]  chunk_bits_reg;
    reg [FILL_W-1:0]   chunk_count_reg;
    reg                chunk_turn_reg;          // the slot's last one
    reg                chunk_code_take_reg;     // these with the slot's last one only
    reg                chunk_offset_take_reg;
    reg                chunk_end_reg;
    reg                chunk_last_reg;
    reg [VALUE_W-1:0]  chunk_offset_reg;        // left-aligned
    reg [PLACE_W-1:0]  chunk_offset_used_reg;

    always @(posedge clk) begin
        if (advance) begin
            offset_used_reg       <= offset_used_next[PLACE_W-1:0] | {PLACE_W{shift_last_reg}};
            chunk_offset_reg      <= shift_offset_reg << (VALUE_BITS - shift_offset_w_reg);
            chunk_offset_used_reg <= offset_used_reg;
        end

        if (step) begin
            chunk_stream_reg      <= (turn_reg - BEHIND) & LAST;
            chunk_bits_reg        <= bits;
            chunk_count_reg       <= count;
            chunk_turn_reg        <= done;
            chunk_code_take_reg   <= shift_code_take_reg && done;
            chunk_offset_take_reg <= offset_used_next[PLACE_W] && done;
            chunk_end_reg         <= shift_end_reg && done;
            chunk_last_reg        <= shift_last_reg && done;
        end else if (!frozen) begin
            chunk_bits_reg        <= {PIECE_W{1'b0}};
        end

        if (rst) begin
            offset_used_reg       <= {PLACE_W{1'b1}};
            chunk_count_reg       <= {FILL_W{1'b0}};
            chunk_turn_reg        <= 1'b0;
            chunk_code_take_reg   <= 1'b0;
            chunk_offset_take_reg <= 1'b0;
            chunk_end_reg         <= 1'b0;
            chunk_last_reg        <= 1'b0;
        end
    end

    // ---- code pieces -------------------------------------------------------------------------------

    // Of each stream: the number of its next piece to be complete, whether the first ones are, and how many
    // there are that a decoder has taken from this one on.
    wire [3:0] number;
    wire       begun;
    wire [3:0] ahead_head;
    wire [3:0] ahead      = ahead_head ^ FIRST_AHEAD;
    wire [3:0] ahead_next = ahead + {3'd0, chunk_code_take_reg} - {3'd0, m_code_valid};
    wire       closed     = chunk_end_reg && !more;

    assign more = chunk_end_reg && ahead != 4'd1;

    cell_turn_packer #(
        .STREAMS (STREAMS),
        .WORD_W  (PIECE_W)
    ) code_packer_inst (
        .clk     (clk),
        .rst     (rst),
        .enable  (!frozen),
        .s_bits  (chunk_bits_reg),
        .s_count (chunk_count_reg),
        .s_turn  (chunk_turn_reg && !more),
        .s_clear (closed),
        .m_valid (m_code_valid),
        .m_data  (m_code_data)
    );

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (9)
    ) number_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (!frozen),
        .turn   (chunk_turn_reg && !more),
        .next   ({ahead_next ^ FIRST_AHEAD,
                  begun || (m_code_valid && number == FIRST_AHEAD - 4'd1),
                  number + {3'd0, m_code_valid}} & {9{!closed}}),
        .head   ({ahead_head, begun, number})
    );

    assign m_stream      = chunk_stream_reg;
    assign m_code_take   = chunk_code_take_reg && !frozen;
    assign m_take_number = number + ahead;
    assign m_offset_take = chunk_offset_take_reg && !frozen;
    assign m_code_number = number;
    assign m_code_first  = !begun;
    assign m_far         = chunk_turn_reg && !frozen && ahead_next == 4'd9;
    assign m_end         = chunk_last_reg && !more && !frozen;

    // ---- offset pieces -----------------------------------------------------------------------------

    // The piece that is filled stays until a decoder takes the next one, or the block ends.
    reg                offset_open_reg;
    reg [PIECE_W-1:0]  offset_held_reg;
    reg [PIECE_W-1:0]  m_offset_data_reg;
    reg                m_offset_last_reg;
    reg                m_offset_valid_reg;

    wire [2*PIECE_W-1:0] offset_joined = {1'b0, chunk_offset_reg, {2*PIECE_W-1-VALUE_W{1'b0}}} >> chunk_offset_used_reg;
    wire [PIECE_W-1:0]   offset_piece  = offset_held_reg | offset_joined[2*PIECE_W-1 -: PIECE_W];
    wire                 offset_due    = offset_open_reg && (chunk_offset_take_reg || chunk_last_reg);

    assign frozen = offset_due && m_offset_valid_reg && !m_offset_ready;

    always @(posedge clk) begin
        if (m_offset_ready) begin
            m_offset_valid_reg <= 1'b0;
        end

        if (chunk_turn_reg && !more && !frozen) begin
            offset_held_reg <= chunk_offset_take_reg ? offset_joined[PIECE_W-1:0] : offset_piece;
            offset_open_reg <= (offset_open_reg || chunk_offset_take_reg) && !chunk_last_reg;
            if (offset_due) begin
                m_offset_data_reg  <= offset_piece;
                m_offset_last_reg  <= chunk_last_reg;
                m_offset_valid_reg <= 1'b1;
            end
        end

        if (rst) begin
            offset_open_reg    <= 1'b0;
            m_offset_valid_reg <= 1'b0;
        end
    end

    assign m_offset_data  = m_offset_data_reg;
    assign m_offset_last  = m_offset_last_reg;
    assign m_offset_valid = m_offset_valid_reg;

endmodule

`resetall
