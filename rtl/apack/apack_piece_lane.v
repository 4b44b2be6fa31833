// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Reads ahead in one bit stream of a block: where it reads next, and the pieces it holds for the engine.
 *
 * s_begin gives the stream's first piece and its number of pieces. From then on m_want asks for a read at
 * m_address whenever there is room for a piece, those under way (m_held, room and all) included; s_grant
 * starts it. m_zero says that the stream has no pieces left: zeros are due in place of the read. A piece that
 * was granted comes back on s_data, in order, with the m_era of its grant. s_clear ends the stream: what is
 * held or under way is dropped, and nothing is asked for until the next s_begin, which comes later than it.
 *
 * m_data is the oldest piece, if m_valid; s_take removes it. s_grant comes with m_want only, and s_take with
 * m_valid only.
 */
module apack_piece_lane #(
    // pieces read ahead in a bit stream, a power of two, at least 2
    parameter PIECES_AHEAD = 2,
    // bits of a piece
    parameter PIECE_W      = 16,
    // bits of an address, a piece's
    parameter ADDRESS_W    = 12,
    // bits of a number of pieces
    parameter LEFT_W       = 12,
    // bits of a number of pieces held, 0..PIECES_AHEAD; leave at its default
    parameter HELD_W       = $clog2(PIECES_AHEAD + 1)
) (
    input  wire                 clk,
    input  wire                 rst,

    input  wire                 s_begin,
    input  wire [ADDRESS_W-1:0] s_begin_address,
    input  wire [LEFT_W-1:0]    s_begin_left,
    input  wire                 s_clear,

    output wire                 m_want,
    output wire [HELD_W-1:0]    m_held,
    output wire [ADDRESS_W-1:0] m_address,
    output wire                 m_zero,
    output wire                 m_era,
    input  wire                 s_grant,

    input  wire                 s_valid,
    input  wire                 s_era,
    input  wire [PIECE_W-1:0]   s_data,

    output wire                 m_valid,
    output wire [PIECE_W-1:0]   m_data,
    input  wire                 s_take
);

    generate
        if (PIECES_AHEAD < 2 || (PIECES_AHEAD & (PIECES_AHEAD - 1)) != 0) begin : g_check_depth
            apack_piece_lane_needs_PIECES_AHEAD_a_power_of_two_of_at_least_2 illegal_parameter ();
        end
    endgenerate

    localparam PLACE_W = $clog2(PIECES_AHEAD);

    localparam [HELD_W-1:0] ALL = PIECES_AHEAD[HELD_W-1:0];

    reg                     open_reg;
    reg                     era_reg;
    reg [ADDRESS_W-1:0]     address_reg;
    reg [LEFT_W-1:0]        left_reg;
    reg [HELD_W-1:0]        held_reg;       // held or under way
    reg [HELD_W-1:0]        here_reg;       // held
    reg [PLACE_W-1:0]       in_reg;         // place of the piece that comes next
    reg [PLACE_W-1:0]       out_reg;        // place of the oldest piece
    reg [PIECES_AHEAD*PIECE_W-1:0] piece_reg;

    wire put = s_valid && s_era == era_reg;

    assign m_want    = open_reg && held_reg != ALL;
    assign m_held    = held_reg;
    assign m_address = address_reg;
    assign m_zero    = left_reg == {LEFT_W{1'b0}};
    assign m_era     = era_reg;
    assign m_valid   = here_reg != {HELD_W{1'b0}};
    assign m_data    = piece_reg[out_reg*PIECE_W +: PIECE_W];

    always @(posedge clk) begin
        held_reg <= held_reg + {{HELD_W-1{1'b0}}, s_grant} - {{HELD_W-1{1'b0}}, s_take};
        here_reg <= here_reg + {{HELD_W-1{1'b0}}, put} - {{HELD_W-1{1'b0}}, s_take};
        in_reg   <= in_reg + {{PLACE_W-1{1'b0}}, put};
        out_reg  <= out_reg + {{PLACE_W-1{1'b0}}, s_take};

        if (s_begin) begin
            open_reg    <= 1'b1;
            address_reg <= s_begin_address;
            left_reg    <= s_begin_left;
        end else if (s_grant && !m_zero) begin
            address_reg <= address_reg + 1'b1;
            left_reg    <= left_reg - 1'b1;
        end

        if (s_clear || rst) begin
            open_reg <= 1'b0;
            era_reg  <= !era_reg && !rst;
            held_reg <= {HELD_W{1'b0}};
            here_reg <= {HELD_W{1'b0}};
            in_reg   <= {PLACE_W{1'b0}};
            out_reg  <= {PLACE_W{1'b0}};
        end
    end

    always @(posedge clk) begin
        if (put) begin
            piece_reg[in_reg*PIECE_W +: PIECE_W] <= s_data;
        end
    end

endmodule

`resetall
