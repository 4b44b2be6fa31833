// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Pieces of up to IN_W bits to words of OUT_W bits, first bit most significant.
 *
 * A beat brings s_count units of UNIT_W bits, at least one, left-aligned in s_data, zeros below. s_last ends the bit string:
 * what is left goes out as a word padded with zeros, m_last with its last word. A piece of OUT_W bits that
 * finds the gearbox empty is a word; one such passes every cycle. A word leaves as soon as it is whole; a
 * piece is taken in every cycle that leaves less than a word and no end behind, so that s_ready follows
 * m_ready.
 * Example (IN_W 12, OUT_W 8, UNIT_W 4): 0xABC (3 units), 0xD00 (1, last) -> 0xAB, 0xCD last.
 */
module cell_gearbox #(
    // most bits that enter
    parameter IN_W       = 64,
    // most bits that leave
    parameter OUT_W      = 64,
    // bits of a unit, of which IN_W and OUT_W are multiples
    parameter UNIT_W     = 1,
    // bits of a piece's number of units; leave at its default
    parameter IN_COUNT_W = $clog2(IN_W / UNIT_W + 1)
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire [IN_W-1:0]       s_data,
    input  wire [IN_COUNT_W-1:0] s_count,
    input  wire                  s_last,
    input  wire                  s_valid,
    output wire                  s_ready,

    output wire [OUT_W-1:0]      m_data,
    output wire                  m_last,
    output wire                  m_valid,
    input  wire                  m_ready
);

    localparam HELD_W = IN_W + OUT_W - UNIT_W;
    localparam FILL_W = $clog2(HELD_W / UNIT_W + 1);
    localparam UNITS  = OUT_W / UNIT_W;

    localparam [FILL_W-1:0] WORD = UNITS[FILL_W-1:0];

    generate
        if (IN_W % UNIT_W != 0 || OUT_W % UNIT_W != 0) begin : g_check_unit_w
            cell_gearbox_needs_UNIT_W_that_divides_IN_W_and_OUT_W illegal_parameter ();
        end
    endgenerate

    reg [HELD_W-1:0] held_reg;      // left-aligned, zeros below
    reg [FILL_W-1:0] fill_reg;
    reg              last_reg;      // the end of the bit string is held

    wire more = fill_reg > WORD;    // more than a word is held
    wire word = fill_reg >= WORD;

    assign m_data  = held_reg[HELD_W-1 -: OUT_W];
    assign m_valid = word || last_reg;
    assign m_last  = last_reg && !more;

    wire             move = m_valid && m_ready;
    wire [FILL_W-1:0] left = !move ? fill_reg : more ? fill_reg - WORD : {FILL_W{1'b0}};
    wire             ends = move && m_last;

    assign s_ready = (!last_reg || ends) && left < WORD;

    wire [HELD_W+OUT_W-1:0] moved = {held_reg, {OUT_W{1'b0}}};
    wire [HELD_W-1:0] kept = move ? moved[HELD_W-1:0] : held_reg;
    wire [HELD_W-1:0] take = {s_data, {OUT_W-UNIT_W{1'b0}}} >> (left * UNIT_W);

    always @(posedge clk) begin
        fill_reg <= left;
        held_reg <= kept;
        if (ends) begin
            last_reg <= 1'b0;
        end

        if (s_valid && s_ready) begin
            fill_reg <= left + {{FILL_W-IN_COUNT_W{1'b0}}, s_count};
            held_reg <= kept | take;
            last_reg <= s_last;
        end

        if (rst) begin
            fill_reg <= {FILL_W{1'b0}};
            held_reg <= {HELD_W{1'b0}};
            last_reg <= 1'b0;
        end
    end

endmodule

`resetall
