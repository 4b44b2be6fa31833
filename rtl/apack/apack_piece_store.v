// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Puts the pieces of coded blocks where a decoder takes them, and decides which blocks are stored raw.
 *
 * There is room for two blocks. s_* is what an apack_encoder_engine says of one block after the other: each take
 * reserves the next place of the block, the code piece's before the offset piece's, and the piece is written
 * there when it is complete. The FIRST pieces of stream k have the places from k * FIRST on. The one write port
 * serves code pieces at once; s_offset_ready is low in the cycles in which it does.
 *
 * After the block's last piece, m_valid rises and the block's m_raw and m_pieces show until m_taken: it is raw if
 * it was far, or if its pieces take more words than its s_values values of VALUE_W bits; m_pieces is the number
 * of pieces in which it is stored. s_values must hold while a block is ended and not taken, and no other may
 * end in that time.
 * The words of a block are read with read_enable, region 0 for the first block after a reset, 1 for the next, and
 * so in turn; read_data shows from the next cycle on until another is read. Pieces beyond the last one mean
 * nothing. A block may take and write once the one before the last has been read.
 *
 * Example (STREAMS 1, 64-bit words): takes of code, offset, code; pieces A first, then B, offset C, D at the end
 * -> word 0 is A B C D.
 */
module apack_piece_store #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // bits of the interval bounds
    parameter CODE_W       = 16,
    // bits of a piece, a power of two
    parameter PIECE_W      = 16,
    // bits of a word, a power of two, at least PIECE_W
    parameter WORD_W       = 64,
    // most values of a block
    parameter BLOCK_VALUES = 4096,
    // words of a block, the largest raw one; leave at its default
    parameter WORDS        = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W,
    // bits of an address, a word's number; leave at its default
    parameter ADDRESS_W    = (WORDS > 1) ? $clog2(WORDS) : 1,
    // bits of a stream's number; leave at its default
    parameter STREAM_W     = (STREAMS > 1) ? $clog2(STREAMS) : 1,
    // bits of a number of values, 0..BLOCK_VALUES; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1),
    // bits of a number of pieces, at most those of WORDS words; leave at its default
    parameter PIECES_W     = $clog2(WORDS * (WORD_W / PIECE_W) + 1)
) (
    input  wire                 clk,
    input  wire                 rst,

    input  wire [STREAM_W-1:0]  s_stream,
    input  wire                 s_code_take,
    input  wire [3:0]           s_take_number,
    input  wire                 s_offset_take,
    input  wire                 s_code_valid,
    input  wire [PIECE_W-1:0]   s_code_data,
    input  wire [3:0]           s_code_number,
    input  wire                 s_code_first,
    input  wire                 s_far,
    input  wire                 s_end,

    input  wire [PIECE_W-1:0]   s_offset_data,
    input  wire                 s_offset_last,
    input  wire                 s_offset_valid,
    output wire                 s_offset_ready,

    input  wire [VALUES_W-1:0]  s_values,

    output wire                 m_valid,
    output wire                 m_raw,
    output wire [PIECES_W-1:0]  m_pieces,
    input  wire                 m_taken,

    input  wire                 read_enable,
    input  wire                 read_region,
    input  wire [ADDRESS_W-1:0] read_word,
    output wire [WORD_W-1:0]    read_data
);

    localparam PARTS      = WORD_W / PIECE_W;
    localparam PART_LOG   = $clog2(PARTS);
    localparam PIECE_LOG  = $clog2(PIECE_W);
    localparam FIRST      = (CODE_W + PIECE_W - 1) / PIECE_W;
    localparam FIRSTS     = STREAMS * FIRST;
    // places that takes may count up to, or pieces: of a block that ends raw, more than there is room for
    localparam PLACE_W    = $clog2(2 * BLOCK_VALUES + FIRSTS + PARTS);
    localparam DEPTH      = (WORDS > 1) ? 2 * WORDS : 4;
    localparam WORD_LOG   = PLACE_W - PART_LOG;
    localparam BITS_W     = VALUES_W + 5;
    localparam QUEUE_AW   = STREAM_W + 4;

    localparam [PLACE_W-1:0] ALL_PLACES  = FIRSTS[PLACE_W-1:0];
    localparam [PLACE_W-1:0] FIRST_STEP  = FIRST[PLACE_W-1:0];
    localparam [BITS_W-1:0]  VALUE_BITS  = VALUE_W[BITS_W-1:0];
    localparam [BITS_W-1:0]  PIECE_ROUND = PIECE_W[BITS_W-1:0] - 1'b1;
    localparam [31:0]        WORD_TOP    = WORDS;

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_piece_store_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_piece_store_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (PIECE_W < 1 || (PIECE_W & (PIECE_W - 1)) != 0) begin : g_check_piece
            apack_piece_store_needs_PIECE_W_a_power_of_two illegal_parameter ();
        end
        if (WORD_W < 1 || (WORD_W & (WORD_W - 1)) != 0) begin : g_check_word
            apack_piece_store_needs_WORD_W_a_power_of_two illegal_parameter ();
        end
        if (WORD_W < PIECE_W) begin : g_check_word_w
            apack_piece_store_needs_WORD_W_of_at_least_PIECE_W illegal_parameter ();
        end
    endgenerate

    // ---- places ------------------------------------------------------------------------------------

    reg                region_reg;          // of the block that takes
    reg [PLACE_W-1:0]  next_reg;            // its next place
    reg [PLACE_W:0]    offset_place_reg;    // region and place of the offset piece that is filled,
    reg [PLACE_W:0]    waiting_place_reg;   // and of the one before it
    wire [PLACE_W-1:0] offset_place = next_reg + {{PLACE_W-1{1'b0}}, s_code_take};

    always @(posedge clk) begin
        next_reg <= offset_place + {{PLACE_W-1{1'b0}}, s_offset_take};

        if (s_offset_take) begin
            offset_place_reg  <= {region_reg, offset_place};
        end
        if (s_offset_take || s_end) begin
            waiting_place_reg <= offset_place_reg;
        end
        if (s_end) begin
            region_reg <= !region_reg;
            next_reg   <= ALL_PLACES;
        end

        if (rst) begin
            region_reg <= 1'b0;
            next_reg   <= ALL_PLACES;
        end
    end

    // Of each stream a queue of the places that wait for their pieces.
    wire [PLACE_W-1:0] queue_place;

    cell_ram #(
        .DEPTH  (1 << QUEUE_AW),
        .PARTS  (1),
        .PART_W (PLACE_W)
    ) queue_ram_inst (
        .clk           (clk),
        .write_enable  (s_code_take),
        .write_address ({s_stream, s_take_number}),
        .write_data    (next_reg),
        .read_enable   (s_code_valid),
        .read_address  ({s_stream, s_code_number}),
        .read_data     (queue_place)
    );

    // ---- writing -----------------------------------------------------------------------------------

    reg               code_valid_reg;
    reg [PIECE_W-1:0] code_data_reg;
    reg               code_first_reg;
    reg [PLACE_W-1:0] code_place_reg;       // of a first piece
    reg               code_region_reg;

    assign s_offset_ready = !code_valid_reg;

    always @(posedge clk) begin
        code_valid_reg  <= s_code_valid;
        code_data_reg   <= s_code_data;
        code_first_reg  <= s_code_first;
        code_place_reg  <= {{PLACE_W-STREAM_W{1'b0}}, s_stream} * FIRST_STEP
                         + {{PLACE_W-1{1'b0}}, s_code_number[0]};
        code_region_reg <= region_reg;

        if (rst) begin
            code_valid_reg <= 1'b0;
        end
    end

    wire [PLACE_W:0]     place = !code_valid_reg ? waiting_place_reg
                               : {code_region_reg, code_first_reg ? code_place_reg : queue_place};
    wire                 write = code_valid_reg || s_offset_valid;
    wire [WORD_LOG-1:0]  word  = place[PLACE_W-1:PART_LOG];
    wire                 fits  = {{32-WORD_LOG{1'b0}}, word} < WORD_TOP;
    wire [PARTS-1:0]     part;

    generate
        if (PARTS > 1) begin : g_parts
            // the first piece of a word is its uppermost part
            assign part = {1'b1, {PARTS-1{1'b0}}} >> place[PART_LOG-1:0];
        end else begin : g_part
            assign part = 1'b1;
        end
    endgenerate

    // ---- raw or coded ------------------------------------------------------------------------------

    reg                far_reg;
    reg                ended_reg;
    reg                valid_reg;
    reg                raw_reg;
    reg [PLACE_W-1:0]  pieces_reg;          // of the block that has ended

    function [BITS_W-1:0] words_of;
        input [BITS_W-1:0] held;
        words_of = (held + PARTS[BITS_W-1:0] - 1'b1) >> PART_LOG;
    endfunction

    wire [BITS_W-1:0] raw_pieces   = ({5'd0, s_values} * VALUE_BITS + PIECE_ROUND) >> PIECE_LOG;
    wire [BITS_W-1:0] coded_pieces = {{BITS_W-PLACE_W{1'b0}}, pieces_reg};
    wire              raw          = raw_reg || words_of(coded_pieces) > words_of(raw_pieces);
    // The last offset piece may still wait.
    wire              decide       = ended_reg && !(s_offset_valid && s_offset_last);

    always @(posedge clk) begin
        if (s_far) begin
            far_reg <= 1'b1;
        end
        if (s_end) begin
            ended_reg  <= 1'b1;
            far_reg    <= 1'b0;
            raw_reg    <= far_reg;
            pieces_reg <= next_reg;
        end
        if (decide) begin
            ended_reg  <= 1'b0;
            valid_reg  <= 1'b1;
            raw_reg    <= raw;
            pieces_reg <= raw ? raw_pieces[PLACE_W-1:0] : pieces_reg;
        end
        if (m_taken) begin
            valid_reg <= 1'b0;
        end

        if (rst) begin
            far_reg   <= 1'b0;
            ended_reg <= 1'b0;
            valid_reg <= 1'b0;
        end
    end

    assign m_valid  = valid_reg;
    assign m_raw    = raw_reg;
    assign m_pieces = pieces_reg[PIECES_W-1:0];

    // ---- memory ------------------------------------------------------------------------------------

    // The regions stand word beside word, so that no word number needs a sum.
    cell_ram #(
        .DEPTH  (DEPTH),
        .PARTS  (PARTS),
        .PART_W (PIECE_W)
    ) piece_ram_inst (
        .clk           (clk),
        .write_enable  (part & {PARTS{write && fits}}),
        .write_address ({word[ADDRESS_W-1:0], place[PLACE_W]}),
        .write_data    ({PARTS{code_valid_reg ? code_data_reg : s_offset_data}}),
        .read_enable   (read_enable),
        .read_address  ({read_word, read_region}),
        .read_data     (read_data)
    );

endmodule

`resetall
