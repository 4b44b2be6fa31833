// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Packs the bit streams of several streams that take turns into words, first bit most significant.
 *
 * In each cycle of enable the stream at turn appends s_count bits (0..IN_W, left-aligned in s_bits, the
 * rest ignored); s_turn passes the turn on, in the same cycle. s_end, with s_count 0, ends the stream's
 * bit string: what is left goes out as a word padded with zeros, m_last, m_count its valid bits (0 if
 * nothing is left). Other words are full, m_count = WORD_W. The word of a cycle stands on m_* from the next
 * cycle on until m_ready; enable must stay low while it is not taken.
 * Example (WORD_W 8): 101, 11111 -> nothing, 0xBF; then 0 and the end -> nothing, 0x00 with count 1, last.
 */
module cell_turn_packer #(
    // streams that take turns
    parameter STREAMS    = 4,
    // most bits that enter, at most WORD_W
    parameter IN_W       = 8,
    // bits of a word
    parameter WORD_W     = 16,
    // bits of a stream's number; leave at its default
    parameter STREAM_W   = (STREAMS > 1) ? $clog2(STREAMS) : 1,
    // bits of a piece's bit count, 0..IN_W; leave at its default
    parameter IN_COUNT_W = $clog2(IN_W + 1),
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W     = $clog2(WORD_W + 1)
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  enable,

    input  wire [STREAM_W-1:0]   s_stream,
    input  wire [IN_W-1:0]       s_bits,
    input  wire [IN_COUNT_W-1:0] s_count,
    input  wire                  s_end,
    input  wire                  s_turn,

    output wire [STREAM_W-1:0]   m_stream,
    output wire [WORD_W-1:0]     m_data,
    output wire [FILL_W-1:0]     m_count,
    output wire                  m_last,
    output wire                  m_valid,
    input  wire                  m_ready
);

    localparam REST_W = (WORD_W > 1) ? $clog2(WORD_W) : 1;

    localparam [FILL_W:0]   WORD     = WORD_W[FILL_W:0];
    localparam [IN_W-1:0]   ALL_ONES = {IN_W{1'b1}};

    generate
        if (IN_W > WORD_W) begin : g_check
            cell_turn_packer_needs_IN_W_of_at_most_WORD_W illegal_parameter ();
        end
    endgenerate

    // Of each stream: the bits that wait, left-aligned and fewer than a word, and how many.
    wire [WORD_W-2:0] held;
    wire [REST_W-1:0] fill;
    wire [WORD_W-2:0] next_held;
    wire [REST_W-1:0] next_fill;

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (WORD_W - 1 + REST_W)
    ) ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (enable),
        .turn   (s_turn),
        .next   ({next_held, next_fill}),
        .head   ({held, fill})
    );

    wire [IN_W-1:0]     piece  = s_bits & ~(ALL_ONES >> s_count);
    wire [2*WORD_W-2:0] joined = {held, {WORD_W{1'b0}}} | ({piece, {2*WORD_W-1-IN_W{1'b0}}} >> fill);
    wire [FILL_W:0]     total  = {{FILL_W+1-REST_W{1'b0}}, fill} + {{FILL_W+1-IN_COUNT_W{1'b0}}, s_count};
    wire                full   = total >= WORD;
    wire [REST_W-1:0]   above  = total[REST_W-1:0] - WORD[REST_W-1:0];

    assign next_held = s_end ? {WORD_W-1{1'b0}} : full ? joined[WORD_W-2:0] : joined[2*WORD_W-2:WORD_W];
    assign next_fill = s_end ? {REST_W{1'b0}} : full ? above : total[REST_W-1:0];

    reg [STREAM_W-1:0] m_stream_reg;
    reg [WORD_W-1:0]   m_data_reg;
    reg [FILL_W-1:0]   m_count_reg;
    reg                m_last_reg;
    reg                m_valid_reg;

    always @(posedge clk) begin
        if (m_ready) begin
            m_valid_reg  <= 1'b0;
        end

        if (enable) begin
            m_stream_reg <= s_stream;
            m_data_reg   <= joined[2*WORD_W-2 -: WORD_W];
            m_count_reg  <= s_end ? {{FILL_W-REST_W{1'b0}}, fill} : WORD[FILL_W-1:0];
            m_last_reg   <= s_end;
            m_valid_reg  <= s_end || full;
        end

        if (rst) begin
            m_valid_reg <= 1'b0;
        end
    end

    assign m_stream = m_stream_reg;
    assign m_data   = m_data_reg;
    assign m_count  = m_count_reg;
    assign m_last   = m_last_reg;
    assign m_valid  = m_valid_reg;

endmodule

`resetall
