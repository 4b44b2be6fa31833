// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The next bits of the bit streams of several streams that take turns, fed with words as they are used up.
 *
 * Every cycle is the turn of one stream, round robin. m_bits shows, left-aligned, the next OUT_W bits of the
 * stream whose turn comes SHOW cycles from here; at its turn s_remove of them (0..OUT_W, and no more than it
 * has) are removed. If fewer than LEAST are left then, s_ready asks for a word, which s_valid adds in the
 * same cycle; so a stream that is fed in time has LEAST bits or more at its every turn, and WORD_W when it
 * was empty before. s_clear at its turn empties the stream's window, s_remove and a word for it aside.
 *
 * m_full tells whether a stream has LEAST bits now: the stream whose turn comes AHEAD cycles from here,
 * after this cycle's change if AHEAD is STREAMS.
 * Example (STREAMS 1, OUT_W 4, WORD_W 8, LEAST 4): a window of 10110001 shows 1011; s_remove 3 -> it shows
 * 1000; s_remove 2 then leaves 3 bits, and s_ready asks for a word.
 */
module cell_turn_window #(
    // streams that take turns
    parameter STREAMS     = 4,
    // most bits that leave, at most WORD_W
    parameter OUT_W       = 16,
    // bits of a word
    parameter WORD_W      = 16,
    // bits that a stream should have at its turn, 1..WORD_W
    parameter LEAST       = OUT_W,
    // whose bits m_bits shows, 0..STREAMS - 1 turns from here
    parameter SHOW        = 0,
    // whose bits m_full is about, 0..STREAMS turns from here
    parameter AHEAD       = 0,
    // bits of a count of removed bits, 0..OUT_W; leave at its default
    parameter OUT_COUNT_W = $clog2(OUT_W + 1)
) (
    input  wire                   clk,
    input  wire                   rst,

    output wire [OUT_W-1:0]       m_bits,
    input  wire [OUT_COUNT_W-1:0] s_remove,
    input  wire                   s_clear,

    output wire                   s_ready,
    input  wire                   s_valid,
    input  wire [WORD_W-1:0]      s_data,

    output wire                   m_full
);

    localparam HELD_W  = WORD_W + LEAST - 1;
    localparam FILL_W  = $clog2(HELD_W + 1);
    localparam STATE_W = HELD_W + FILL_W;

    localparam [FILL_W-1:0] WORD   = WORD_W[FILL_W-1:0];
    localparam [FILL_W-1:0] ENOUGH = LEAST[FILL_W-1:0];

    generate
        if (OUT_W > WORD_W) begin : g_check_out_w
            cell_turn_window_needs_OUT_W_of_at_most_WORD_W illegal_parameter ();
        end
        if (LEAST < 1 || LEAST > WORD_W) begin : g_check_least
            cell_turn_window_needs_LEAST_of_1_to_WORD_W illegal_parameter ();
        end
        if (SHOW < 0 || SHOW > STREAMS - 1) begin : g_check_show
            cell_turn_window_needs_SHOW_of_0_to_STREAMS_minus_1 illegal_parameter ();
        end
        if (AHEAD < 0 || AHEAD > STREAMS) begin : g_check_ahead
            cell_turn_window_needs_AHEAD_of_0_to_STREAMS illegal_parameter ();
        end
    endgenerate

    // Of each stream: its bits, left-aligned and zeros behind them, and how many.
    reg  [STREAMS*STATE_W-1:0] ring_reg;

    wire [HELD_W-1:0] held;
    wire [FILL_W-1:0] fill;

    assign {held, fill} = ring_reg[0 +: STATE_W];

    wire [HELD_W-1:0] kept   = held << s_remove;
    wire [FILL_W-1:0] left   = fill - {{FILL_W-OUT_COUNT_W{1'b0}}, s_remove};
    wire              take   = s_ready && s_valid;
    wire [HELD_W-1:0] added  = {s_data & {WORD_W{take}}, {LEAST-1{1'b0}}} >> left;

    wire [HELD_W-1:0] next_held = s_clear ? {HELD_W{1'b0}} : kept | added;
    wire [FILL_W-1:0] next_fill = s_clear ? {FILL_W{1'b0}} : take ? left + WORD : left;

    assign m_bits  = ring_reg[(SHOW+1)*STATE_W-1 -: OUT_W];
    assign s_ready = left < ENOUGH && !s_clear;

    generate
        if (STREAMS == 1) begin : g_one
            always @(posedge clk) begin
                ring_reg <= rst ? {STATE_W{1'b0}} : {next_held, next_fill};
            end
        end else begin : g_many
            always @(posedge clk) begin
                ring_reg <= rst ? {STREAMS*STATE_W{1'b0}}
                          : {next_held, next_fill, ring_reg[STREAMS*STATE_W-1:STATE_W]};
            end
        end

        if (AHEAD == STREAMS) begin : g_next
            assign m_full = next_fill >= ENOUGH;
        end else begin : g_ahead
            wire [FILL_W-1:0] fill_ahead = ring_reg[AHEAD*STATE_W +: FILL_W];

            assign m_full = fill_ahead >= ENOUGH;
        end
    endgenerate

endmodule

`resetall
