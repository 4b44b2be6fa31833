// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The encoder's interval update for STREAMS streams in turn: a loop of STREAMS registers.
 *
 * A slot enters with each cycle of enable: the counts at the ends of its symbol, and s_first if the
 * stream's interval is to start anew. An idle slot has cum_lo 0 and cum_hi 2^COUNT_W, which changes
 * nothing. STREAMS enabled cycles later the next slot of the same stream enters, with the interval that
 * this one left. s_tag goes along and leaves with the slot's results:
 *   m_low          lower bound after narrowing, whose top m_lead_count bits are code bits
 *   m_lead_count   leading bits that both bounds share
 *   m_shift_count  all shifts: m_lead_count and the pending ones after them
 * A slot's range is low..low + width; the loop keeps low and width and never their sum.
 *
 * Logic between the places where registers stand (all in the loop), and which STREAMS cut there:
 *   partial products and half of the carry-save adder | 8 | its other half | 4.. | low half of the
 *   carry-propagate adders | 8 | high half | 2.. | which bits end the shift | 8 | counts | 4.. |
 *   shift | 1.. | nothing | 8
 * A symbol has at least one count, so that a slot makes at most COUNT_W + 2 shifts.
 */
module apack_interval_loop #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS = 4,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of the tag
    parameter TAG_W   = 1,
    // bits of a shift count, 0..COUNT_W + 2; leave at its default
    parameter SHIFT_W = $clog2(COUNT_W + 3)
) (
    input  wire               clk,
    input  wire               enable,

    input  wire               s_first,
    input  wire [COUNT_W:0]   s_cum_lo,
    input  wire [COUNT_W:0]   s_cum_hi,
    input  wire [TAG_W-1:0]   s_tag,

    output wire [CODE_W-1:0]  m_low,
    output wire [SHIFT_W-1:0] m_lead_count,
    output wire [SHIFT_W-1:0] m_shift_count,
    output wire [TAG_W-1:0]   m_tag
);

    localparam ROW_W   = CODE_W + COUNT_W + 1;
    localparam LO_ROWS = COUNT_W + 2;
    localparam HI_ROWS = COUNT_W + 3;
    localparam LOW_W   = ROW_W / 2;
    localparam HIGH_W  = ROW_W - LOW_W;

    // rows after `levels` levels of carry-save adders
    function integer rows_after;
        input integer rows;
        input integer levels;
        integer k;
        begin
            rows_after = rows;
            for (k = 0; k < levels; k = k + 1) begin
                if (rows_after > 2) begin
                    rows_after = rows_after - rows_after / 3;
                end
            end
        end
    endfunction

    localparam LO_HALF = rows_after(LO_ROWS, 2);
    localparam HI_HALF = rows_after(HI_ROWS, 2);

    localparam MOST     = COUNT_W + 2;      // shifts of a slot

    localparam CUT_ALL  = (STREAMS == 8) ? 1 : 0;
    localparam CUT_FOUR = (STREAMS >= 4) ? 1 : 0;
    localparam CUT_SUM  = (STREAMS >= 2) ? 1 : 0;

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_interval_loop_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_interval_loop_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
    endgenerate

    // ---- products: (width + 1) * cum + low * 2^COUNT_W, and as much less one for the upper end -----

    wire [CODE_W-1:0] back_low;
    wire [CODE_W-1:0] back_width;
    wire [CODE_W-1:0] low   = back_low & {CODE_W{!s_first}};
    wire [CODE_W-1:0] width = back_width | {CODE_W{s_first}};

    wire [LO_ROWS*ROW_W-1:0] lo_rows;
    wire [HI_ROWS*ROW_W-1:0] hi_rows;

    genvar i;
    generate
        for (i = 0; i < COUNT_W; i = i + 1) begin : g_lo
            assign lo_rows[i*ROW_W +: ROW_W] = {{COUNT_W+1{1'b0}}, width & {CODE_W{s_cum_lo[i]}}} << i;
        end
        for (i = 0; i <= COUNT_W; i = i + 1) begin : g_hi
            assign hi_rows[i*ROW_W +: ROW_W] = {{COUNT_W+1{1'b0}}, width & {CODE_W{s_cum_hi[i]}}} << i;
        end
    endgenerate

    wire [ROW_W-1:0] low_row = {1'b0, low, {COUNT_W{1'b0}}};

    assign lo_rows[COUNT_W*ROW_W +: ROW_W]     = {{CODE_W{1'b0}}, s_cum_lo};
    assign lo_rows[(COUNT_W+1)*ROW_W +: ROW_W] = low_row;
    // cum_hi less 2^COUNT_W
    assign hi_rows[(COUNT_W+1)*ROW_W +: ROW_W] = {{CODE_W+1{!s_cum_hi[COUNT_W]}}, s_cum_hi[COUNT_W-1:0]};
    assign hi_rows[(COUNT_W+2)*ROW_W +: ROW_W] = low_row;

    wire [LO_HALF*ROW_W-1:0] lo_half;
    wire [HI_HALF*ROW_W-1:0] hi_half;
    wire [LO_HALF*ROW_W-1:0] lo_half_cut;
    wire [HI_HALF*ROW_W-1:0] hi_half_cut;
    wire [TAG_W-1:0]         half_tag;

    cell_carry_save #(.ROWS (LO_ROWS), .LEFT_ROWS (LO_HALF), .DATA_W (ROW_W)) lo_half_inst (
        .rows (lo_rows),
        .left (lo_half)
    );

    cell_carry_save #(.ROWS (HI_ROWS), .LEFT_ROWS (HI_HALF), .DATA_W (ROW_W)) hi_half_inst (
        .rows (hi_rows),
        .left (hi_half)
    );

    cell_cut #(.CUT (CUT_ALL), .DATA_W ((LO_HALF + HI_HALF) * ROW_W + TAG_W)) half_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({lo_half, hi_half, s_tag}),
        .q      ({lo_half_cut, hi_half_cut, half_tag})
    );

    wire [2*ROW_W-1:0] lo_pair;
    wire [2*ROW_W-1:0] hi_pair;
    wire [2*ROW_W-1:0] lo_pair_cut;
    wire [2*ROW_W-1:0] hi_pair_cut;
    wire [TAG_W-1:0]   pair_tag;

    cell_carry_save #(.ROWS (LO_HALF), .LEFT_ROWS (2), .DATA_W (ROW_W)) lo_pair_inst (
        .rows (lo_half_cut),
        .left (lo_pair)
    );

    cell_carry_save #(.ROWS (HI_HALF), .LEFT_ROWS (2), .DATA_W (ROW_W)) hi_pair_inst (
        .rows (hi_half_cut),
        .left (hi_pair)
    );

    cell_cut #(.CUT (CUT_FOUR), .DATA_W (4 * ROW_W + TAG_W)) pair_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({lo_pair, hi_pair, half_tag}),
        .q      ({lo_pair_cut, hi_pair_cut, pair_tag})
    );

    // ---- sums --------------------------------------------------------------------------------------

    // The fraction and the carry out of the top are not needed.
    wire [ROW_W-1:0]  lo_sum;
    wire [ROW_W-1:0]  hi_sum;
    wire [TAG_W-1:0]  sum_tag;

    generate
        if (CUT_ALL != 0) begin : g_two_steps
            wire [LOW_W:0]      lo_low = {1'b0, lo_pair_cut[0 +: LOW_W]} + {1'b0, lo_pair_cut[ROW_W +: LOW_W]};
            wire [LOW_W:0]      hi_low = {1'b0, hi_pair_cut[0 +: LOW_W]} + {1'b0, hi_pair_cut[ROW_W +: LOW_W]};
            wire [LOW_W:0]      lo_low_cut;
            wire [LOW_W:0]      hi_low_cut;
            wire [HIGH_W*4-1:0] high_cut;

            cell_cut #(.CUT (1), .DATA_W (2 * (LOW_W + 1) + 4 * HIGH_W + TAG_W)) low_cut_inst (
                .clk    (clk),
                .enable (enable),
                .d      ({lo_low, hi_low, lo_pair_cut[ROW_W-1 -: HIGH_W], lo_pair_cut[2*ROW_W-1 -: HIGH_W],
                          hi_pair_cut[ROW_W-1 -: HIGH_W], hi_pair_cut[2*ROW_W-1 -: HIGH_W], pair_tag}),
                .q      ({lo_low_cut, hi_low_cut, high_cut, sum_tag})
            );

            assign lo_sum = {high_cut[3*HIGH_W +: HIGH_W] + high_cut[2*HIGH_W +: HIGH_W]
                             + {{HIGH_W-1{1'b0}}, lo_low_cut[LOW_W]}, lo_low_cut[LOW_W-1:0]};
            assign hi_sum = {high_cut[HIGH_W +: HIGH_W] + high_cut[0 +: HIGH_W]
                             + {{HIGH_W-1{1'b0}}, hi_low_cut[LOW_W]}, hi_low_cut[LOW_W-1:0]};
        end else begin : g_one_step
            assign lo_sum  = lo_pair_cut[0 +: ROW_W] + lo_pair_cut[ROW_W +: ROW_W];
            assign hi_sum  = hi_pair_cut[0 +: ROW_W] + hi_pair_cut[ROW_W +: ROW_W];
            assign sum_tag = pair_tag;
        end
    endgenerate

    wire [CODE_W-1:0] new_low;
    wire [CODE_W-1:0] new_high;
    wire [TAG_W-1:0]  new_tag;

    cell_cut #(.CUT (CUT_SUM), .DATA_W (2 * CODE_W + TAG_W)) sum_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({lo_sum[COUNT_W +: CODE_W], hi_sum[COUNT_W +: CODE_W], sum_tag}),
        .q      ({new_low, new_high, new_tag})
    );

    // ---- shift counts ------------------------------------------------------------------------------

    wire [CODE_W-1:0] ends;

    apack_shift_end #(
        .CODE_W (CODE_W)
    ) shift_end_inst (
        .low  (new_low),
        .high (new_high),
        .ends (ends)
    );

    wire [CODE_W-1:0] ends_low;
    wire [CODE_W-1:0] ends_high;
    wire [MOST-1:0]   ends_cut;
    wire [TAG_W-1:0]  ends_tag;

    cell_cut #(.CUT (CUT_ALL), .DATA_W (2 * CODE_W + MOST + TAG_W)) ends_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({new_low, new_high, ends[CODE_W-1 -: MOST], new_tag}),
        .q      ({ends_low, ends_high, ends_cut, ends_tag})
    );

    wire [SHIFT_W-1:0] shift_count;
    wire [SHIFT_W-1:0] lead_count;

    cell_leading_ones #(.IN_W (MOST)) shift_inst (
        .bits  (~ends_cut),
        .count (shift_count)
    );

    cell_leading_ones #(.IN_W (MOST)) lead_inst (
        .bits  (~(ends_low[CODE_W-1 -: MOST] ^ ends_high[CODE_W-1 -: MOST])),
        .count (lead_count)
    );

    wire [CODE_W-1:0]  count_width;

    cell_cut #(.CUT (CUT_FOUR), .DATA_W (2 * CODE_W + 2 * SHIFT_W + TAG_W)) count_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({ends_low, ends_high - ends_low, lead_count, shift_count, ends_tag}),
        .q      ({m_low, count_width, m_lead_count, m_shift_count, m_tag})
    );

    // ---- shift -------------------------------------------------------------------------------------

    // The top bit goes with the shift: it is 0 in low afterwards, and high is low + width.
    wire [CODE_W-1:0] shifted_low   = m_low << m_shift_count;
    wire [CODE_W-1:0] shifted_width = ~(~count_width << m_shift_count);

    wire [CODE_W-1:0] shift_low;
    wire [CODE_W-1:0] shift_width;

    cell_cut #(.CUT (1), .DATA_W (2 * CODE_W)) shift_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({1'b0, shifted_low[CODE_W-2:0], shifted_width}),
        .q      ({shift_low, shift_width})
    );

    cell_cut #(.CUT (CUT_ALL), .DATA_W (2 * CODE_W)) idle_cut_inst (
        .clk    (clk),
        .enable (enable),
        .d      ({shift_low, shift_width}),
        .q      ({back_low, back_width})
    );

endmodule

`resetall
