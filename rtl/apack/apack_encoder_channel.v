// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * One encoder engine with the buffers of its blocks: blocks of values in, index entries and words out.
 *
 * Blocks come in beats of LANES values, lane 0 lowest. fill_ready says that there is room for a whole block;
 * then its beats may come in any cycles. fill_count is the number of values in a beat, LANES in all but the
 * beat with fill_last, where it may be 0 if the block has values already.
 *
 * Blocks leave in the order in which they came, each as an entry (m_entry: CRC-32, offset bits, code bits,
 * from the top of m_data's lowest ENTRY_W bits down; code bits 0 for a raw block) and then as pieces of
 * m_count bits, left-aligned in m_data, zeros below, m_last with the last of them only: the words of a coded
 * block, code before offsets, or beats of values, first value at the top, of a raw one. A block is raw if it
 * has more bits or takes more words coded. What leaves waits unchanged for m_ready.
 *
 * STREAMS blocks are coded at a time, a value a cycle in all. Reading a raw block takes a slot of the engine
 * for each beat.
 */
module apack_encoder_channel #(
    // streams that take turns, 1..8
    parameter STREAMS       = 4,
    // bits of a value, 2..16
    parameter VALUE_W       = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS       = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W       = 10,
    // bits of the interval bounds
    parameter CODE_W        = 16,
    // bits of a piece, a power of two, at least CODE_W and VALUE_W
    parameter PIECE_W       = 16,
    // bits of a word, a power of two, at least PIECE_W
    parameter WORD_W        = 64,
    // values of a beat, a power of two
    parameter LANES         = 8,
    // most values of a block, a power of two and a multiple of LANES
    parameter BLOCK_VALUES  = 4096,
    // bits of a block's number of bits; leave at its default
    parameter BITS_W        = $clog2(BLOCK_VALUES * ((CODE_W > VALUE_W) ? CODE_W : VALUE_W) + WORD_W + 3),
    // bits of an entry; leave at its default
    parameter ENTRY_W       = 32 + 2 * BITS_W,
    // bits of a beat of values; leave at its default
    parameter VALUES_BEAT_W = LANES * VALUE_W,
    // most bits that leave; leave at its default
    parameter OUT_W         = (WORD_W > VALUES_BEAT_W) ? WORD_W : VALUES_BEAT_W,
    // bits of data, on m_data; leave at its default
    parameter DATA_W        = (OUT_W > ENTRY_W) ? OUT_W : ENTRY_W,
    // bits of a bit count, 0..OUT_W; leave at its default
    parameter FILL_W        = $clog2(OUT_W + 1),
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W       = $clog2(VALUE_W + 1),
    // bits of a number of values, 0..LANES; leave at its default
    parameter LANES_W       = $clog2(LANES + 1),
    // bits of a number of values, 0..BLOCK_VALUES; leave at its default
    parameter VALUES_W      = $clog2(BLOCK_VALUES + 1)
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    output wire                           fill_ready,
    input  wire                           fill_valid,
    input  wire [VALUES_BEAT_W-1:0]       fill_data,
    input  wire [LANES_W-1:0]             fill_count,
    input  wire                           fill_last,

    output wire                           m_valid,
    output wire                           m_entry,
    output wire [DATA_W-1:0]              m_data,
    output wire [FILL_W-1:0]              m_count,
    output wire                           m_last,
    input  wire                           m_ready
);

    generate
        if (STREAMS < 1 || STREAMS > 8) begin : g_check_streams
            apack_encoder_channel_needs_STREAMS_of_1_to_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_encoder_channel_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_encoder_channel_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_encoder_channel_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (PIECE_W < 1 || (PIECE_W & (PIECE_W - 1)) != 0) begin : g_check_piece
            apack_encoder_channel_needs_PIECE_W_a_power_of_two illegal_parameter ();
        end
        if (PIECE_W < CODE_W || PIECE_W < VALUE_W) begin : g_check_piece_w
            apack_encoder_channel_needs_PIECE_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
        end
        if (WORD_W < 1 || (WORD_W & (WORD_W - 1)) != 0) begin : g_check_word
            apack_encoder_channel_needs_WORD_W_a_power_of_two illegal_parameter ();
        end
        if (WORD_W < PIECE_W) begin : g_check_word_w
            apack_encoder_channel_needs_WORD_W_of_at_least_PIECE_W illegal_parameter ();
        end
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_encoder_channel_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_encoder_channel_needs_BLOCK_VALUES_a_power_of_two_of_at_least_LANES illegal_parameter ();
        end
    endgenerate

    localparam STREAM_W  = (STREAMS > 1) ? $clog2(STREAMS) : 1;
    localparam PIECE_FW  = $clog2(PIECE_W + 1);
    localparam PENDING_W = BITS_W;
    localparam WORDS     = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W;
    localparam ADDRESS_W = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam WORD_LOG  = $clog2(WORD_W);
    localparam LANE_LOG  = $clog2(LANES);
    localparam BEATS     = BLOCK_VALUES / LANES;
    localparam NUMBER_W  = (BEATS > 1) ? $clog2(BEATS) : 1;
    localparam PLACE_W   = $clog2(((WORDS > BEATS) ? WORDS : BEATS) + 1);

    localparam [FILL_W-1:0]  WORD_BITS  = WORD_W[FILL_W-1:0];
    localparam [FILL_W-1:0]  BEAT_BITS  = VALUES_BEAT_W[FILL_W-1:0];
    localparam [FILL_W-1:0]  VALUE_BITS = VALUE_W[FILL_W-1:0];
    localparam [PLACE_W-1:0] TOP_WORD   = WORDS[PLACE_W-1:0] - 1'b1;
    localparam [VALUES_W-1:0] LANE_MASK = LANES[VALUES_W-1:0] - 1'b1;

    // words that so many bits take, at most WORDS
    function [PLACE_W-1:0] memory_words;
        input [BITS_W-1:0] bits;
        reg   [BITS_W-1:0] full;
        begin
            full         = bits >> WORD_LOG;
            memory_words = full[PLACE_W-1:0] + {{PLACE_W-1{1'b0}}, |bits[WORD_LOG-1:0]};
        end
    endfunction

    // ---- values in ---------------------------------------------------------------------------------

    wire [STREAM_W-1:0] fill_stream;
    wire                fill_begin;
    wire                feed_ready;
    wire                store_room;

    wire                slot_ready;
    wire [STREAM_W-1:0] slot_stream;
    wire                slot_valid;
    wire [VALUE_W-1:0]  slot_value;
    wire                slot_end;

    wire [STREAM_W-1:0] look_stream;
    wire [VALUES_W-1:0] look_count;
    wire [31:0]         look_crc;

    wire                coded_valid;
    wire [STREAM_W-1:0] coded_stream;
    wire                drain_valid;
    wire                drain_raw;
    wire [STREAM_W-1:0] drain_stream;
    wire [BITS_W-1:0]   drain_code_bits;
    wire [BITS_W-1:0]   drain_offset_bits;
    wire [31:0]         drain_crc;
    wire [VALUES_W-1:0] drain_count;
    wire                drain_done;

    wire                beat_read;
    wire [VALUES_BEAT_W-1:0]   beat_data;
    wire                word_read;
    wire [WORD_W-1:0]   word_data;

    reg                 release_raw_reg;        // a raw block's values have been read
    reg [STREAM_W-1:0]  release_stream_reg;
    reg [PLACE_W-1:0]   place_reg;              // of the word or beat to read next

    wire [PLACE_W-1:0]  code_words   = memory_words(drain_code_bits);
    wire [PLACE_W-1:0]  word_address = (place_reg < code_words) ? place_reg
                                     : TOP_WORD - (place_reg - code_words);

    assign fill_ready = feed_ready && store_room;

    apack_block_feed #(
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) block_feed_inst (
        .clk               (clk),
        .rst               (rst),
        .fill_ready        (feed_ready),
        .fill_stream       (fill_stream),
        .fill_begin        (fill_begin),
        .fill_valid        (fill_valid),
        .fill_data         (fill_data),
        .fill_count        (fill_count),
        .fill_last         (fill_last),
        .enable            (slot_ready),
        .s_stream          (slot_stream),
        .m_valid           (slot_valid),
        .m_value           (slot_value),
        .m_end             (slot_end),
        .look_stream       (look_stream),
        .look_count        (look_count),
        .look_crc          (look_crc),
        .coded_valid       (coded_valid),
        .coded_stream      (coded_stream),
        .raw_valid         (release_raw_reg),
        .raw_stream        (release_stream_reg),
        .read_enable       (beat_read),
        .read_stream       (drain_stream),
        .read_beat         (place_reg[NUMBER_W-1:0]),
        .read_data         (beat_data)
    );

    // ---- engine ------------------------------------------------------------------------------------

    wire [STREAM_W-1:0] code_stream;
    wire [PIECE_W-1:0]  code_data;
    wire [PIECE_FW-1:0] code_count;
    wire                code_last;
    wire                code_valid;
    wire                code_ready;
    wire [STREAM_W-1:0] offset_stream;
    wire [PIECE_W-1:0]  offset_data;
    wire [PIECE_FW-1:0] offset_count;
    wire                offset_last;
    wire                offset_valid;
    wire                offset_ready;

    apack_encoder_engine #(
        .STREAMS   (STREAMS),
        .VALUE_W   (VALUE_W),
        .SYMBOLS   (SYMBOLS),
        .COUNT_W   (COUNT_W),
        .CODE_W    (CODE_W),
        .PIECE_W   (PIECE_W),
        .PENDING_W (PENDING_W)
    ) engine_inst (
        .clk             (clk),
        .rst             (rst),
        .row_valid       (row_valid),
        .row_base        (row_base),
        .row_offset_w    (row_offset_w),
        .row_cum         (row_cum),
        .s_stream        (slot_stream),
        .s_ready         (slot_ready),
        .s_valid         (slot_valid),
        .s_value         (slot_value),
        .s_end           (slot_end),
        .m_code_stream   (code_stream),
        .m_code_data     (code_data),
        .m_code_count    (code_count),
        .m_code_last     (code_last),
        .m_code_valid    (code_valid),
        .m_code_ready    (code_ready),
        .m_offset_stream (offset_stream),
        .m_offset_data   (offset_data),
        .m_offset_count  (offset_count),
        .m_offset_last   (offset_last),
        .m_offset_valid  (offset_valid),
        .m_offset_ready  (offset_ready)
    );

    apack_block_store #(
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .PIECE_W      (PIECE_W),
        .WORD_W       (WORD_W),
        .BLOCK_VALUES (BLOCK_VALUES),
        .BITS_W       (BITS_W)
    ) block_store_inst (
        .clk               (clk),
        .rst               (rst),
        .room              (store_room),
        .begin_valid       (fill_begin),
        .begin_stream      (fill_stream),
        .s_code_stream     (code_stream),
        .s_code_data       (code_data),
        .s_code_count      (code_count),
        .s_code_last       (code_last),
        .s_code_valid      (code_valid),
        .s_code_ready      (code_ready),
        .s_offset_stream   (offset_stream),
        .s_offset_data     (offset_data),
        .s_offset_count    (offset_count),
        .s_offset_last     (offset_last),
        .s_offset_valid    (offset_valid),
        .s_offset_ready    (offset_ready),
        .look_stream       (look_stream),
        .look_count        (look_count),
        .look_crc          (look_crc),
        .release_valid     (coded_valid),
        .release_stream    (coded_stream),
        .drain_valid       (drain_valid),
        .drain_raw         (drain_raw),
        .drain_stream      (drain_stream),
        .drain_code_bits   (drain_code_bits),
        .drain_offset_bits (drain_offset_bits),
        .drain_crc         (drain_crc),
        .drain_count       (drain_count),
        .drain_done        (drain_done),
        .read_enable       (word_read),
        .read_word         (word_address[ADDRESS_W-1:0]),
        .read_data         (word_data)
    );

    // ---- blocks out --------------------------------------------------------------------------------

    // A block is read as its entry, then place by place: words of code, words of offsets, or beats.
    reg                 entry_read_reg;         // the entry has been read
    reg                 read_valid_reg;         // what was read in the cycle before
    reg                 read_entry_reg;
    reg                 read_last_reg;
    reg [FILL_W-1:0]    read_count_reg;

    wire                room;
    wire [PLACE_W-1:0]  all_words  = code_words + memory_words(drain_offset_bits);
    wire [VALUES_W-1:0] rest       = drain_count & LANE_MASK;       // values of a beat that is not full
    wire [VALUES_W-1:0] full_beats = drain_count >> LANE_LOG;
    wire [PLACE_W-1:0]  raw_beats  = full_beats[PLACE_W-1:0] + {{PLACE_W-1{1'b0}}, |rest};
    wire [PLACE_W-1:0]  places     = drain_raw ? raw_beats : all_words;
    wire                last_place = place_reg + 1'b1 == places;

    wire entry_read = drain_valid && !entry_read_reg && room;
    wire place_read = drain_valid && entry_read_reg && room && (!drain_raw || slot_ready);

    assign beat_read  = place_read && drain_raw;
    assign word_read  = place_read && !drain_raw;
    assign drain_done = place_read && last_place;

    wire [FILL_W-1:0] rest_bits = {{FILL_W-LANES_W{1'b0}}, rest[LANES_W-1:0]} * VALUE_BITS;

    always @(posedge clk) begin
        if (entry_read) begin
            entry_read_reg <= 1'b1;
            place_reg      <= {PLACE_W{1'b0}};
        end
        if (place_read) begin
            place_reg      <= place_reg + 1'b1;
        end
        if (drain_done) begin
            entry_read_reg <= 1'b0;
        end

        read_valid_reg     <= entry_read || place_read;
        read_entry_reg     <= entry_read;
        read_last_reg      <= drain_done;
        read_count_reg     <= !drain_raw ? WORD_BITS
                            : (last_place && |rest) ? rest_bits : BEAT_BITS;
        release_raw_reg    <= drain_done && drain_raw;
        release_stream_reg <= drain_stream;

        if (rst) begin
            entry_read_reg  <= 1'b0;
            read_valid_reg  <= 1'b0;
            release_raw_reg <= 1'b0;
        end
    end

    reg [VALUES_BEAT_W-1:0] first_up;      // the beat with its first value at the top, values it lacks as zeros
    reg              read_raw_reg;
    always @(*) begin : b_first_up
        integer i;

        for (i = 0; i < LANES; i = i + 1) begin
            first_up[(LANES-1-i)*VALUE_W +: VALUE_W] = beat_data[i*VALUE_W +: VALUE_W];
        end
    end

    wire [VALUES_BEAT_W-1:0] beyond = {VALUES_BEAT_W{1'b1}} >> read_count_reg;
    reg  [DATA_W-1:0] read_data;

    always @(*) begin
        read_data = {DATA_W{1'b0}};
        if (read_entry_reg) begin
            read_data[ENTRY_W-1:0] = {drain_crc, drain_offset_bits, drain_code_bits};
        end else if (read_raw_reg) begin
            read_data[DATA_W-1 -: VALUES_BEAT_W] = first_up & ~beyond;
        end else begin
            read_data[DATA_W-1 -: WORD_W] = word_data;
        end
    end

    always @(posedge clk) begin
        read_raw_reg <= drain_raw;
    end

    cell_read_buffer #(.DATA_W (2 + FILL_W + DATA_W)) read_buffer_inst (
        .clk     (clk),
        .rst     (rst),
        .room    (room),
        .s_valid (read_valid_reg),
        .s_data  ({read_entry_reg, read_last_reg, read_count_reg, read_data}),
        .m_valid (m_valid),
        .m_data  ({m_entry, m_last, m_count, m_data}),
        .m_ready (m_ready)
    );

endmodule

`resetall
