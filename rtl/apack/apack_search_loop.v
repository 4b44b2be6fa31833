`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The decoder's symbol search and interval update for STREAMS streams in turn: a loop of STREAMS registers.
 *
 * A slot enters with each cycle of enable; STREAMS enabled cycles later the next slot of the same stream
 * does, with the interval that this one left. s_active 0 is an idle slot, which changes nothing. s_first
 * (with s_active 0) starts a code stream: the slot enters as the interval of the one code 0, which has all
 * its bits decided, so that it leaves as the full interval and uses up the stream's first CODE_W bits.
 *
 * Of each slot leave, each with the slot's tag,
 *   m_hit          one bit a row: the slot's symbol (row 0 if idle)
 *   m_shift_count  how many code bits the slot uses up; in the same cycle, s_code_bits must show the
 *                  stream's next CODE_W code bits
 * For a stream that has not been started, and for slots that are in the loop at a reset, they are undefined.
 *
 * The interval is kept as low, range (its size, and three times that) and position (code less low). The
 * search takes two levels: one multiplier for the first row of each leaf of LEAF rows but the first, then
 * one for each row of the leaf found but its first. The sign of a distance (apack_distance) tells whether
 * the row begins at or below the code; the distances of the symbol and of the row after it give the new
 * bounds: code + distance + 1 is where a slice begins, and its predecessor ends one below.
 *
 * Logic between the places where registers may stand, and the STREAMS that cut there:
 *   distances of leaves | 6.. | signs, leaf | 4.. | distances of rows | 3 7.. | signs, symbol | 2 4.. |
 *   new bounds | 3.. | shift count, new position and range | 5.. | shift | all | nothing | 8
 */
module apack_search_loop #(
    // streams that share the loop, 1..8
    parameter STREAMS = 4,
    // rows of the symbol table
    parameter SYMBOLS = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of the tag
    parameter TAG_W   = 1,
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W = $clog2(CODE_W + 1)
) (
    input  wire                           clk,
    input  wire                           enable,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire                           s_active,
    input  wire                           s_first,
    input  wire [TAG_W-1:0]               s_tag,

    output wire [SYMBOLS-1:0]             m_hit,
    output wire [TAG_W-1:0]               m_hit_tag,

    output wire [SHIFT_W-1:0]             m_shift_count,
    output wire [TAG_W-1:0]               m_shift_tag,
    input  wire [CODE_W-1:0]              s_code_bits
);

    // leaf size: the smallest whose square holds all rows, and at least 2
    function integer root_of;
        input integer rows;
        begin
            root_of = 2;
            while (root_of * root_of < rows) begin
                root_of = root_of + 1;
            end
        end
    endfunction

    localparam LEAF    = root_of(SYMBOLS);
    localparam LEAVES  = (SYMBOLS > LEAF) ? (SYMBOLS + LEAF - 1) / LEAF : 2;
    localparam ROWS    = LEAVES * LEAF;
    localparam ROW_W   = CODE_W + COUNT_W + 2;
    localparam PAIR_W  = 2 * ROW_W;
    localparam RANGE_W = CODE_W + 1;
    localparam TRIPLE_W = CODE_W + 2;

    localparam CUT_TOP   = (STREAMS >= 6) ? 1 : 0;
    localparam CUT_LEAF  = (STREAMS >= 4) ? 1 : 0;
    localparam CUT_ROW   = (STREAMS == 3 || STREAMS >= 7) ? 1 : 0;
    localparam CUT_HIT   = (STREAMS == 2 || STREAMS >= 4) ? 1 : 0;
    localparam CUT_BOUND = (STREAMS >= 3) ? 1 : 0;
    localparam CUT_COUNT = (STREAMS >= 5) ? 1 : 0;
    localparam CUT_IDLE  = (STREAMS >= 8) ? 1 : 0;

    localparam [COUNT_W:0] TOTAL = {1'b1, {COUNT_W{1'b0}}};

    generate
        if (STREAMS < 1 || STREAMS > 8) begin : g_check
            apack_search_loop_needs_STREAMS_of_1_to_8 illegal_parameter ();
        end
    endgenerate

    genvar i;
    genvar j;

    // Where each row begins; a row that is not there begins at the end of the interval.
    wire [ROWS*(COUNT_W+1)-1:0] begins;

    assign begins[COUNT_W:0] = {COUNT_W+1{1'b0}};

    generate
        for (i = 1; i < ROWS; i = i + 1) begin : g_begins
            if (i < SYMBOLS) begin : g_row
                assign begins[i*(COUNT_W+1) +: COUNT_W+1]
                     = row_valid[i] ? row_cum[(i-1)*(COUNT_W+1) +: COUNT_W+1] : TOTAL;
            end else begin : g_none
                assign begins[i*(COUNT_W+1) +: COUNT_W+1] = TOTAL;
            end
        end
    endgenerate

    // ---- first level: which leaf -------------------------------------------------------------------

    wire [CODE_W-1:0]   back_low;
    wire [CODE_W-1:0]   back_position;
    wire [RANGE_W-1:0]  back_range;
    wire [TRIPLE_W-1:0] back_triple;

    wire [CODE_W-1:0]   low      = back_low      & {CODE_W{!s_first}};
    wire [CODE_W-1:0]   position = back_position & {CODE_W{!s_first}};
    wire [RANGE_W-1:0]  range    = s_first ? {{RANGE_W-1{1'b0}}, 1'b1}  : back_range;
    wire [TRIPLE_W-1:0] triple   = s_first ? {{TRIPLE_W-2{1'b0}}, 2'd3} : back_triple;

    localparam STATE_W = 2 * CODE_W + RANGE_W + TRIPLE_W + 1 + TAG_W;
    localparam TOPS_W  = (LEAVES - 1) * PAIR_W;

    wire [TOPS_W-1:0]  tops;        // distances of all leaves but leaf 0
    wire [TOPS_W-1:0]  tops_cut;
    wire [STATE_W-1:0] top_state;

    generate
        for (i = 1; i < LEAVES; i = i + 1) begin : g_top
            apack_distance #(
                .COUNT_W (COUNT_W),
                .CODE_W  (CODE_W)
            ) distance_inst (
                .range    (range),
                .range_3  (triple),
                .cum      (begins[i*LEAF*(COUNT_W+1) +: COUNT_W+1]),
                .position (position),
                .pair     (tops[(i-1)*PAIR_W +: PAIR_W])
            );
        end
    endgenerate

    apack_cut #(.CUT (CUT_TOP), .DATA_W (TOPS_W + STATE_W)) top_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({tops, low + position, position, range, triple, s_active, s_tag}),
        .q      ({tops_cut, top_state})
    );

    wire [TAG_W-1:0]    top_tag;
    wire                top_active;
    wire [TRIPLE_W-1:0] top_triple;
    wire [RANGE_W-1:0]  top_range;
    wire [CODE_W-1:0]   top_position;
    wire [CODE_W-1:0]   top_code;

    assign {top_code, top_position, top_range, top_triple, top_active, top_tag} = top_state;

    // Leaf 0 begins and the last leaf ends with the interval.
    wire [ROW_W-1:0]             back_row   = {2'b11, ~top_position, {COUNT_W{1'b0}}};
    wire [(LEAVES+1)*PAIR_W-1:0] leaf_pairs = {1'b0, top_range, {COUNT_W{1'b0}}, back_row,
                                               tops_cut, {ROW_W{1'b0}}, back_row};
    wire [LEAVES:0]              leaf_begun;

    assign leaf_begun[0]      = 1'b1;
    assign leaf_begun[LEAVES] = 1'b0;

    generate
        for (i = 1; i < LEAVES; i = i + 1) begin : g_leaf_sign
            wire sign;

            apack_sum_sign #(.ROW_W (ROW_W)) sign_inst (
                .pair (tops_cut[(i-1)*PAIR_W +: PAIR_W]),
                .sign (sign)
            );

            assign leaf_begun[i] = sign && top_active;
        end
    endgenerate

    // An idle slot takes leaf 0 up to the end of the interval.
    wire [LEAVES-1:0] leaf     = leaf_begun[LEAVES-1:0] & ~leaf_begun[LEAVES:1];
    wire [LEAVES-1:0] leaf_end = top_active ? leaf : {1'b1, {LEAVES-1{1'b0}}};

    localparam LEAF_CUM_W = LEAF * (COUNT_W + 1);
    localparam CUMS_W     = LEAF_CUM_W - (COUNT_W + 1);

    wire [LEAF_CUM_W-1:0] leaf_cum;
    wire [PAIR_W-1:0]     lo_pair;
    wire [PAIR_W-1:0]     hi_pair;

    apack_row_select #(.ROWS (LEAVES), .ROW_W (LEAF_CUM_W)) cum_select_inst (
        .rows (begins),
        .hit  (leaf),
        .row  (leaf_cum)
    );

    apack_row_select #(.ROWS (LEAVES), .ROW_W (PAIR_W)) lo_select_inst (
        .rows (leaf_pairs[0 +: LEAVES*PAIR_W]),
        .hit  (leaf),
        .row  (lo_pair)
    );

    apack_row_select #(.ROWS (LEAVES), .ROW_W (PAIR_W)) hi_select_inst (
        .rows (leaf_pairs[PAIR_W +: LEAVES*PAIR_W]),
        .hit  (leaf_end),
        .row  (hi_pair)
    );

    // ---- second level: which row of the leaf -------------------------------------------------------

    wire [CUMS_W-1:0]   cums;
    wire [PAIR_W-1:0]   leaf_lo;
    wire [PAIR_W-1:0]   leaf_hi;
    wire [LEAVES-1:0]   leaf_cut;
    wire [CODE_W-1:0]   leaf_code;
    wire [CODE_W-1:0]   leaf_position;
    wire [RANGE_W-1:0]  leaf_range;
    wire [TRIPLE_W-1:0] leaf_triple;
    wire                leaf_active;
    wire [TAG_W-1:0]    leaf_tag;

    apack_cut #(.CUT (CUT_LEAF), .DATA_W (CUMS_W + 2 * PAIR_W + LEAVES + STATE_W)) leaf_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({leaf_cum[LEAF_CUM_W-1 -: CUMS_W], lo_pair, hi_pair, leaf, top_code, top_position,
                  top_range, top_triple, top_active, top_tag}),
        .q      ({cums, leaf_lo, leaf_hi, leaf_cut, leaf_code, leaf_position, leaf_range, leaf_triple,
                  leaf_active, leaf_tag})
    );

    localparam REST_W = LEAVES + CODE_W + 1 + TAG_W;
    localparam ENDS_W = (LEAF + 1) * PAIR_W;

    // Of the leaf: lower end, beginnings of the rows but the first, upper end.
    wire [ENDS_W-1:0] ends;
    wire [ENDS_W-1:0] ends_cut;
    wire [LEAVES-1:0] row_leaf;
    wire [CODE_W-1:0] row_code;
    wire              row_active;
    wire [TAG_W-1:0]  row_tag;

    assign ends[0 +: PAIR_W]           = leaf_lo;
    assign ends[LEAF*PAIR_W +: PAIR_W] = leaf_hi;

    generate
        for (j = 1; j < LEAF; j = j + 1) begin : g_row
            apack_distance #(
                .COUNT_W (COUNT_W),
                .CODE_W  (CODE_W)
            ) distance_inst (
                .range    (leaf_range),
                .range_3  (leaf_triple),
                .cum      (cums[(j-1)*(COUNT_W+1) +: COUNT_W+1]),
                .position (leaf_position),
                .pair     (ends[j*PAIR_W +: PAIR_W])
            );
        end
    endgenerate

    apack_cut #(.CUT (CUT_ROW), .DATA_W (ENDS_W + REST_W)) row_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({ends, leaf_cut, leaf_code, leaf_active, leaf_tag}),
        .q      ({ends_cut, row_leaf, row_code, row_active, row_tag})
    );

    wire [LEAF:0] begun;

    assign begun[0]    = 1'b1;
    assign begun[LEAF] = 1'b0;

    generate
        for (j = 1; j < LEAF; j = j + 1) begin : g_row_sign
            wire sign;

            apack_sum_sign #(.ROW_W (ROW_W)) sign_inst (
                .pair (ends_cut[j*PAIR_W +: PAIR_W]),
                .sign (sign)
            );

            assign begun[j] = sign && row_active;
        end
    endgenerate

    // An idle slot takes row 0 up to the end of the leaf, which is that of the interval.
    wire [LEAF-1:0] hit     = begun[LEAF-1:0] & ~begun[LEAF:1];
    wire [LEAF-1:0] hit_end = row_active ? hit : {1'b1, {LEAF-1{1'b0}}};
    wire [ROWS-1:0] all_hit;

    generate
        for (i = 0; i < LEAVES; i = i + 1) begin : g_hit
            assign all_hit[i*LEAF +: LEAF] = hit & {LEAF{row_leaf[i]}};
        end
    endgenerate

    wire [PAIR_W-1:0] begin_pair;
    wire [PAIR_W-1:0] after_pair;

    apack_row_select #(.ROWS (LEAF), .ROW_W (PAIR_W)) begin_select_inst (
        .rows (ends_cut[0 +: LEAF*PAIR_W]),
        .hit  (hit),
        .row  (begin_pair)
    );

    apack_row_select #(.ROWS (LEAF), .ROW_W (PAIR_W)) after_select_inst (
        .rows (ends_cut[PAIR_W +: LEAF*PAIR_W]),
        .hit  (hit_end),
        .row  (after_pair)
    );

    // ---- new bounds --------------------------------------------------------------------------------

    wire [PAIR_W-1:0] hit_begin;
    wire [PAIR_W-1:0] hit_after;
    wire [CODE_W-1:0] hit_code;

    apack_cut #(.CUT (CUT_HIT), .DATA_W (2 * PAIR_W + SYMBOLS + CODE_W + TAG_W)) hit_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({begin_pair, after_pair, all_hit[SYMBOLS-1:0], row_code, row_tag}),
        .q      ({hit_begin, hit_after, m_hit, hit_code, m_hit_tag})
    );

    wire [PAIR_W-1:0] low_pair;
    wire [PAIR_W-1:0] high_pair;

    // low = code + distance + 1, as (code * 2^COUNT_W + 2^COUNT_W - 1) + distance + 1
    apack_carry_save #(.ROWS (3), .LEFT_ROWS (2), .ROW_W (ROW_W)) low_pair_inst (
        .rows ({2'b00, hit_code, {COUNT_W{1'b1}}, hit_begin}),
        .left (low_pair)
    );

    // high = code + distance
    apack_carry_save #(.ROWS (3), .LEFT_ROWS (2), .ROW_W (ROW_W)) high_pair_inst (
        .rows ({2'b00, hit_code, {COUNT_W{1'b0}}, hit_after}),
        .left (high_pair)
    );

    // The carry row of an adder has no lowest bit: room for the one.
    wire [ROW_W-1:0] low_sum  = low_pair[0 +: ROW_W] + {low_pair[ROW_W+1 +: ROW_W-1], 1'b1};
    wire [ROW_W-1:0] high_sum = high_pair[0 +: ROW_W] + high_pair[ROW_W +: ROW_W];

    wire [CODE_W-1:0] new_low;
    wire [CODE_W-1:0] new_high;
    wire [CODE_W-1:0] new_code;
    wire [TAG_W-1:0]  new_tag;

    apack_cut #(.CUT (CUT_BOUND), .DATA_W (3 * CODE_W + TAG_W)) bound_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({low_sum[COUNT_W +: CODE_W], high_sum[COUNT_W +: CODE_W], hit_code, m_hit_tag}),
        .q      ({new_low, new_high, new_code, new_tag})
    );

    // ---- shift -------------------------------------------------------------------------------------

    wire [SHIFT_W-1:0]  shift_count;
    wire [CODE_W-1:0]   count_low;
    wire [CODE_W-1:0]   count_position;
    wire [RANGE_W-1:0]  count_range;
    wire [TRIPLE_W-1:0] count_triple;

    apack_shift_count #(
        .CODE_W (CODE_W)
    ) shift_count_inst (
        .low   (new_low),
        .high  (new_high),
        .count (shift_count)
    );

    wire [RANGE_W-1:0]  new_range  = {1'b0, new_high - new_low} + {{RANGE_W-1{1'b0}}, 1'b1};
    wire [TRIPLE_W-1:0] new_triple = {1'b0, new_range} + {new_range, 1'b0};

    apack_cut #(.CUT (CUT_COUNT), .DATA_W (2*CODE_W + RANGE_W + TRIPLE_W + SHIFT_W + TAG_W)) count_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({new_low, new_code - new_low, new_range, new_triple, shift_count, new_tag}),
        .q      ({count_low, count_position, count_range, count_triple, m_shift_count, m_shift_tag})
    );

    // low's top bit goes with the shift: it is 0 afterwards. Position takes in new code bits.
    wire [CODE_W-1:0]   shifted_low      = count_low << m_shift_count;
    wire [2*CODE_W-1:0] shifted_position = {count_position, s_code_bits} << m_shift_count;

    localparam LOOP_W = 2 * CODE_W + RANGE_W + TRIPLE_W;

    wire [LOOP_W-1:0] shift_state;

    apack_cut #(.CUT (1), .DATA_W (LOOP_W)) shift_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({1'b0, shifted_low[CODE_W-2:0], shifted_position[2*CODE_W-1:CODE_W],
                  count_range << m_shift_count, count_triple << m_shift_count}),
        .q      (shift_state)
    );

    apack_cut #(.CUT (CUT_IDLE), .DATA_W (LOOP_W)) idle_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      (shift_state),
        .q      ({back_low, back_position, back_range, back_triple})
    );

endmodule

`resetall
