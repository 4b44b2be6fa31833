// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Deals the blocks of a tensor to ENGINES decoder channels in turn, each with its words from the memory.
 *
 * s_block_* is apack_entry_check's. The first block after a reset is for channel 0. A block waits until its
 * channel has room, which is asked once; then its words pass, one a cycle, and leave on word_* a cycle later;
 * a cycle after its last word is taken it is handed over on block_*, and one without words a cycle after there
 * is room. *_valid has one bit for each channel. The next block is taken in the cycle in which the last word of
 * the one before is. block_cause tells LENGTH (implausible; its words are dropped), PADDING (bits behind a
 * stream are not zero, in one of the words that came) and TRUNCATED (s_word_ended came before its last word).
 *
 * s_word_ended says that no more words come, whatever s_word_valid says; words that no block needs are left
 * alone. m_busy: there is a block to be dealt, or one is offered. m_truncated: a block lacks words, for one
 * cycle, in which it is over. m_full: its channel has no room for the next block.
 */
module apack_block_deal #(
    // engines
    parameter ENGINES        = 1,
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

    input  wire [BLOCK_W-1:0]        s_block_count,
    input  wire [BITS_W-1:0]         s_block_code_bits,
    input  wire [BITS_W-1:0]         s_block_offset_bits,
    input  wire [PAD_W-1:0]          s_block_code_pad,
    input  wire [PAD_W-1:0]          s_block_offset_pad,
    input  wire [REGION_WORDS_W-1:0] s_block_code_words,
    input  wire [REGION_WORDS_W-1:0] s_block_offset_words,
    input  wire [WORDS_W-1:0]        s_block_words,
    input  wire [31:0]               s_block_crc,
    input  wire                      s_block_implausible,
    input  wire                      s_block_valid,
    output wire                      s_block_ready,

    input  wire [WORD_W-1:0]         s_word_data,
    input  wire                      s_word_valid,
    input  wire                      s_word_ended,
    output wire                      s_word_ready,

    input  wire [ENGINES-1:0]        room,
    output wire [ENGINES-1:0]        word_valid,
    output wire [WORD_W-1:0]         word_data,
    output wire [ENGINES-1:0]        block_valid,
    output wire [BLOCK_W-1:0]        block_count,
    output wire [BITS_W-1:0]         block_code_bits,
    output wire [BITS_W-1:0]         block_offset_bits,
    output wire [REGION_WORDS_W-1:0] block_code_words,
    output wire [REGION_WORDS_W-1:0] block_offset_words,
    output wire [31:0]               block_crc,
    output wire [5:0]                block_cause,

    output wire                      m_busy,
    output wire                      m_truncated,
    output wire                      m_full
);

    generate
        if (WORD_W < 1 || (WORD_W & (WORD_W - 1)) != 0) begin : g_check_word
            apack_block_deal_needs_WORD_W_a_power_of_two illegal_parameter ();
        end
    endgenerate

    localparam LENGTH    = 0;
    localparam PADDING   = 3;
    localparam TRUNCATED = 5;

    localparam ENGINE_W  = (ENGINES > 1) ? $clog2(ENGINES) : 1;

    localparam [ENGINE_W-1:0] LAST_ENGINE = ENGINES[ENGINE_W-1:0] - 1'b1;
    localparam [WORDS_W-1:0]  ONE         = 1;
    localparam [REGION_WORDS_W-1:0] ONE_CODE    = 1;

    // ---- the block whose words pass ----------------------------------------------------------------

    reg                 valid_reg;
    reg                 begun_reg;          // it has its room
    reg [ENGINE_W-1:0]  engine_reg;
    reg [BLOCK_W-1:0]   count_reg;
    reg [BITS_W-1:0]    code_bits_reg;
    reg [BITS_W-1:0]    offset_bits_reg;
    reg [PAD_W-1:0]     code_pad_reg;
    reg [PAD_W-1:0]     offset_pad_reg;
    reg [REGION_WORDS_W-1:0]  code_words_reg;
    reg [REGION_WORDS_W-1:0]  offset_words_reg;
    reg [REGION_WORDS_W-1:0]  code_left_reg;      // words of code
    reg [WORDS_W-1:0]   left_reg;           // words of both
    reg [31:0]          crc_reg;
    reg                 implausible_reg;

    wire go        = valid_reg && (begun_reg || room[engine_reg]);
    wire no_words  = left_reg == {WORDS_W{1'b0}};
    wire take      = go && !no_words && !s_word_ended && s_word_valid;
    wire truncated = go && !no_words && s_word_ended;
    wire finish    = go && (no_words || s_word_ended || (take && left_reg == ONE));

    assign s_word_ready  = go && !no_words && !s_word_ended;
    assign s_block_ready = finish || !valid_reg;
    assign m_busy        = valid_reg || s_block_valid;
    assign m_truncated   = truncated;
    assign m_full        = valid_reg && !go;

    always @(posedge clk) begin
        if (go) begin
            begun_reg <= !finish;
        end
        if (take) begin
            left_reg <= left_reg - ONE;
            if (code_left_reg != {REGION_WORDS_W{1'b0}}) begin
                code_left_reg <= code_left_reg - ONE_CODE;
            end
        end
        if (finish) begin
            valid_reg  <= 1'b0;
            engine_reg <= (engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : engine_reg + 1'b1;
        end
        if (s_block_ready) begin
            valid_reg        <= s_block_valid;
            count_reg        <= s_block_count;
            code_bits_reg    <= s_block_code_bits;
            offset_bits_reg  <= s_block_offset_bits;
            code_pad_reg     <= s_block_code_pad;
            offset_pad_reg   <= s_block_offset_pad;
            code_words_reg   <= s_block_code_words;
            offset_words_reg <= s_block_offset_words;
            code_left_reg    <= s_block_code_words;
            left_reg         <= s_block_words;
            crc_reg          <= s_block_crc;
            implausible_reg  <= s_block_implausible;
        end

        if (rst) begin
            valid_reg  <= 1'b0;
            begun_reg  <= 1'b0;
            engine_reg <= {ENGINE_W{1'b0}};
        end
    end

    // ---- a cycle later: the padding of the word, the channel -----------------------------------------

    reg [ENGINES-1:0]   word_valid_reg;
    reg [WORD_W-1:0]    word_data_reg;
    reg [PAD_W-1:0]     pad_reg;            // bits of the word behind its stream
    reg                 dirty_reg;          // of the words before
    reg [ENGINES-1:0]   block_valid_reg;
    reg [BLOCK_W-1:0]   block_count_reg;
    reg [BITS_W-1:0]    block_code_bits_reg;
    reg [BITS_W-1:0]    block_offset_bits_reg;
    reg [REGION_WORDS_W-1:0]  block_code_words_reg;
    reg [REGION_WORDS_W-1:0]  block_offset_words_reg;
    reg [31:0]          block_crc_reg;
    reg                 block_implausible_reg;
    reg                 block_truncated_reg;

    wire [WORD_W-1:0] kept  = {WORD_W{1'b1}} << pad_reg;
    wire              dirty = dirty_reg || |(word_data_reg & ~kept);
    reg  [5:0]        cause;

    always @(*) begin
        cause            = 6'd0;
        cause[LENGTH]    = block_implausible_reg;
        cause[PADDING]   = dirty && !block_implausible_reg;
        cause[TRUNCATED] = block_truncated_reg;
    end

    always @(posedge clk) begin
        word_valid_reg <= {{ENGINES-1{1'b0}}, take && !implausible_reg} << engine_reg;
        word_data_reg  <= s_word_data;
        pad_reg        <= !take ? {PAD_W{1'b0}} : (code_left_reg == ONE_CODE) ? code_pad_reg
                        : (left_reg == ONE) ? offset_pad_reg : {PAD_W{1'b0}};
        dirty_reg      <= dirty && block_valid_reg == {ENGINES{1'b0}};

        block_valid_reg        <= {{ENGINES-1{1'b0}}, finish} << engine_reg;
        block_count_reg        <= count_reg;
        block_code_bits_reg    <= code_bits_reg;
        block_offset_bits_reg  <= offset_bits_reg;
        block_code_words_reg   <= code_words_reg;
        block_offset_words_reg <= offset_words_reg;
        block_crc_reg          <= crc_reg;
        block_implausible_reg  <= implausible_reg;
        block_truncated_reg    <= truncated;

        if (rst) begin
            word_valid_reg  <= {ENGINES{1'b0}};
            pad_reg         <= {PAD_W{1'b0}};
            dirty_reg       <= 1'b0;
            block_valid_reg <= {ENGINES{1'b0}};
        end
    end

    assign word_valid         = word_valid_reg;
    assign word_data          = word_data_reg;
    assign block_valid        = block_valid_reg;
    assign block_count        = block_count_reg;
    assign block_code_bits    = block_code_bits_reg;
    assign block_offset_bits  = block_offset_bits_reg;
    assign block_code_words   = block_code_words_reg;
    assign block_offset_words = block_offset_words_reg;
    assign block_crc          = block_crc_reg;
    assign block_cause        = cause;

endmodule

`resetall
