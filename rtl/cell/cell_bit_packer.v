// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Packs pieces of a bit stream into words, first bit in the most significant place.
 *
 * A transfer on s_* appends s_count bits (0..IN_W), left-aligned in s_bits; what stands behind them is
 * ignored. s_last ends the stream, after these bits. A stream of n bits leaves as ceil(n / WORD_W) words,
 * the last of them with tlast and padded with zeros; an empty stream leaves as one word with tuser 0.
 * tuser is the number of valid bits of a word: WORD_W in all but the last.
 * One piece a cycle, and one cycle more where the last piece needs two words.
 * Example (WORD_W 8): pieces 101, 11111, 0 (last) -> 0xBF tuser 8, then 0x00 tuser 1 tlast.
 */
module cell_bit_packer #(
    // most bits that enter, at most WORD_W
    parameter IN_W       = 8,
    // bits of a word
    parameter WORD_W     = 32,
    // bits of a piece's bit count, 0..IN_W; leave at its default
    parameter IN_COUNT_W = $clog2(IN_W + 1),
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W     = $clog2(WORD_W + 1)
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire [IN_W-1:0]       s_bits,
    input  wire [IN_COUNT_W-1:0] s_count,
    input  wire                  s_last,
    input  wire                  s_valid,
    output wire                  s_ready,

    output wire [WORD_W-1:0]     m_axis_tdata,
    output wire [FILL_W-1:0]     m_axis_tuser,
    output wire                  m_axis_tvalid,
    input  wire                  m_axis_tready,
    output wire                  m_axis_tlast
);

    localparam [FILL_W:0]   WORD     = WORD_W[FILL_W:0];
    localparam [IN_W-1:0]   ALL_ONES = {IN_W{1'b1}};

    generate
        if (IN_W > WORD_W) begin : g_check
            cell_bit_packer_needs_IN_W_of_at_most_WORD_W illegal_parameter ();
        end
    endgenerate

    // Bits that wait, left-aligned. A full word waits too, until it is known whether it is the last.
    reg [WORD_W-1:0] held_reg;
    reg [FILL_W-1:0] fill_reg;
    reg              tail_reg;      // the stream has ended and what is held is its last word

    reg [WORD_W-1:0] m_data_reg;
    reg [FILL_W-1:0] m_user_reg;
    reg              m_last_reg;
    reg              m_valid_reg;

    wire out_free = !m_valid_reg || m_axis_tready;

    assign s_ready = out_free && !tail_reg;

    wire take = s_valid && s_ready;

    wire [IN_W-1:0]     piece  = s_bits & ~(ALL_ONES >> s_count);
    wire [2*WORD_W-1:0] joined = {held_reg, {WORD_W{1'b0}}} | ({piece, {2*WORD_W-IN_W{1'b0}}} >> fill_reg);
    wire [FILL_W:0]     total  = {1'b0, fill_reg} + {{FILL_W+1-IN_COUNT_W{1'b0}}, s_count};
    wire                over   = total > WORD;

    // total - WORD_W is below WORD_W, so that the low bits of the difference are enough
    wire [FILL_W-1:0]   excess = total[FILL_W-1:0] - WORD[FILL_W-1:0];

    always @(posedge clk) begin
        if (m_axis_tready) begin
            m_valid_reg <= 1'b0;
        end

        if (take && over) begin
            m_valid_reg <= 1'b1;
            m_data_reg  <= joined[2*WORD_W-1:WORD_W];
            m_user_reg  <= WORD[FILL_W-1:0];
            m_last_reg  <= 1'b0;
            held_reg    <= joined[WORD_W-1:0];
            fill_reg    <= excess;
            tail_reg    <= s_last;
        end else if (take && !s_last) begin
            held_reg    <= joined[2*WORD_W-1:WORD_W];
            fill_reg    <= total[FILL_W-1:0];
        end else if (take) begin
            m_valid_reg <= 1'b1;
            m_data_reg  <= joined[2*WORD_W-1:WORD_W];
            m_user_reg  <= total[FILL_W-1:0];
            m_last_reg  <= 1'b1;
            held_reg    <= {WORD_W{1'b0}};
            fill_reg    <= {FILL_W{1'b0}};
        end else if (tail_reg && out_free) begin
            m_valid_reg <= 1'b1;
            m_data_reg  <= held_reg;
            m_user_reg  <= fill_reg;
            m_last_reg  <= 1'b1;
            held_reg    <= {WORD_W{1'b0}};
            fill_reg    <= {FILL_W{1'b0}};
            tail_reg    <= 1'b0;
        end

        if (rst) begin
            m_valid_reg <= 1'b0;
            held_reg    <= {WORD_W{1'b0}};
            fill_reg    <= {FILL_W{1'b0}};
            tail_reg    <= 1'b0;
        end
    end

    assign m_axis_tdata  = m_data_reg;
    assign m_axis_tuser  = m_user_reg;
    assign m_axis_tvalid = m_valid_reg;
    assign m_axis_tlast  = m_last_reg;

endmodule

`resetall
