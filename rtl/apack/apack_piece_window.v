// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The next pieces of one block, out of its memory words: none, one or two leave in a cycle.
 *
 * s_begin starts a block, while m_idle is high; s_begin_words says that words of it come, and
 * s_begin_pieces how many pieces its last word holds, modulo the pieces of a word. Then the words come, first
 * piece most significant, up to the one with s_last. A word with s_cut ends the block too, and has no pieces.
 *
 * m_pieces shows the next two pieces, the first one at the top, zeros behind the block's last; s_take of them
 * (0..2) leave. m_full is high while NEED pieces are there or all words have come. s_end ends the block, with
 * its last s_take: the pieces that are left are dropped, and so are the words that still come. Then m_over
 * is high for a cycle with what was found: m_short, more pieces were taken than came; m_left, pieces that came
 * were not taken; m_cut, the words ended with a cut one. m_idle is high in that cycle and until s_begin.
 * Example (two pieces a word, s_begin_pieces 1): words 0xAAAABBBB, 0xCCCC0000 with s_last; s_take 2 -> 0xCCCC and
 * 0 show; s_take 1 with s_end -> m_over; s_take 2 there -> m_over with m_short.
 */
module apack_piece_window #(
    // bits of a piece
    parameter PIECE_W  = 16,
    // bits of a word, a power of two of at least PIECE_W
    parameter WORD_W   = 64,
    // pieces that make the window full, at least 2
    parameter NEED     = 8,
    // bits of a number of pieces within a word; leave at its default
    parameter WITHIN_W = (WORD_W > PIECE_W) ? $clog2(WORD_W / PIECE_W) : 1
) (
    input  wire                 clk,
    input  wire                 rst,

    input  wire                 s_begin,
    input  wire                 s_begin_words,
    input  wire [WITHIN_W-1:0]  s_begin_pieces,
    output wire                 m_idle,

    input  wire                 s_valid,
    output wire                 s_ready,
    input  wire [WORD_W-1:0]    s_data,
    input  wire                 s_last,
    input  wire                 s_cut,

    output wire                 m_full,
    output wire [2*PIECE_W-1:0] m_pieces,
    input  wire [1:0]           s_take,
    input  wire                 s_end,

    output wire                 m_over,
    output wire                 m_short,
    output wire                 m_left,
    output wire                 m_cut
);

    localparam PIECES  = WORD_W / PIECE_W;
    // With a word a cycle, NEED pieces are there whenever no word is taken: two leave in a cycle.
    localparam MOST    = NEED + PIECES + 1;
    localparam LEVEL_W = $clog2(MOST + 1);
    localparam ROOM    = MOST - PIECES;

    generate
        if (WORD_W < PIECE_W || WORD_W % PIECE_W != 0 || (PIECES & (PIECES - 1)) != 0) begin : g_check_word_w
            apack_piece_window_needs_WORD_W_a_power_of_two_of_PIECE_W illegal_parameter ();
        end
        if (NEED < 2) begin : g_check_need
            apack_piece_window_needs_NEED_of_at_least_2 illegal_parameter ();
        end
    endgenerate

    reg  [MOST*PIECE_W-1:0] pieces_reg;     // the next one at the bottom, zeros behind the last
    reg  [LEVEL_W-1:0]      level_reg;      // how many
    reg  [WITHIN_W-1:0]     part_reg;       // pieces of the last word, 0 if all
    reg                     busy_reg;       // a block has begun and is not over
    reg                     open_reg;       // words of it are to come
    reg                     drop_reg;       // nothing more is taken of it
    reg                     short_reg;
    reg                     left_reg;
    reg                     cut_reg;

    assign m_idle  = !busy_reg || m_over;
    assign m_over  = drop_reg && !open_reg;
    assign m_short = short_reg;
    assign m_left  = left_reg;
    assign m_cut   = cut_reg;
    assign m_full  = !open_reg || level_reg >= NEED[LEVEL_W-1:0];
    assign s_ready = open_reg && (drop_reg || level_reg <= ROOM[LEVEL_W-1:0]);

    assign m_pieces = {pieces_reg[0 +: PIECE_W], pieces_reg[PIECE_W +: PIECE_W]};

    wire come = s_valid && s_ready && !s_cut;
    wire add  = come && !drop_reg;

    // ---- pieces of a word behind those that are there -----------------------------------------------

    reg [MOST*PIECE_W-1:0] joined;
    reg [LEVEL_W-1:0]      count;           // pieces of the word
    always @(*) begin : b_join
        integer i;
        integer j;

        count = PIECES[LEVEL_W-1:0];
        if (s_last && part_reg != {WITHIN_W{1'b0}}) begin
            count = {{LEVEL_W-WITHIN_W{1'b0}}, part_reg};
        end
        if (!add) begin
            count = {LEVEL_W{1'b0}};
        end

        joined = pieces_reg;
        for (i = 0; i < MOST; i = i + 1) begin
            for (j = 0; j < PIECES && j <= i; j = j + 1) begin
                if (level_reg == i[LEVEL_W-1:0] - j[LEVEL_W-1:0] && j[LEVEL_W-1:0] < count) begin
                    joined[i*PIECE_W +: PIECE_W] = pieces_reg[i*PIECE_W +: PIECE_W]
                                                 | s_data[(PIECES-1-j)*PIECE_W +: PIECE_W];
                end
            end
        end
    end

    // ---- what leaves --------------------------------------------------------------------------------

    wire [LEVEL_W-1:0]      taken    = {{LEVEL_W-2{1'b0}}, s_take};
    wire                    beyond   = taken > level_reg;
    wire [LEVEL_W-1:0]      rest     = beyond ? {LEVEL_W{1'b0}} : level_reg - taken;
    wire [LEVEL_W-1:0]      next     = rest + count;
    wire [MOST*PIECE_W-1:0] shifted  = s_take[1] ? joined >> (2 * PIECE_W)
                                     : s_take[0] ? joined >> PIECE_W : joined;

    always @(posedge clk) begin
        pieces_reg <= shifted;
        level_reg  <= next;

        if (beyond) begin
            short_reg <= 1'b1;
        end
        if (s_valid && s_ready && (s_last || s_cut)) begin
            open_reg <= 1'b0;
            cut_reg  <= s_cut;
        end
        if (come && drop_reg) begin
            left_reg <= 1'b1;
        end
        if (s_end) begin
            drop_reg   <= 1'b1;
            left_reg   <= next != {LEVEL_W{1'b0}};
            pieces_reg <= {MOST*PIECE_W{1'b0}};
            level_reg  <= {LEVEL_W{1'b0}};
        end
        if (m_over) begin
            busy_reg <= 1'b0;
            drop_reg <= 1'b0;
        end
        if (s_begin) begin
            busy_reg  <= 1'b1;
            open_reg  <= s_begin_words;
            part_reg  <= s_begin_pieces;
            short_reg <= 1'b0;
            left_reg  <= 1'b0;
            cut_reg   <= 1'b0;
        end

        if (rst) begin
            pieces_reg <= {MOST*PIECE_W{1'b0}};
            level_reg  <= {LEVEL_W{1'b0}};
            busy_reg   <= 1'b0;
            open_reg   <= 1'b0;
            drop_reg   <= 1'b0;
        end
    end

endmodule

`resetall
