// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Makes the description of each block of a tensor from its index entry, and says whether it is plausible.
 *
 * s_begin starts a tensor of s_values values, in blocks of s_block values, 1 to BLOCK_VALUES, and a rest; both
 * hold still from then on. For each block an entry is taken: its lengths in bits and its CRC. s_missing says
 * that there are no more: the blocks that are left are implausible then, without any words. m_all is high when
 * the entries of all blocks have been taken, or are known to be missing; m_busy while blocks are under way.
 *
 * A block leaves with its number of values, its lengths in bits, in words and in padding bits, its CRC, and
 * m_implausible: a raw block's offsets are not its values, a coded one has a single bit of code, or a block
 * takes more words than raw. m_words, the words to pass in the memory, is what the entry says all the same;
 * the other numbers mean nothing then.
 * Blocks pass at one a cycle, four cycles later.
 */
module apack_entry_check #(
    // bits of a value
    parameter VALUE_W        = 8,
    // bits of a word, a power of two
    parameter WORD_W         = 64,
    // most values of a block
    parameter BLOCK_VALUES   = 4096,
    // bits of a block's number of values; leave at its default
    parameter BLOCK_W        = $clog2(BLOCK_VALUES + 1),
    // bits of a number of padding bits; leave at its default
    parameter PAD_W          = $clog2(WORD_W),
    // bits of a number of words, as an entry can speak of; leave at its default
    parameter WORDS_W        = 34 - PAD_W,
    // words of a region, for the largest plausible block; leave at its default
    parameter REGION_WORDS   = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W,
    // bits of a number of its words; leave at its default
    parameter REGION_WORDS_W = $clog2(REGION_WORDS + 1),
    // bits of a block's number of bits; leave at its default
    parameter BITS_W         = $clog2(REGION_WORDS * WORD_W + 1)
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire                      s_begin,
    input  wire [47:0]               s_values,
    input  wire [BLOCK_W-1:0]        s_block,

    input  wire [31:0]               s_code_bits,
    input  wire [31:0]               s_offset_bits,
    input  wire [31:0]               s_crc,
    input  wire                      s_valid,
    input  wire                      s_missing,
    output wire                      s_ready,
    output wire                      m_all,
    output wire                      m_busy,

    output wire [BLOCK_W-1:0]        m_count,
    output wire [BITS_W-1:0]         m_code_bits,
    output wire [BITS_W-1:0]         m_offset_bits,
    output wire [PAD_W-1:0]          m_code_pad,
    output wire [PAD_W-1:0]          m_offset_pad,
    output wire [REGION_WORDS_W-1:0] m_code_words,
    output wire [REGION_WORDS_W-1:0] m_offset_words,
    output wire [WORDS_W-1:0]        m_words,
    output wire [31:0]               m_crc,
    output wire                      m_implausible,
    output wire                      m_valid,
    input  wire                      m_ready
);

    generate
        if (WORD_W < 1 || (WORD_W & (WORD_W - 1)) != 0) begin : g_check_word
            apack_entry_check_needs_WORD_W_a_power_of_two illegal_parameter ();
        end
    endgenerate

    localparam RAW_W  = $clog2(BLOCK_VALUES * VALUE_W + 1);
    localparam SIZE_W = ((RAW_W > PAD_W) ? RAW_W : PAD_W) + 1;

    localparam [RAW_W-1:0]  VALUE_BITS = VALUE_W[RAW_W-1:0];
    localparam [SIZE_W-1:0] ROUND      = WORD_W[SIZE_W-1:0] - 1'b1;

    reg take_valid_reg;
    reg words_valid_reg;
    reg sum_valid_reg;
    reg m_valid_reg;

    wire m_move     = m_ready || !m_valid_reg;
    wire sum_move   = m_move || !sum_valid_reg;
    wire words_move = sum_move || !words_valid_reg;
    wire take_move  = words_move || !take_valid_reg;

    // ---- take: an entry and its block's number of values -------------------------------------------

    reg [47:0]        left_reg;         // values of blocks without entry
    reg [BLOCK_W-1:0] take_count_reg;
    reg [31:0]        take_code_reg;
    reg [31:0]        take_offset_reg;
    reg [31:0]        take_crc_reg;
    reg               take_missing_reg;

    wire [47:0] block   = {{48-BLOCK_W{1'b0}}, s_block};
    wire        is_last = left_reg <= block;
    wire        take    = take_move && !m_all && (s_valid || s_missing);

    assign m_all   = left_reg == 48'd0;
    assign m_busy  = take_valid_reg || words_valid_reg || sum_valid_reg || m_valid_reg;
    assign s_ready = take_move && !m_all;

    always @(posedge clk) begin
        if (s_begin) begin
            left_reg <= s_values;
        end else if (take) begin
            left_reg <= is_last ? 48'd0 : left_reg - block;
        end

        if (take_move) begin
            take_valid_reg   <= take;
            take_count_reg   <= is_last ? left_reg[BLOCK_W-1:0] : s_block;
            take_code_reg    <= s_code_bits & {32{!s_missing}};
            take_offset_reg  <= s_offset_bits & {32{!s_missing}};
            take_crc_reg     <= s_crc;
            take_missing_reg <= s_missing;
        end

        if (rst) begin
            left_reg       <= 48'd0;
            take_valid_reg <= 1'b0;
        end
    end

    // ---- words of each stream, bits of the raw block -----------------------------------------------

    reg [BLOCK_W-1:0] words_count_reg;
    reg [31:0]        words_code_reg;
    reg [31:0]        words_offset_reg;
    reg [31:0]        words_crc_reg;
    reg               words_missing_reg;
    reg [WORDS_W-1:0] words_code_words_reg;
    reg [WORDS_W-1:0] words_offset_words_reg;
    reg [RAW_W-1:0]   words_raw_reg;

    wire [RAW_W-1:0] take_count = {{RAW_W-BLOCK_W{1'b0}}, take_count_reg};

    always @(posedge clk) begin
        if (words_move) begin
            words_valid_reg        <= take_valid_reg;
            words_count_reg        <= take_count_reg;
            words_code_reg         <= take_code_reg;
            words_offset_reg       <= take_offset_reg;
            words_crc_reg          <= take_crc_reg;
            words_missing_reg      <= take_missing_reg;
            words_code_words_reg   <= {2'b00, take_code_reg[31:PAD_W]}
                                    + {{WORDS_W-1{1'b0}}, |take_code_reg[PAD_W-1:0]};
            words_offset_words_reg <= {2'b00, take_offset_reg[31:PAD_W]}
                                    + {{WORDS_W-1{1'b0}}, |take_offset_reg[PAD_W-1:0]};
            words_raw_reg          <= take_count * VALUE_BITS;
        end

        if (rst) begin
            words_valid_reg <= 1'b0;
        end
    end

    // ---- words of both, words of the raw block -----------------------------------------------------

    reg [BLOCK_W-1:0] sum_count_reg;
    reg [BITS_W-1:0]  sum_code_reg;
    reg [BITS_W-1:0]  sum_offset_reg;
    reg [31:0]        sum_crc_reg;
    reg               sum_wrong_reg;
    reg [REGION_WORDS_W-1:0] sum_code_words_reg;
    reg [REGION_WORDS_W-1:0] sum_offset_words_reg;
    reg [WORDS_W-1:0] sum_words_reg;
    reg [SIZE_W-1:0]  sum_raw_reg;      // rounded up, in bits

    wire words_raw = words_code_reg == 32'd0;

    always @(posedge clk) begin
        if (sum_move) begin
            sum_valid_reg        <= words_valid_reg;
            sum_count_reg        <= words_count_reg;
            sum_code_reg         <= words_code_reg[BITS_W-1:0];
            sum_offset_reg       <= words_offset_reg[BITS_W-1:0];
            sum_crc_reg          <= words_crc_reg;
            sum_wrong_reg        <= words_missing_reg || words_code_reg == 32'd1
                                 || (words_raw && words_offset_reg != {{32-RAW_W{1'b0}}, words_raw_reg});
            sum_code_words_reg   <= words_code_words_reg[REGION_WORDS_W-1:0];
            sum_offset_words_reg <= words_offset_words_reg[REGION_WORDS_W-1:0];
            sum_words_reg        <= words_code_words_reg + words_offset_words_reg;
            sum_raw_reg          <= ({{SIZE_W-RAW_W{1'b0}}, words_raw_reg} + ROUND) & ~ROUND;
        end

        if (rst) begin
            sum_valid_reg <= 1'b0;
        end
    end

    // ---- verdict -----------------------------------------------------------------------------------

    reg [BLOCK_W-1:0] m_count_reg;
    reg [BITS_W-1:0]  m_code_reg;
    reg [BITS_W-1:0]  m_offset_reg;
    reg [31:0]        m_crc_reg;
    reg [REGION_WORDS_W-1:0] m_code_words_reg;
    reg [REGION_WORDS_W-1:0] m_offset_words_reg;
    reg [WORDS_W-1:0] m_words_reg;
    reg               m_implausible_reg;

    wire [WORDS_W+PAD_W-1:0] sum_bits = {sum_words_reg, {PAD_W{1'b0}}};

    always @(posedge clk) begin
        if (m_move) begin
            m_valid_reg        <= sum_valid_reg;
            m_count_reg        <= sum_count_reg;
            m_code_reg         <= sum_code_reg;
            m_offset_reg       <= sum_offset_reg;
            m_crc_reg          <= sum_crc_reg;
            m_code_words_reg   <= sum_code_words_reg;
            m_offset_words_reg <= sum_offset_words_reg;
            m_words_reg        <= sum_words_reg;
            m_implausible_reg  <= sum_wrong_reg || sum_bits > {{WORDS_W+PAD_W-SIZE_W{1'b0}}, sum_raw_reg};
        end

        if (rst) begin
            m_valid_reg <= 1'b0;
        end
    end

    assign m_count        = m_count_reg;
    assign m_code_bits    = m_code_reg;
    assign m_offset_bits  = m_offset_reg;
    assign m_code_pad     = {PAD_W{1'b0}} - m_code_reg[PAD_W-1:0];
    assign m_offset_pad   = {PAD_W{1'b0}} - m_offset_reg[PAD_W-1:0];
    assign m_crc          = m_crc_reg;
    assign m_code_words   = m_code_words_reg;
    assign m_offset_words = m_offset_words_reg;
    assign m_words        = m_words_reg;
    assign m_implausible  = m_implausible_reg;
    assign m_valid        = m_valid_reg;

endmodule

`resetall
