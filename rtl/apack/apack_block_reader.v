// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Cuts the memory words of a tensor into its blocks: a record of each, and behind it the words of its pieces.
 *
 * begin_valid, while m_busy is low, brings the tensor's number of values (at least 1) and the values of a block.
 * s_word_* are its words; s_word_ended says that no more come, whatever s_word_valid says, and is low in the cycle
 * after begin_valid. m_busy is high from then on until the last block has been handed over.
 *
 * A block begins with a header of 64 bits in whole words (docs/apack/format.md). It is believed when its CRC-7 is
 * right and its number of pieces is possible: that of the values for a raw block; for a coded one as many as the
 * streams begin with, or more, in no more words than the raw block takes. m_block_* is the record; the block's
 * words follow once it is taken, the last of them with m_word_last. When the words end before, m_word_last comes
 * with m_word_cut, and data that mean nothing. With a header that is missing or not believed the block is lost, and
 * so are all behind it: records with m_block_lost, no pieces and no words; words that still come are dropped, as
 * those behind the last block are while m_busy is low.
 *
 * m_length is high for a cycle when words are missing, and with each word behind a last block that is not lost.
 * A block takes two cycles beyond its words, a lost one two in all, or three if it is the first.
 * Example (VALUE_W 8, PIECE_W 16, WORD_W 64, 10 values in blocks of 8): header of 4 pieces, a word, header of 1
 * piece (raw), a word -> records of 8 and 2 values, each followed by its word.
 */
module apack_block_reader #(
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a value
    parameter VALUE_W      = 8,
    // bits of the interval bounds
    parameter CODE_W       = 16,
    // bits of a piece, 16 or 32, at most WORD_W
    parameter PIECE_W      = 16,
    // bits of a word, in memory: 16, 32 or 64
    parameter WORD_W       = 64,
    // most values of a block
    parameter BLOCK_VALUES = 4096,
    // bits of a number of values; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1),
    // words of the largest block; leave at its default
    parameter REGION_WORDS = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W,
    // bits of a number of pieces; leave at its default
    parameter PIECES_W     = $clog2(REGION_WORDS * (WORD_W / PIECE_W) + 1)
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                begin_valid,
    input  wire [47:0]         begin_values,
    input  wire [VALUES_W-1:0] block_values,

    input  wire                s_word_valid,
    output wire                s_word_ready,
    input  wire [WORD_W-1:0]   s_word_data,
    input  wire                s_word_ended,

    output wire                m_block_valid,
    input  wire                m_block_ready,
    output wire [VALUES_W-1:0] m_block_count,
    output wire                m_block_raw,
    output wire [PIECES_W-1:0] m_block_pieces,
    output wire [31:0]         m_block_crc,
    output wire                m_block_last,
    output wire                m_block_lost,

    output wire                m_word_valid,
    input  wire                m_word_ready,
    output wire [WORD_W-1:0]   m_word_data,
    output wire                m_word_last,
    output wire                m_word_cut,

    output wire                m_busy,
    output wire                m_length
);

    localparam PARTS        = WORD_W / PIECE_W;
    localparam PART_W       = $clog2(PARTS);
    localparam HEADER_WORDS = 64 / WORD_W;
    localparam BITS_W       = VALUES_W + 5;
    localparam WORDS_W      = $clog2(REGION_WORDS + 1);
    localparam FIRST        = STREAMS * ((CODE_W + PIECE_W - 1) / PIECE_W);

    localparam [23:0]         FIRST_PIECES = FIRST[23:0];
    localparam [23:0]         PIECES_UP    = PARTS[23:0] - 1'b1;
    localparam [BITS_W-1:0]   BITS_UP      = PIECE_W[BITS_W-1:0] - 1'b1;
    localparam [4:0]          VALUE_BITS   = VALUE_W[4:0];
    localparam [1:0]          LAST_PART    = HEADER_WORDS[1:0] - 2'd1;

    localparam [2:0] IDLE  = 3'd0;
    localparam [2:0] HEAD  = 3'd1;      // takes the words of a header
    localparam [2:0] CHECK = 3'd2;      // it stands in its register
    localparam [2:0] GIVE  = 3'd3;      // hands over the record
    localparam [2:0] WORDS = 3'd4;      // passes the block's words

    generate
        if (WORD_W != 16 && WORD_W != 32 && WORD_W != 64) begin : g_check_word
            apack_block_reader_needs_WORD_W_of_16_32_or_64 illegal_parameter ();
        end
        if ((PIECE_W != 16 && PIECE_W != 32) || PIECE_W > WORD_W) begin : g_check_piece
            apack_block_reader_needs_PIECE_W_of_16_or_32_and_at_most_WORD_W illegal_parameter ();
        end
    endgenerate

    reg [2:0]          state_reg;
    reg [1:0]          part_reg;        // words of the header that have come
    reg [63:0]         header_reg;
    reg [47:0]         left_reg;        // values from this block on
    reg [VALUES_W-1:0] count_reg;       // values of this block
    reg                final_reg;       // no values behind them
    reg                lost_reg;        // this block is lost, or was when all had been handed over
    reg [WORDS_W-1:0]  words_reg;       // words of this block that have not passed

    // ---- the header --------------------------------------------------------------------------------

    wire [23:0] pieces = header_reg[63:40];
    wire        raw    = header_reg[39];
    wire [6:0]  crc7;

    wire [63+WORD_W:0] header_next = {header_reg, s_word_data};

    cell_crc7 #(.DATA_W (25)) crc7_inst (
        .data (header_reg[63:39]),
        .crc  (crc7)
    );

    wire [BITS_W-1:0] value_bits = {5'd0, count_reg} * {{BITS_W-5{1'b0}}, VALUE_BITS};
    wire [23:0]       raw_pieces = {{24-BITS_W{1'b0}}, (value_bits + BITS_UP) >> $clog2(PIECE_W)};
    wire [23:0]       most_words = (raw_pieces + PIECES_UP) >> PART_W;
    wire [23:0]       words      = {{PART_W{1'b0}}, pieces[23:PART_W]}
                                 + {23'd0, |(pieces & PIECES_UP)};
    wire              possible   = raw ? pieces == raw_pieces : pieces >= FIRST_PIECES && words <= most_words;
    wire              broken     = crc7 != header_reg[38:32] || !possible;

    // ---- what leaves -------------------------------------------------------------------------------

    wire word_last = words_reg == {{WORDS_W-1{1'b0}}, 1'b1};

    assign m_block_valid  = state_reg == GIVE;
    assign m_block_count  = count_reg;
    assign m_block_raw    = raw && !lost_reg;
    assign m_block_pieces = pieces[PIECES_W-1:0] & {PIECES_W{!lost_reg}};
    assign m_block_crc    = header_reg[31:0];
    assign m_block_last   = final_reg;
    assign m_block_lost   = lost_reg;

    assign m_word_valid   = state_reg == WORDS && (s_word_valid || s_word_ended);
    assign m_word_data    = s_word_data;
    assign m_word_last    = word_last || s_word_ended;
    assign m_word_cut     = s_word_ended;

    assign s_word_ready   = state_reg == IDLE || state_reg == HEAD || lost_reg || (state_reg == WORDS && m_word_ready);
    assign m_busy         = state_reg != IDLE;

    wire word_take = s_word_valid && !s_word_ended && s_word_ready;
    wire word_go   = m_word_valid && m_word_ready;
    wire block_go  = m_block_valid && m_block_ready;
    wire over      = (word_go && m_word_last) || (block_go && lost_reg);

    wire [47:0] block_wide = {{48-VALUES_W{1'b0}}, block_values};
    wire        few        = left_reg <= block_wide;

    assign m_length = (word_go && m_word_cut) || (state_reg == HEAD && s_word_ended)
                   || (state_reg == IDLE && word_take && !lost_reg);

    always @(posedge clk) begin
        count_reg <= few ? left_reg[VALUES_W-1:0] : block_values;
        final_reg <= few;

        case (state_reg)
            IDLE: begin
                if (begin_valid) begin
                    state_reg <= HEAD;
                    part_reg  <= 2'd0;
                    left_reg  <= begin_values;
                    lost_reg  <= 1'b0;
                end
            end
            HEAD: begin
                if (s_word_ended) begin
                    state_reg <= CHECK;
                    lost_reg  <= 1'b1;
                end else if (word_take) begin
                    header_reg <= header_next[63:0];
                    part_reg   <= (part_reg == LAST_PART) ? 2'd0 : part_reg + 2'd1;
                    if (part_reg == LAST_PART) begin
                        state_reg <= CHECK;
                    end
                end
            end
            CHECK: begin
                state_reg <= GIVE;
                words_reg <= words[WORDS_W-1:0];
                lost_reg  <= lost_reg || broken;
            end
            default: begin
                if (block_go) begin
                    state_reg <= WORDS;
                end
                if (word_go) begin
                    words_reg <= words_reg - 1'b1;
                    lost_reg  <= m_word_cut;
                end
                if (over) begin
                    state_reg <= final_reg ? IDLE : (lost_reg || m_word_cut) ? CHECK : HEAD;
                    left_reg  <= left_reg - {{48-VALUES_W{1'b0}}, count_reg};
                end
            end
        endcase

        if (rst) begin
            state_reg <= IDLE;
            lost_reg  <= 1'b0;
        end
    end

endmodule

`resetall
