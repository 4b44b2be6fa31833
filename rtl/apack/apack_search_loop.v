// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The decoder's symbol search and interval update for STREAMS streams in turn: a loop of STREAMS registers.
 *
 * A slot enters with each cycle; STREAMS cycles later the next slot of the same stream does, with the
 * interval that this one left. s_active 0 is an idle slot, which changes nothing. s_first (with s_active 0)
 * starts a code stream: the slot enters as the interval of the one code 0, which has all its bits decided,
 * so that it leaves as the full interval and uses up the stream's first CODE_W bits.
 *
 * Of each slot leave
 *   m_hit    one bit a row: the slot's symbol (row 0 if idle); 0, 1, 2, 4 cycles after the slot entered with
 *            1, 2, 4, 8 streams
 *   m_ends   how many code bits the slot uses up, as zeros above the first one (apack_shift_end), and
 *   m_count  the same as a number; in that cycle s_code_bits must show the stream's next CODE_W code bits,
 *            or, of a slot that is not the first, as many as it uses up. 0, 1, 3, 6 cycles after it entered.
 * For a stream that has not been started, and for slots that are in the loop at a reset, they are undefined.
 * The row buses are apack_table's; they must hold still from the cycle before an active slot enters.
 *
 * The interval is kept as low, range (its size, and three times that) and position (code less low). The
 * search takes two levels: one multiplier for the first row of each leaf of LEAF rows but the first, then
 * one for each row of the leaf found but its first. Each gives the distance from the code to where a row
 * begins, less one (apack_distance), which is negative if the row begins at or below the code. Of the symbol
 * found, the complement of that is the new position, and the distance of the row after it, or that of the
 * interval's end, lies as far from the code as the new upper bound.
 *
 * Logic between the places where registers may stand, and the STREAMS that cut there:
 *   products of leaves | 8 | distances, leaf | 4 8 | products of rows | 8 | distances | 2 4 8 | symbol,
 *   new bounds, which bits end the shift | 4 8 | shift count | 8 | shift | all | nothing | 8
 */
module apack_search_loop #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS = 4,
    // rows of the symbol table, at least 1
    parameter SYMBOLS = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W = $clog2(CODE_W + 1)
) (
    input  wire                           clk,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire                           s_active,
    input  wire                           s_first,

    output wire [SYMBOLS-1:0]             m_hit,

    output wire [CODE_W-1:0]              m_ends,
    output wire [SHIFT_W-1:0]             m_count,
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

    localparam LEAF     = root_of(SYMBOLS);
    localparam LEAVES   = (SYMBOLS > LEAF) ? (SYMBOLS + LEAF - 1) / LEAF : 2;
    localparam ROWS     = LEAVES * LEAF;
    localparam ROW_W    = CODE_W + COUNT_W + 1;
    localparam PAIR_W   = 2 * ROW_W;
    localparam RANGE_W  = CODE_W + 1;
    localparam TRIPLE_W = CODE_W + 2;

    localparam CUT_2 = (STREAMS >= 2) ? 1 : 0;
    localparam CUT_4 = (STREAMS >= 4) ? 1 : 0;
    localparam CUT_8 = (STREAMS >= 8) ? 1 : 0;

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_search_loop_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_search_loop_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_search_loop_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
    endgenerate

    genvar i;
    genvar j;

    // Where each row but the first begins, if it is there: below 2^COUNT_W then.
    wire [(ROWS-1)*COUNT_W-1:0] begins;
    wire [ROWS-1:1]             valid;

    generate
        for (i = 1; i < ROWS; i = i + 1) begin : g_begins
            if (i < SYMBOLS) begin : g_row
                assign begins[(i-1)*COUNT_W +: COUNT_W] = row_cum[(i-1)*(COUNT_W+1) +: COUNT_W];
                assign valid[i]                     = row_valid[i];
            end else begin : g_none
                assign begins[(i-1)*COUNT_W +: COUNT_W] = {COUNT_W{1'b0}};
                assign valid[i]                     = 1'b0;
            end
        end
    endgenerate

    // ---- first level: which leaf -------------------------------------------------------------------

    // Where each leaf but the first begins, in registers: the rows of a bank may come late in a cycle.
    localparam HEADS_W = (LEAVES - 1) * COUNT_W;

    reg [HEADS_W-1:0]  heads_reg;
    reg [LEAVES-1:1]   heads_valid_reg;

    always @(posedge clk) begin : b_heads
        integer k;

        for (k = 1; k < LEAVES; k = k + 1) begin
            heads_reg[(k-1)*COUNT_W +: COUNT_W] <= begins[(k*LEAF-1)*COUNT_W +: COUNT_W];
            heads_valid_reg[k]                  <= valid[k*LEAF];
        end
    end

    wire [CODE_W-1:0]   low;
    wire [CODE_W-1:0]   position;
    wire [RANGE_W-1:0]  range;
    wire [TRIPLE_W-1:0] triple;

    localparam STATE_W = 2 * CODE_W + RANGE_W + TRIPLE_W + 2;
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
                .cum      (heads_reg[(i-1)*COUNT_W +: COUNT_W]),
                .position (position),
                .pair     (tops[(i-1)*PAIR_W +: PAIR_W])
            );
        end
    endgenerate

    cell_cut #(.CUT (CUT_8), .DATA_W (TOPS_W + STATE_W)) top_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({tops, low + position, position, range, triple, s_active, s_first}),
        .q      ({tops_cut, top_state})
    );

    wire                top_first;
    wire                top_active;
    wire [TRIPLE_W-1:0] top_triple;
    wire [RANGE_W-1:0]  top_range;
    wire [CODE_W-1:0]   top_position;
    wire [CODE_W-1:0]   top_code;

    assign {top_code, top_position, top_range, top_triple, top_active, top_first} = top_state;

    localparam TOP_SUMS_W = (LEAVES - 1) * CODE_W;

    wire [TOP_SUMS_W-1:0] top_distances;
    wire [LEAVES:0]       top_begun;
    wire [LEAVES-1:1]     top_ahead;

    assign top_begun[0]      = 1'b1;
    assign top_begun[LEAVES] = 1'b0;

    generate
        for (i = 1; i < LEAVES; i = i + 1) begin : g_leaf
            wire [ROW_W-1:0] sum = tops_cut[(i-1)*PAIR_W +: ROW_W] + tops_cut[(i-1)*PAIR_W+ROW_W +: ROW_W];

            assign top_distances[(i-1)*CODE_W +: CODE_W] = sum[COUNT_W +: CODE_W];
            assign top_begun[i]                          = heads_valid_reg[i] && sum[ROW_W-1];
            assign top_ahead[i]                          = heads_valid_reg[i] && !sum[ROW_W-1];
        end
    endgenerate

    wire [LEAVES-1:0] top_leaf = top_begun[LEAVES-1:0] & ~top_begun[LEAVES:1];

    localparam CUMS_W = (LEAF - 1) * COUNT_W;
    localparam LEAF_W = CUMS_W + LEAF - 1;

    wire [LEAVES*LEAF_W-1:0] leaf_rows;
    wire [CUMS_W-1:0]        top_cums;
    wire [LEAF-1:1]          top_valids;

    generate
        for (i = 0; i < LEAVES; i = i + 1) begin : g_leaf_rows
            assign leaf_rows[i*LEAF_W +: LEAF_W]
                 = {valid[i*LEAF+1 +: LEAF-1], begins[i*LEAF*COUNT_W +: CUMS_W]};
        end
    endgenerate

    cell_onehot_mux #(.INPUTS (LEAVES), .DATA_W (LEAF_W)) rows_select_inst (
        .data   (leaf_rows),
        .select (top_leaf),
        .chosen ({top_valids, top_cums})
    );

    // ---- second level: which row of the leaf -------------------------------------------------------

    wire [TOP_SUMS_W-1:0] leaf_distances;
    wire [LEAVES:0]       leaf_begun;
    wire [LEAVES:1]       leaf_ahead;
    wire [CUMS_W-1:0]     cums;
    wire [LEAF-1:1]       valids;
    wire [CODE_W-1:0]     leaf_code;
    wire [CODE_W-1:0]     leaf_position;
    wire [RANGE_W-1:0]    leaf_range;
    wire [TRIPLE_W-1:0]   leaf_triple;
    wire                  leaf_first;

    // An idle slot takes leaf 0 up to the end of the interval, and of it row 0.
    wire                  leaf_active;
    wire [LEAVES-1:1]     begun_cut;
    wire [LEAVES-1:1]     ahead_cut;
    wire [LEAF-1:1]       valids_cut;

    assign leaf_begun[LEAVES-1:1] = begun_cut & {LEAVES-1{leaf_active}};
    assign leaf_ahead[LEAVES-1:1] = ahead_cut & {LEAVES-1{leaf_active}};
    assign valids                 = valids_cut & {LEAF-1{leaf_active}};

    assign leaf_begun[0]      = 1'b1;
    assign leaf_begun[LEAVES] = 1'b0;
    assign leaf_ahead[LEAVES] = 1'b0;

    cell_cut #(.CUT (CUT_4), .DATA_W (LEAF_W + TOP_SUMS_W + 2*(LEAVES-1) + STATE_W)) leaf_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({top_valids, top_cums, top_distances, top_begun[LEAVES-1:1], top_ahead,
                  top_code, top_position, top_range, top_triple, top_active, top_first}),
        .q      ({valids_cut, cums, leaf_distances, begun_cut, ahead_cut,
                  leaf_code, leaf_position, leaf_range, leaf_triple, leaf_active, leaf_first})
    );

    // The new position if the symbol is the first of the leaf, and the distance of the leaf's end, which
    // is that of the next leaf's beginning or of the interval's end.
    wire [LEAVES-1:0] leaf = leaf_begun[LEAVES-1:0] & ~leaf_begun[LEAVES:1];
    wire [LEAVES:1]   leaf_after;
    wire [CODE_W-1:0] end_distance = leaf_range[CODE_W-1:0] + ~leaf_position;
    wire [CODE_W-1:0] leaf_lo;
    wire [CODE_W-1:0] leaf_hi;

    assign leaf_after[LEAVES-1:1] = leaf_begun[LEAVES-2:0] & leaf_ahead[LEAVES-1:1];
    assign leaf_after[LEAVES]     = leaf_ahead == {LEAVES{1'b0}};

    cell_onehot_mux #(.INPUTS (LEAVES), .DATA_W (CODE_W)) lo_select_inst (
        .data   ({~leaf_distances, leaf_position}),
        .select (leaf),
        .chosen (leaf_lo)
    );

    cell_onehot_mux #(.INPUTS (LEAVES), .DATA_W (CODE_W)) hi_select_inst (
        .data   ({end_distance, leaf_distances}),
        .select (leaf_after),
        .chosen (leaf_hi)
    );

    localparam PAIRS_W = (LEAF - 1) * PAIR_W;
    localparam REST_W  = LEAF - 1 + 2 * CODE_W + LEAVES + CODE_W + 1;

    wire [PAIRS_W-1:0] pairs;       // distances of all rows of the leaf but the first
    wire [PAIRS_W-1:0] pairs_cut;
    wire [LEAF-1:1]    row_valids;
    wire [CODE_W-1:0]  row_lo;
    wire [CODE_W-1:0]  row_hi;
    wire [LEAVES-1:0]  row_leaf;
    wire [CODE_W-1:0]  row_code;
    wire               row_first;

    generate
        for (j = 1; j < LEAF; j = j + 1) begin : g_row
            apack_distance #(
                .COUNT_W (COUNT_W),
                .CODE_W  (CODE_W)
            ) distance_inst (
                .range    (leaf_range),
                .range_3  (leaf_triple),
                .cum      (cums[(j-1)*COUNT_W +: COUNT_W]),
                .position (leaf_position),
                .pair     (pairs[(j-1)*PAIR_W +: PAIR_W])
            );
        end
    endgenerate

    cell_cut #(.CUT (CUT_8), .DATA_W (PAIRS_W + REST_W)) row_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({pairs, valids, leaf_lo, leaf_hi, leaf, leaf_code, leaf_first}),
        .q      ({pairs_cut, row_valids, row_lo, row_hi, row_leaf, row_code, row_first})
    );

    localparam SUMS_W = (LEAF - 1) * CODE_W;

    wire [SUMS_W-1:0] distances;    // of all rows of the leaf but the first
    wire [LEAF-1:1]   begun;
    wire [LEAF-1:1]   ahead;

    generate
        for (j = 1; j < LEAF; j = j + 1) begin : g_begun
            wire [ROW_W-1:0] sum = pairs_cut[(j-1)*PAIR_W +: ROW_W] + pairs_cut[(j-1)*PAIR_W+ROW_W +: ROW_W];

            assign distances[(j-1)*CODE_W +: CODE_W] = sum[COUNT_W +: CODE_W];
            assign begun[j]                          = row_valids[j] && sum[ROW_W-1];
            assign ahead[j]                          = row_valids[j] && !sum[ROW_W-1];
        end
    endgenerate

    wire [SUMS_W-1:0] hit_distances;
    wire [LEAF:0]     hit_begun;
    wire [LEAF:1]     hit_ahead;
    wire [CODE_W-1:0] hit_lo;
    wire [CODE_W-1:0] hit_hi;
    wire [LEAVES-1:0] hit_leaf;
    wire [CODE_W-1:0] hit_code;
    wire              hit_first;

    assign hit_begun[0]    = 1'b1;
    assign hit_begun[LEAF] = 1'b0;
    assign hit_ahead[LEAF] = 1'b0;

    cell_cut #(.CUT (CUT_2), .DATA_W (SUMS_W + 2*(LEAF-1) + 3*CODE_W + LEAVES + 1)) hit_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({distances, begun, ahead, row_lo, row_hi, row_leaf, row_code, row_first}),
        .q      ({hit_distances, hit_begun[LEAF-1:1], hit_ahead[LEAF-1:1], hit_lo, hit_hi, hit_leaf,
                  hit_code, hit_first})
    );

    // ---- new bounds --------------------------------------------------------------------------------

    // An idle slot takes row 0 up to the end of the leaf, which is that of the interval. The first slot of
    // a code stream takes nothing: code, position and distance 0, the interval of one code.
    wire [LEAF-1:0]   hit = hit_begun[LEAF-1:0] & ~hit_begun[LEAF:1];
    wire [LEAF:1]     after;
    wire [CODE_W-1:0] old_code = hit_code & {CODE_W{!hit_first}};
    wire [CODE_W-1:0] hit_position;
    wire [CODE_W-1:0] hit_distance;
    wire [ROWS-1:0]   all_hit;

    assign after[LEAF-1:1] = hit_begun[LEAF-2:0] & hit_ahead[LEAF-1:1];
    assign after[LEAF]     = hit_ahead == {LEAF{1'b0}} && !hit_first;

    cell_onehot_mux #(.INPUTS (LEAF), .DATA_W (CODE_W)) begin_select_inst (
        .data   ({~hit_distances, hit_lo}),
        .select ({hit[LEAF-1:1], hit[0] && !hit_first}),
        .chosen (hit_position)
    );

    cell_onehot_mux #(.INPUTS (LEAF), .DATA_W (CODE_W)) after_select_inst (
        .data   ({hit_hi, hit_distances}),
        .select (after),
        .chosen (hit_distance)
    );

    generate
        for (i = 0; i < LEAVES; i = i + 1) begin : g_hit
            assign all_hit[i*LEAF +: LEAF] = hit & {LEAF{hit_leaf[i]}};
        end
    endgenerate

    assign m_hit = all_hit[SYMBOLS-1:0];

    wire [CODE_W-1:0]  bound_low   = old_code - hit_position;
    wire [CODE_W-1:0]  bound_high  = old_code + hit_distance;
    wire [RANGE_W-1:0] bound_range = {1'b0, hit_position} + {1'b0, hit_distance} + {{RANGE_W-1{1'b0}}, 1'b1};
    wire [CODE_W-1:0]  bound_ends;

    apack_shift_end #(
        .CODE_W (CODE_W)
    ) shift_end_inst (
        .low  (bound_low),
        .high (bound_high),
        .ends (bound_ends)
    );

    wire [CODE_W-1:0]  new_low;
    wire [CODE_W-1:0]  new_position;
    wire [RANGE_W-1:0] new_range;
    wire [CODE_W-1:0]  new_ends;

    cell_cut #(.CUT (CUT_4), .DATA_W (3 * CODE_W + RANGE_W)) bound_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({bound_low, hit_position, bound_range, bound_ends}),
        .q      ({new_low, new_position, new_range, new_ends})
    );

    // ---- shift -------------------------------------------------------------------------------------

    wire [SHIFT_W-1:0]  shift_count;
    wire [CODE_W-1:0]   count_low;
    wire [CODE_W-1:0]   count_position;
    wire [RANGE_W-1:0]  count_range;
    wire [TRIPLE_W-1:0] count_triple;

    cell_leading_ones #(
        .IN_W (CODE_W)
    ) shift_count_inst (
        .bits  (~new_ends),
        .count (shift_count)
    );

    wire [TRIPLE_W-1:0] new_triple = {1'b0, new_range} + {new_range, 1'b0};

    cell_cut #(.CUT (CUT_8), .DATA_W (3*CODE_W + RANGE_W + TRIPLE_W + SHIFT_W)) count_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({new_low, new_position, new_range, new_triple, shift_count, new_ends}),
        .q      ({count_low, count_position, count_range, count_triple, m_count, m_ends})
    );

    // low's top bit goes with the shift: it is 0 afterwards. Position takes in new code bits.
    wire [CODE_W-1:0]   shifted_low      = count_low << m_count;
    wire [2*CODE_W-1:0] shifted_position = {count_position, s_code_bits} << m_count;

    localparam LOOP_W = 2 * CODE_W + RANGE_W + TRIPLE_W;

    wire [LOOP_W-1:0] shift_state;

    cell_cut #(.CUT (1), .DATA_W (LOOP_W)) shift_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      ({1'b0, shifted_low[CODE_W-2:0], shifted_position[2*CODE_W-1:CODE_W],
                  count_range << m_count, count_triple << m_count}),
        .q      (shift_state)
    );

    cell_cut #(.CUT (CUT_8), .DATA_W (LOOP_W)) idle_cut_inst (
        .clk    (clk),
        .enable (1'b1),
        .d      (shift_state),
        .q      ({low, position, range, triple})
    );

endmodule

`resetall
