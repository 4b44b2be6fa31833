// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Packs the bits of several streams that take turns into words, first bit most significant.
 *
 * In each cycle of enable the stream at turn appends s_count bits (0..WORD_W, left-aligned in s_bits, the
 * rest ignored); s_turn passes the turn on, in the same cycle. m_valid says that they complete the word on
 * m_data, in the same cycle; what is above a word waits. s_clear drops what would wait afterwards.
 * Example (WORD_W 8): 101, 11111000 -> nothing, 0xBF; then 0000 with s_clear -> nothing, ever.
 */
module cell_turn_packer #(
    // streams that take turns
    parameter STREAMS = 4,
    // bits of a word, a power of two, at least 2
    parameter WORD_W  = 16,
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W  = $clog2(WORD_W + 1)
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              enable,

    input  wire [WORD_W-1:0] s_bits,
    input  wire [FILL_W-1:0] s_count,
    input  wire              s_turn,
    input  wire              s_clear,

    output wire              m_valid,
    output wire [WORD_W-1:0] m_data
);

    localparam REST_W = $clog2(WORD_W);

    localparam [WORD_W-1:0] ALL_ONES = {WORD_W{1'b1}};

    generate
        if (WORD_W < 2 || (WORD_W & (WORD_W - 1)) != 0) begin : g_check
            cell_turn_packer_needs_WORD_W_a_power_of_two_of_at_least_2 illegal_parameter ();
        end
    endgenerate

    // Of each stream: the bits that wait, left-aligned, zeros below and fewer than a word, and how many.
    wire [WORD_W-2:0] held;
    wire [REST_W-1:0] fill;

    wire [WORD_W-1:0]   chunk  = s_bits & ~(ALL_ONES >> s_count);
    wire [2*WORD_W-2:0] joined = {held, {WORD_W{1'b0}}} | ({chunk, {WORD_W-1{1'b0}}} >> fill);
    wire [FILL_W-1:0]   total  = {1'b0, fill} + s_count;
    wire                full   = total[REST_W];
    wire [WORD_W-2:0]   left   = full ? joined[WORD_W-2:0] : joined[2*WORD_W-2:WORD_W];

    assign m_valid = enable && full;
    assign m_data  = joined[2*WORD_W-2 -: WORD_W];

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (WORD_W - 1 + REST_W)
    ) ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (enable),
        .turn   (s_turn),
        .next   ({left, total[REST_W-1:0]} & {WORD_W-1+REST_W{!s_clear}}),
        .head   ({held, fill})
    );

endmodule

`resetall
