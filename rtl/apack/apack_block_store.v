// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Gathers the words of coded blocks, and decides which blocks are stored raw.
 *
 * There is room for STREAMS + 1 blocks. begin_valid, only while room is high, begins a block of stream
 * begin_stream, whose block before has been released, or was raw and has been drained; blocks begin, and are
 * drained, in one order, round robin over the streams, from 0 after a reset. The engine's pieces of code and
 * offsets come on s_code_* and s_offset_*, for blocks that have begun: PIECE_W bits but for the last of a block,
 * zeros below its bits. Two pieces of each port wait; a cycle stores one, of the port that the cycle before
 * did not serve, code when it served none. Words of code go up from the bottom of a block's region, words of
 * offsets down from its top, padded with zeros.
 *
 * In the cycle after that of a block's last piece, look_stream asks for its number of values and its CRC. The
 * block is raw if its bits exceed those of its values or its words exceed those of the raw block. Otherwise
 * release_valid says in the cycle after that the values of release_stream are no longer needed.
 *
 * drain_valid shows the oldest block from the next cycle on: bits, CRC, number of values, its stream; a raw
 * one has drain_raw, 0 code bits, and the bits of its values as offset bits. Its words are read with
 * read_enable, by number, code from 0 up, offsets from WORDS - 1 down; they show from the next cycle until
 * another is read. drain_done gives its room away.
 */
module apack_block_store #(
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // bits of a piece, a power of two
    parameter PIECE_W      = 16,
    // bits of a word, a power of two, at least PIECE_W
    parameter WORD_W       = 64,
    // most values of a block
    parameter BLOCK_VALUES = 4096,
    // bits of a block's number of bits
    parameter BITS_W       = 24,
    // words of a region, for the largest raw block; leave at its default
    parameter WORDS        = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W,
    // bits of an address, a word's number; leave at its default
    parameter ADDRESS_W    = (WORDS > 1) ? $clog2(WORDS) : 1,
    // bits of a stream's number; leave at its default
    parameter STREAM_W     = (STREAMS > 1) ? $clog2(STREAMS) : 1,
    // bits of a bit count, 0..PIECE_W; leave at its default
    parameter FILL_W       = $clog2(PIECE_W + 1),
    // bits of a number of values, 0..BLOCK_VALUES; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1)
) (
    input  wire                 clk,
    input  wire                 rst,

    output wire                 room,
    input  wire                 begin_valid,
    input  wire [STREAM_W-1:0]  begin_stream,

    input  wire [STREAM_W-1:0]  s_code_stream,
    input  wire [PIECE_W-1:0]   s_code_data,
    input  wire [FILL_W-1:0]    s_code_count,
    input  wire                 s_code_last,
    input  wire                 s_code_valid,
    output wire                 s_code_ready,

    input  wire [STREAM_W-1:0]  s_offset_stream,
    input  wire [PIECE_W-1:0]   s_offset_data,
    input  wire [FILL_W-1:0]    s_offset_count,
    input  wire                 s_offset_last,
    input  wire                 s_offset_valid,
    output wire                 s_offset_ready,

    output wire [STREAM_W-1:0]  look_stream,
    input  wire [VALUES_W-1:0]  look_count,
    input  wire [31:0]          look_crc,
    output wire                 release_valid,
    output wire [STREAM_W-1:0]  release_stream,

    output wire                 drain_valid,
    output wire                 drain_raw,
    output wire [STREAM_W-1:0]  drain_stream,
    output wire [BITS_W-1:0]    drain_code_bits,
    output wire [BITS_W-1:0]    drain_offset_bits,
    output wire [31:0]          drain_crc,
    output wire [VALUES_W-1:0]  drain_count,
    input  wire                 drain_done,

    input  wire                 read_enable,
    input  wire [ADDRESS_W-1:0] read_word,
    output wire [WORD_W-1:0]    read_data
);

    localparam REGIONS  = STREAMS + 1;
    localparam REGION_W = $clog2(REGIONS);
    localparam PIECES   = WORD_W / PIECE_W;
    localparam PIECE_LOG = $clog2(PIECE_W);
    localparam WORD_LOG = $clog2(WORD_W);
    localparam WORDS_W  = BITS_W - WORD_LOG + 1;
    localparam BEAT_W   = STREAM_W + PIECE_W + FILL_W + 1;

    localparam [REGION_W-1:0]  LAST_REGION = STREAMS[REGION_W-1:0];
    localparam [STREAM_W-1:0]  LAST_STREAM = STREAMS[STREAM_W-1:0] - 1'b1;
    localparam [ADDRESS_W-1:0] TOP_WORD    = WORDS[ADDRESS_W-1:0] - 1'b1;
    localparam [WORDS_W-1:0]   WORDS_FULL  = WORDS[WORDS_W-1:0];
    localparam [BITS_W-1:0]    VALUE_BITS  = VALUE_W[BITS_W-1:0];
    localparam [REGION_W:0]    ROOM        = REGIONS[REGION_W:0];

    generate
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_block_store_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (PIECE_W < 1 || (PIECE_W & (PIECE_W - 1)) != 0) begin : g_check_piece
            apack_block_store_needs_PIECE_W_a_power_of_two illegal_parameter ();
        end
        if (WORD_W < 1 || (WORD_W & (WORD_W - 1)) != 0) begin : g_check_word
            apack_block_store_needs_WORD_W_a_power_of_two illegal_parameter ();
        end
        if (WORD_W < PIECE_W) begin : g_check_word_w
            apack_block_store_needs_WORD_W_of_at_least_PIECE_W illegal_parameter ();
        end
    endgenerate

    // words that so many bits take
    function [WORDS_W-1:0] words_of;
        input [BITS_W-1:0] bits;
        words_of = {1'b0, bits[BITS_W-1:WORD_LOG]} + {{WORDS_W-1{1'b0}}, |bits[WORD_LOG-1:0]};
    endfunction

    // ---- regions -----------------------------------------------------------------------------------

    reg [STREAMS*REGION_W-1:0] region_of_reg;       // of each stream's block
    reg [REGION_W-1:0]         begin_region_reg;
    reg [REGION_W-1:0]         drain_region_reg;
    reg [STREAM_W-1:0]         drain_stream_reg;
    reg [REGION_W:0]           blocks_reg;          // begun and not drained

    reg [REGIONS*BITS_W-1:0]   code_bits_reg;
    reg [REGIONS*BITS_W-1:0]   offset_bits_reg;
    reg [REGIONS-1:0]          spilled_reg;         // the words exceed the region
    reg [REGIONS-1:0]          done_reg;
    reg [REGIONS-1:0]          raw_reg;
    reg [REGIONS*32-1:0]       crc_reg;
    reg [REGIONS*VALUES_W-1:0]  count_reg;

    assign room = blocks_reg != ROOM;

    // ---- one piece a cycle -------------------------------------------------------------------------

    wire [BEAT_W-1:0]   code_beat;
    wire                code_valid;
    wire [BEAT_W-1:0]   offset_beat;
    wire                offset_valid;

    reg                 code_before_reg;        // the piece before was one of code
    wire                pick_code = code_valid && !(offset_valid && code_before_reg);
    wire                piece_valid = code_valid || offset_valid;

    cell_skid #(.DATA_W (BEAT_W)) code_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({s_code_stream, s_code_data, s_code_count, s_code_last}),
        .s_valid (s_code_valid),
        .s_ready (s_code_ready),
        .m_data  (code_beat),
        .m_valid (code_valid),
        .m_ready (pick_code)
    );

    cell_skid #(.DATA_W (BEAT_W)) offset_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({s_offset_stream, s_offset_data, s_offset_count, s_offset_last}),
        .s_valid (s_offset_valid),
        .s_ready (s_offset_ready),
        .m_data  (offset_beat),
        .m_valid (offset_valid),
        .m_ready (!pick_code)
    );

    wire [STREAM_W-1:0] piece_stream;
    wire [PIECE_W-1:0]  piece_data;
    wire [FILL_W-1:0]   piece_count;
    wire                piece_last;

    assign {piece_stream, piece_data, piece_count, piece_last} = pick_code ? code_beat : offset_beat;

    wire [REGION_W-1:0] region      = region_of_reg[piece_stream*REGION_W +: REGION_W];
    wire [BITS_W-1:0]   code_bits   = code_bits_reg[region*BITS_W +: BITS_W];
    wire [BITS_W-1:0]   offset_bits = offset_bits_reg[region*BITS_W +: BITS_W];
    wire [BITS_W-1:0]   bits        = pick_code ? code_bits : offset_bits;
    wire [BITS_W-1:0]   next_bits   = bits + {{BITS_W-FILL_W{1'b0}}, piece_count};
    wire [WORDS_W-1:0]  words       = words_of(code_bits) + words_of(offset_bits);
    wire [BITS_W-1:0]   in_word     = bits & (WORD_W[BITS_W-1:0] - 1'b1);
    wire                new_word    = in_word == {BITS_W{1'b0}};
    wire                some        = piece_valid && piece_count != {FILL_W{1'b0}};
    wire                spill       = some && new_word && words >= WORDS_FULL;
    wire [ADDRESS_W-1:0] word       = bits[WORD_LOG +: ADDRESS_W];

    // Lane PIECES - 1 of a word is its first piece; with it the others become zeros.
    wire [PIECES-1:0]   lane        = {PIECES{1'b1}} << (PIECES - 1) >> (in_word >> PIECE_LOG);
    wire [WORD_W-1:0]   first_data  = {PIECES{piece_data}} & ({WORD_W{1'b1}} << (WORD_W - PIECE_W));

    reg [PIECES-1:0]    write_enable_reg;
    reg [REGION_W-1:0]  write_region_reg;
    reg [ADDRESS_W-1:0] write_word_reg;
    reg [WORD_W-1:0]    write_data_reg;

    always @(posedge clk) begin
        code_before_reg  <= pick_code;
        write_enable_reg <= {PIECES{some && !spill && !spilled_reg[region]}}
                          & (new_word ? {PIECES{1'b1}} : lane);
        write_region_reg <= region;
        write_word_reg   <= pick_code ? word : TOP_WORD - word;
        write_data_reg   <= new_word ? first_data : {PIECES{piece_data}};

        if (rst) begin
            write_enable_reg <= {PIECES{1'b0}};
        end
    end

    cell_region_ram #(
        .REGIONS (REGIONS),
        .WORDS   (WORDS),
        .PARTS   (PIECES),
        .PART_W  (PIECE_W)
    ) word_ram_inst (
        .clk          (clk),
        .write_enable (write_enable_reg),
        .write_region (write_region_reg),
        .write_word   (write_word_reg),
        .write_data   (write_data_reg),
        .read_enable  (read_enable),
        .read_region  (drain_region_reg),
        .read_word    (read_word),
        .read_data    (read_data)
    );

    // ---- raw or coded ------------------------------------------------------------------------------

    reg [STREAMS-1:0]  code_ended_reg;
    reg [STREAMS-1:0]  offset_ended_reg;

    wire other_ended = pick_code ? offset_ended_reg[piece_stream] : code_ended_reg[piece_stream];
    wire ended       = piece_valid && piece_last;

    reg                ended_valid_reg;
    reg [STREAM_W-1:0] ended_stream_reg;
    reg [REGION_W-1:0] ended_region_reg;

    assign look_stream = ended_stream_reg;

    wire [BITS_W-1:0]  ended_code_bits   = code_bits_reg[ended_region_reg*BITS_W +: BITS_W];
    wire [BITS_W-1:0]  ended_offset_bits = offset_bits_reg[ended_region_reg*BITS_W +: BITS_W];
    wire [BITS_W-1:0]  ended_raw_bits    = {{BITS_W-VALUES_W{1'b0}}, look_count} * VALUE_BITS;

    reg                decide_valid_reg;
    reg [STREAM_W-1:0] decide_stream_reg;
    reg [REGION_W-1:0] decide_region_reg;
    reg [BITS_W:0]     decide_bits_reg;
    reg [BITS_W-1:0]   decide_raw_bits_reg;
    reg [WORDS_W-1:0]  decide_words_reg;
    reg [VALUES_W-1:0]  decide_count_reg;
    reg [31:0]         decide_crc_reg;

    wire decide_raw = spilled_reg[decide_region_reg]
                   || decide_bits_reg > {1'b0, decide_raw_bits_reg}
                   || decide_words_reg > words_of(decide_raw_bits_reg);

    assign release_valid  = decide_valid_reg && !decide_raw;
    assign release_stream = decide_stream_reg;

    always @(posedge clk) begin
        ended_valid_reg     <= ended && other_ended;
        ended_stream_reg    <= piece_stream;
        ended_region_reg    <= region;

        decide_valid_reg    <= ended_valid_reg;
        decide_stream_reg   <= ended_stream_reg;
        decide_region_reg   <= ended_region_reg;
        decide_bits_reg     <= {1'b0, ended_code_bits} + {1'b0, ended_offset_bits};
        decide_raw_bits_reg <= ended_raw_bits;
        decide_words_reg    <= words_of(ended_code_bits) + words_of(ended_offset_bits);
        decide_count_reg    <= look_count;
        decide_crc_reg      <= look_crc;

        if (ended && pick_code) begin
            code_ended_reg[piece_stream] <= 1'b1;
        end
        if (ended && !pick_code) begin
            offset_ended_reg[piece_stream] <= 1'b1;
        end
        if (ended && other_ended) begin
            code_ended_reg[piece_stream]   <= 1'b0;
            offset_ended_reg[piece_stream] <= 1'b0;
        end

        if (rst) begin
            ended_valid_reg  <= 1'b0;
            decide_valid_reg <= 1'b0;
            code_ended_reg   <= {STREAMS{1'b0}};
            offset_ended_reg <= {STREAMS{1'b0}};
        end
    end

    always @(posedge clk) begin
        if (piece_valid && pick_code) begin
            code_bits_reg[region*BITS_W +: BITS_W] <= next_bits;
        end
        if (piece_valid && !pick_code) begin
            offset_bits_reg[region*BITS_W +: BITS_W] <= next_bits;
        end
        if (spill) begin
            spilled_reg[region] <= 1'b1;
        end

        if (decide_valid_reg) begin
            done_reg[decide_region_reg]                       <= 1'b1;
            raw_reg[decide_region_reg]                        <= decide_raw;
            crc_reg[decide_region_reg*32 +: 32]               <= decide_crc_reg;
            count_reg[decide_region_reg*VALUES_W +: VALUES_W]   <= decide_count_reg;
        end
        if (decide_valid_reg && decide_raw) begin
            code_bits_reg[decide_region_reg*BITS_W +: BITS_W]   <= {BITS_W{1'b0}};
            offset_bits_reg[decide_region_reg*BITS_W +: BITS_W] <= decide_raw_bits_reg;
        end

        if (begin_valid) begin
            region_of_reg[begin_stream*REGION_W +: REGION_W] <= begin_region_reg;
            code_bits_reg[begin_region_reg*BITS_W +: BITS_W]   <= {BITS_W{1'b0}};
            offset_bits_reg[begin_region_reg*BITS_W +: BITS_W] <= {BITS_W{1'b0}};
            spilled_reg[begin_region_reg]                      <= 1'b0;
            done_reg[begin_region_reg]                         <= 1'b0;
            begin_region_reg <= (begin_region_reg == LAST_REGION) ? {REGION_W{1'b0}} : begin_region_reg + 1'b1;
        end

        if (drain_done) begin
            done_reg[drain_region_reg] <= 1'b0;
            drain_region_reg <= (drain_region_reg == LAST_REGION) ? {REGION_W{1'b0}} : drain_region_reg + 1'b1;
            drain_stream_reg <= (drain_stream_reg == LAST_STREAM) ? {STREAM_W{1'b0}} : drain_stream_reg + 1'b1;
        end

        blocks_reg <= blocks_reg + {{REGION_W{1'b0}}, begin_valid} - {{REGION_W{1'b0}}, drain_done};

        if (rst) begin
            done_reg         <= {REGIONS{1'b0}};
            begin_region_reg <= {REGION_W{1'b0}};
            drain_region_reg <= {REGION_W{1'b0}};
            drain_stream_reg <= {STREAM_W{1'b0}};
            blocks_reg       <= {REGION_W+1{1'b0}};
        end
    end

    assign drain_valid       = done_reg[drain_region_reg];
    assign drain_raw         = raw_reg[drain_region_reg];
    assign drain_stream      = drain_stream_reg;
    assign drain_code_bits   = code_bits_reg[drain_region_reg*BITS_W +: BITS_W];
    assign drain_offset_bits = offset_bits_reg[drain_region_reg*BITS_W +: BITS_W];
    assign drain_crc         = crc_reg[drain_region_reg*32 +: 32];
    assign drain_count       = count_reg[drain_region_reg*VALUES_W +: VALUES_W];

endmodule

`resetall
