// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack decoder engine: the STREAMS interleaved streams of a block in one pipeline, one value a cycle in all.
 *
 * The interval of a stream depends on its value before; each stream owns every STREAMS-th slot, and its
 * interval goes round a loop of STREAMS registers (apack_search_loop). There is no stall: what leaves must
 * be taken, and what a slot takes must be there.
 *
 * In every cycle a slot begins, and s_kind says what it does:
 *   0 IDLE   nothing
 *   1 FIRST  its stream takes the first CODE_W bits of its code
 *   2 VALUE  its stream decodes a value
 *   3 RAW    the block's next value is taken verbatim
 * A coded block is STREAMS slots FIRST in a row, then VALUE for each value, value i so many slots after a FIRST
 * that i is the number of that slot modulo STREAMS; a raw one is RAW for each value. Idle slots may stand
 * anywhere. s_last marks the slot of a block's last value; the next block may begin once m_end has been high.
 *
 * 0, 1, 3, 6 cycles after a slot has begun, with 1, 2, 4, 8 streams, m_take tells how many pieces it takes of
 * those that s_pieces shows then, the next one at the top; m_end is high there for a slot with s_last. FIRST
 * takes as many pieces as hold CODE_W bits, VALUE up to two, code before offset, RAW up to one.
 *
 * Two cycles later a value leaves: m_value, with m_illegal if its offset points beyond its group, and m_last.
 * The row buses are apack_table's; they must hold still from a block's FIRST to its m_end.
 */
module apack_decoder_engine #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS = 4,
    // bits of a value, 2..16
    parameter VALUE_W = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W  = 16,
    // bits of a piece; leave at its default
    parameter PIECE_W = (COUNT_W + 2 > 16) ? 32 : 16,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W = $clog2(VALUE_W + 1)
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_limit,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire [1:0]                     s_kind,
    input  wire                           s_last,

    input  wire [2*PIECE_W-1:0]           s_pieces,
    output wire [1:0]                     m_take,
    output wire                           m_end,

    output wire                           m_valid,
    output wire [VALUE_W-1:0]             m_value,
    output wire                           m_illegal,
    output wire                           m_last
);

    localparam [1:0] FIRST = 2'd1;
    localparam [1:0] VALUE = 2'd2;
    localparam [1:0] RAW   = 2'd3;

    localparam TAG_W   = 3;
    localparam FILL_W  = $clog2(PIECE_W);
    localparam SHIFT_W = $clog2(CODE_W + 1);
    localparam LOW_W   = (SHIFT_W < FILL_W) ? SHIFT_W : FILL_W;
    localparam AHEAD_W = 3 * PIECE_W;

    // pieces that hold CODE_W bits
    localparam [1:0] FIRST_PIECES = (CODE_W > PIECE_W) ? 2'd2 : 2'd1;

    // Cycles from a slot's beginning to its symbol and to its pieces: what apack_search_loop says.
    localparam HIT_DELAY  = (STREAMS == 1) ? 0 : (STREAMS == 2) ? 1 : (STREAMS == 4) ? 2 : 4;
    localparam TAKE_DELAY = (STREAMS == 1) ? 0 : (STREAMS == 2) ? 1 : (STREAMS == 4) ? 3 : 6;

    localparam [WIDTH_W-1:0] VALUE_BITS = VALUE_W[WIDTH_W-1:0];

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_decoder_engine_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_decoder_engine_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_decoder_engine_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_decoder_engine_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (CODE_W > 32) begin : g_check_code_w
            apack_decoder_engine_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
    endgenerate

    genvar i;

    // ---- what each slot does -----------------------------------------------------------------------

    wire [(TAKE_DELAY+1)*TAG_W-1:0] tags;   // of the slots on their way, the newest at the bottom

    assign tags[0 +: TAG_W] = {s_last, s_kind};

    generate
        for (i = 0; i < TAKE_DELAY; i = i + 1) begin : g_tag
            reg [TAG_W-1:0] tag_reg;

            always @(posedge clk) begin
                tag_reg <= rst ? {TAG_W{1'b0}} : tags[i*TAG_W +: TAG_W];
            end

            assign tags[(i+1)*TAG_W +: TAG_W] = tag_reg;
        end
    endgenerate

    wire [1:0] hit_kind = tags[HIT_DELAY*TAG_W +: 2];
    wire [1:0] kind     = tags[TAKE_DELAY*TAG_W +: 2];
    wire       last     = tags[TAKE_DELAY*TAG_W+2];

    // ---- symbol ------------------------------------------------------------------------------------

    wire [SYMBOLS-1:0] hit;
    wire [CODE_W-1:0]  ends;
    wire [SHIFT_W-1:0] shift_count;
    wire [CODE_W-1:0]  code_bits;

    apack_search_loop #(
        .STREAMS (STREAMS),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) search_loop_inst (
        .clk         (clk),
        .row_valid   (row_valid),
        .row_cum     (row_cum),
        .s_active    (s_kind == VALUE),
        .s_first     (s_kind == FIRST),
        .m_hit       (hit),
        .m_ends      (ends),
        .m_count     (shift_count),
        .s_code_bits (code_bits)
    );

    localparam RECORD_W = 2 * VALUE_W + WIDTH_W;

    wire [SYMBOLS*RECORD_W-1:0] records;
    wire [VALUE_W-1:0]          hit_base;
    wire [VALUE_W-1:0]          hit_limit;
    wire [WIDTH_W-1:0]          hit_offset_w;

    generate
        for (i = 0; i < SYMBOLS; i = i + 1) begin : g_record
            assign records[i*RECORD_W +: RECORD_W] = {
                row_base[i*VALUE_W +: VALUE_W],
                row_limit[i*VALUE_W +: VALUE_W],
                row_offset_w[i*WIDTH_W +: WIDTH_W]
            };
        end
    endgenerate

    cell_onehot_mux #(
        .INPUTS (SYMBOLS),
        .DATA_W (RECORD_W)
    ) record_select_inst (
        .data   (records),
        .select (hit & {SYMBOLS{hit_kind == VALUE}}),
        .chosen ({hit_base, hit_limit, hit_offset_w})
    );

    // To a raw value all values are one group.
    wire                hit_raw   = hit_kind == RAW;
    wire [RECORD_W-1:0] hit_record = {hit_base, hit_limit | {VALUE_W{hit_raw}},
                                      hit_offset_w | (VALUE_BITS & {WIDTH_W{hit_raw}})};
    wire [RECORD_W-1:0] next_record;
    wire [VALUE_W-1:0]  take_base;
    wire [VALUE_W-1:0]  take_limit;
    wire [WIDTH_W-1:0]  take_offset_w;

    cell_cut #(.CUT ((STREAMS >= 4) ? 1 : 0), .DATA_W (RECORD_W)) record_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      (hit_record),
        .q      (next_record)
    );

    cell_cut #(.CUT ((STREAMS >= 8) ? 1 : 0), .DATA_W (RECORD_W)) record_cut_2_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      (next_record),
        .q      ({take_base, take_limit, take_offset_w})
    );

    // ---- code bits ---------------------------------------------------------------------------------

    // Of each stream its latest piece, and how many bits at the end of it are still to be used; anything
    // until its first slot.
    wire [PIECE_W-1:0] piece;
    wire [FILL_W-1:0]  fill;
    wire [PIECE_W-1:0] next_piece;
    wire [FILL_W-1:0]  next_fill;

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (PIECE_W + FILL_W)
    ) code_ring_inst (
        .clk    (clk),
        .rst    (1'b0),
        .enable (1'b1),
        .turn   (1'b1),
        .next   ({next_piece, next_fill}),
        .head   ({piece, fill})
    );

    wire               first    = kind == FIRST;
    wire [FILL_W-1:0]  had      = fill & {FILL_W{!first}};
    wire [AHEAD_W-1:0] ahead    = {piece, s_pieces} >> had;

    assign code_bits = ahead[2*PIECE_W-1 -: CODE_W];

    // A value needs a piece if it uses up more bits than there are: no end in so many and one more.
    wire [PIECE_W-1:0]        covered = ~(({PIECE_W{1'b1}} >> 1) >> had);
    wire [CODE_W+PIECE_W-1:0] stops   = {ends, {PIECE_W{1'b1}}};
    wire                      lacks   = (stops[CODE_W +: PIECE_W] & covered) == {PIECE_W{1'b0}};
    wire                      take_code = kind == VALUE && lacks;

    assign next_fill  = had - {{FILL_W-LOW_W{1'b0}}, shift_count[LOW_W-1:0]};
    assign next_piece = (first && FIRST_PIECES == 2'd2) ? s_pieces[0 +: PIECE_W]
                      : (first || take_code) ? s_pieces[PIECE_W +: PIECE_W]
                      : piece;

    // ---- offset bits -------------------------------------------------------------------------------

    reg  [FILL_W-1:0] spare_reg;    // bits of the latest offset piece that are still to be used

    wire              valued      = kind == VALUE || kind == RAW;
    wire [FILL_W:0]   spare       = {1'b0, spare_reg} - {{FILL_W+1-WIDTH_W{1'b0}}, take_offset_w};
    wire              take_offset = valued && spare[FILL_W];

    assign m_take = first ? FIRST_PIECES : {take_code && take_offset, take_code ^ take_offset};
    assign m_end  = valued && last;

    reg [PIECE_W-1:0] offset_piece_reg;
    reg [VALUE_W-2:0] before_reg;       // the end of the offset piece before
    reg [FILL_W-1:0]  place_reg;        // of the offset's last bit, from the piece's end
    reg [VALUE_W-1:0] base_reg;
    reg [VALUE_W-1:0] limit_reg;
    reg [WIDTH_W-1:0] offset_w_reg;
    reg               valued_reg;
    reg               last_reg;

    always @(posedge clk) begin
        if (valued) begin
            spare_reg <= spare[FILL_W-1:0];
        end
        if (take_offset) begin
            offset_piece_reg <= take_code ? s_pieces[0 +: PIECE_W] : s_pieces[PIECE_W +: PIECE_W];
            before_reg       <= offset_piece_reg[VALUE_W-2:0];
        end
        place_reg    <= spare[FILL_W-1:0];
        base_reg     <= take_base;
        limit_reg    <= take_limit;
        offset_w_reg <= take_offset_w;
        valued_reg   <= valued;
        last_reg     <= last;

        if (rst || m_end) begin
            spare_reg <= {FILL_W{1'b0}};
        end
        if (rst) begin
            valued_reg <= 1'b0;
        end
    end

    // ---- value -------------------------------------------------------------------------------------

    localparam WINDOW_W = PIECE_W + VALUE_W - 1;

    wire [WINDOW_W-1:0] window = {before_reg, offset_piece_reg} >> place_reg;
    wire [VALUE_W-1:0]  offset = window[VALUE_W-1:0] & ~({VALUE_W{1'b1}} << offset_w_reg);

    reg               m_valid_reg;
    reg [VALUE_W-1:0] m_value_reg;
    reg               m_illegal_reg;
    reg               m_last_reg;

    always @(posedge clk) begin
        m_valid_reg   <= valued_reg;
        m_value_reg   <= base_reg + offset;
        m_illegal_reg <= offset > limit_reg;
        m_last_reg    <= last_reg;

        if (rst) begin
            m_valid_reg <= 1'b0;
        end
    end

    assign m_valid   = m_valid_reg;
    assign m_value   = m_value_reg;
    assign m_illegal = m_illegal_reg;
    assign m_last    = m_last_reg;

endmodule

`resetall
