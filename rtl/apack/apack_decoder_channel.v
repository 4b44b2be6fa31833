// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * A decoder engine with its buffers: takes stored blocks whole, decodes and checks them, puts out values.
 *
 * A block may be brought while s_room is high: its words on s_word_* (code words, then offset words, first
 * bit most significant; no handshake), then s_block_* once, in the cycle of the last word or later, and no
 * words of the next block before the cycle after. s_block_count is 1..BLOCK_VALUES; s_block_code_bits 0 says
 * that the block is raw. The words are those that the lengths need, no more than the block would take raw.
 *
 * s_block_cause tells what the bringer has found wrong with the block, one bit a cause:
 *   0 LENGTH   1 CODE   2 OFFSET   3 PADDING   4 CRC   5 TRUNCATED
 * The channel finds CODE (code bits are not shifts + 2), OFFSET (offset bits are not the sum of the widths,
 * or an offset lies beyond its group) and CRC. A block with LENGTH or TRUNCATED is not decoded: lengths and
 * words are ignored then, and may be fewer.
 *
 * Blocks leave in the order in which they came, each as its ceil(s_block_count / LANES) beats, lane 0 first,
 * m_beat_last with the last one. m_beat_cause is the block's in each of its beats; if there is any, the beats
 * hold zeros. Lanes behind the block's end mean nothing. Block k is stream k mod STREAMS of the engine, and
 * region k mod (STREAMS + 1) of both buffers; a region is one block's from its first word to its last beat.
 *
 * s_room is low in the cycle of s_block_valid, while blocks are in all regions, and in the 16 cycles after a
 * reset, until the engine is settled. A region is free once its last beat shows, or up to three beats before.
 * The row buses are apack_table's; they must hold still while there are blocks.
 */
module apack_decoder_channel #(
    // streams that take turns, 1..8
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS      = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W      = 10,
    // bits of the interval bounds
    parameter CODE_W       = 16,
    // bits of a piece, at least CODE_W and VALUE_W
    parameter PIECE_W      = 16,
    // pieces of a memory word, a power of two
    parameter PIECES       = 4,
    // values of a beat, a power of two
    parameter LANES        = 8,
    // most values of a block, a power of two and a multiple of LANES
    parameter BLOCK_VALUES = 4096,
    // words of a region, for the largest block; leave at its default
    parameter REGION_WORDS = (BLOCK_VALUES * VALUE_W + PIECES * PIECE_W - 1) / (PIECES * PIECE_W),
    // bits of a number of words; leave at its default
    parameter WORDS_W      = $clog2(REGION_WORDS + 1),
    // bits of a block's number of bits; leave at its default
    parameter BITS_W       = $clog2(REGION_WORDS * PIECES * PIECE_W + 1),
    // bits of a block's number of values; leave at its default
    parameter BLOCK_W      = $clog2(BLOCK_VALUES + 1),
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W      = $clog2(VALUE_W + 1)
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_limit,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    output wire                           s_room,
    input  wire                           s_word_valid,
    input  wire [PIECES*PIECE_W-1:0]      s_word_data,

    input  wire                           s_block_valid,
    input  wire [BLOCK_W-1:0]             s_block_count,
    input  wire [BITS_W-1:0]              s_block_code_bits,
    input  wire [BITS_W-1:0]              s_block_offset_bits,
    input  wire [WORDS_W-1:0]             s_block_code_words,
    input  wire [WORDS_W-1:0]             s_block_offset_words,
    input  wire [31:0]                    s_block_crc,
    input  wire [5:0]                     s_block_cause,

    output wire [LANES*VALUE_W-1:0]       m_beat_data,
    output wire [5:0]                     m_beat_cause,
    output wire                           m_beat_last,
    output wire                           m_beat_valid,
    input  wire                           m_beat_ready
);

    localparam LENGTH    = 0;
    localparam TRUNCATED = 5;

    localparam WORD_W     = PIECES * PIECE_W;
    localparam REGIONS    = STREAMS + 1;
    localparam REGION_W   = $clog2(STREAMS + 1);
    localparam STREAM_W   = (STREAMS > 1) ? $clog2(STREAMS) : 1;
    localparam SHIFT_W    = $clog2(CODE_W + 1);
    localparam WORD_AW    = $clog2(REGIONS * REGION_WORDS);
    localparam BEATS      = BLOCK_VALUES / LANES;
    localparam BEAT_AW    = $clog2(REGIONS * BEATS);
    localparam LANE_W     = $clog2(LANES);
    localparam POSITION_W = $clog2(BLOCK_VALUES) + 1;

    // A few streams come back before a piece does: they need more pieces at hand. So do long values.
    localparam DEPTH = (STREAMS >= 3 && 2 * VALUE_W <= PIECE_W) ? 2 : 4;

    localparam [REGION_W-1:0]   LAST_REGION  = STREAMS[REGION_W-1:0];
    localparam [WORD_AW-1:0]    REGION_BASE  = REGION_WORDS[WORD_AW-1:0];
    localparam [BEAT_AW-1:0]    REGION_BEATS = BEATS[BEAT_AW-1:0];
    localparam [POSITION_W-1:0] LANE_MASK    = LANES[POSITION_W-1:0] - 1'b1;

    generate
        if (STREAMS < 1 || STREAMS > 8) begin : g_check_streams
            apack_decoder_channel_needs_STREAMS_of_1_to_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_decoder_channel_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_decoder_channel_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_decoder_channel_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (PIECE_W < CODE_W || PIECE_W < VALUE_W) begin : g_check_piece_w
            apack_decoder_channel_needs_PIECE_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
        end
        if (PIECES < 1 || (PIECES & (PIECES - 1)) != 0) begin : g_check_pieces
            apack_decoder_channel_needs_PIECES_a_power_of_two illegal_parameter ();
        end
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_decoder_channel_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_decoder_channel_needs_BLOCK_VALUES_a_power_of_two_of_at_least_LANES illegal_parameter ();
        end
    endgenerate

    // ---- room ----------------------------------------------------------------------------------------

    // Cycles until the engine's ports name the streams at turn, whatever it did before the reset.
    localparam [3:0] SETTLING = 4'd15;

    reg  [3:0]        settle_reg;
    reg  [REGION_W:0] used_reg;         // regions in use
    reg               room_reg;
    wire              free;

    wire [REGION_W:0] next_used = used_reg + {{REGION_W{1'b0}}, s_block_valid} - {{REGION_W{1'b0}}, free};

    assign s_room = room_reg && !s_block_valid;

    always @(posedge clk) begin
        if (settle_reg != 4'd0) begin
            settle_reg <= settle_reg - 1'b1;
        end
        used_reg <= next_used;
        room_reg <= next_used != REGIONS[REGION_W:0] && settle_reg == 4'd0;

        if (rst) begin
            settle_reg <= SETTLING;
            used_reg   <= {REGION_W+1{1'b0}};
            room_reg   <= 1'b0;
        end
    end

    // ---- stored blocks -------------------------------------------------------------------------------

    wire [REGION_W-1:0] fill_region;
    reg  [WORD_AW-1:0]  fill_address_reg;

    always @(posedge clk) begin
        if (s_block_valid) begin
            fill_address_reg <= (fill_region == LAST_REGION) ? {WORD_AW{1'b0}}
                              : {{WORD_AW-REGION_W{1'b0}}, fill_region} * REGION_BASE + REGION_BASE;
        end else if (s_word_valid) begin
            fill_address_reg <= fill_address_reg + 1'b1;
        end

        if (rst) begin
            fill_address_reg <= {WORD_AW{1'b0}};
        end
    end

    wire               word_read_enable;
    wire [WORD_AW-1:0] word_read_address;
    wire [WORD_W-1:0]  word_read_data;

    cell_ram #(
        .DEPTH  (REGIONS * REGION_WORDS),
        .PARTS  (1),
        .PART_W (WORD_W)
    ) word_ram_inst (
        .clk           (clk),
        .write_enable  (s_word_valid),
        .write_address (fill_address_reg),
        .write_data    (s_word_data),
        .read_enable   (word_read_enable),
        .read_address  (word_read_address),
        .read_data     (word_read_data)
    );

    localparam QUEUE_W = BLOCK_W + 2 + 2 * WORDS_W;

    wire                next_valid;
    wire                next_take;
    wire [REGION_W-1:0] next_region;
    wire [STREAM_W-1:0] next_stream;
    wire [BLOCK_W-1:0]  next_count;
    wire                next_raw;
    wire                next_skip;
    wire [WORDS_W-1:0]  next_code_words;
    wire [WORDS_W-1:0]  next_offset_words;

    apack_block_queue #(
        .STREAMS (STREAMS),
        .DATA_W  (QUEUE_W)
    ) queue_inst (
        .clk      (clk),
        .rst      (rst),
        .s_valid  (s_block_valid),
        .s_data   ({s_block_count, s_block_code_bits == {BITS_W{1'b0}},
                    s_block_cause[LENGTH] || s_block_cause[TRUNCATED],
                    s_block_code_words, s_block_offset_words}),
        .s_region (fill_region),
        .m_valid  (next_valid),
        .m_data   ({next_count, next_raw, next_skip, next_code_words, next_offset_words}),
        .m_region (next_region),
        .m_stream (next_stream),
        .m_take   (next_take)
    );

    // ---- engine --------------------------------------------------------------------------------------

    wire [STREAM_W-1:0] slot_stream;
    wire                slot_ready;
    wire [2:0]          slot_kind;

    wire [STREAM_W-1:0] code_stream;
    wire                code_clear;
    wire                code_ready;
    wire                code_valid;
    wire [PIECE_W-1:0]  code_data;

    wire [STREAM_W-1:0] offset_stream;
    wire                offset_clear;
    wire                offset_ready;
    wire                offset_valid;
    wire [PIECE_W-1:0]  offset_data;

    wire [STREAM_W-1:0] value_stream;
    wire                value_valid;
    wire [VALUE_W-1:0]  value;
    wire                value_illegal;
    wire [WIDTH_W-1:0]  value_offset_count;

    wire [STREAM_W-1:0] used_stream;
    wire [SHIFT_W-1:0]  used_count;

    apack_slot_sequence #(
        .STREAMS (STREAMS),
        .BLOCK_W (BLOCK_W)
    ) sequence_inst (
        .clk         (clk),
        .rst         (rst),
        .s_valid     (next_valid),
        .s_stream    (next_stream),
        .s_count     (next_count),
        .s_raw       (next_raw),
        .s_skip      (next_skip),
        .s_take      (next_take),
        .slot_stream (slot_stream),
        .slot_ready  (slot_ready),
        .slot_kind   (slot_kind)
    );

    apack_piece_fetch #(
        .STREAMS      (STREAMS),
        .PIECE_W      (PIECE_W),
        .PIECES       (PIECES),
        .PIECES_AHEAD (DEPTH),
        .REGION_WORDS (REGION_WORDS)
    ) fetch_inst (
        .clk            (clk),
        .rst            (rst),
        .s_begin        (next_take && !next_skip),
        .s_begin_stream (next_stream),
        .s_begin_region (next_region),
        .s_begin_code   (next_code_words),
        .s_begin_offset (next_offset_words),
        .read_enable    (word_read_enable),
        .read_address   (word_read_address),
        .read_data      (word_read_data),
        .code_stream    (code_stream),
        .code_clear     (code_clear),
        .code_ready     (code_ready),
        .code_valid     (code_valid),
        .code_data      (code_data),
        .offset_stream  (offset_stream),
        .offset_clear   (offset_clear),
        .offset_ready   (offset_ready),
        .offset_valid   (offset_valid),
        .offset_data    (offset_data)
    );

    apack_decoder_engine #(
        .STREAMS (STREAMS),
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .PIECE_W (PIECE_W)
    ) engine_inst (
        .clk             (clk),
        .rst             (rst),
        .row_valid       (row_valid),
        .row_base        (row_base),
        .row_limit       (row_limit),
        .row_offset_w    (row_offset_w),
        .row_cum         (row_cum),
        .s_stream        (slot_stream),
        .s_ready         (slot_ready),
        .s_kind          (slot_kind),
        .s_code_stream   (code_stream),
        .s_code_clear    (code_clear),
        .s_code_ready    (code_ready),
        .s_code_valid    (code_valid),
        .s_code_data     (code_data),
        .s_offset_stream (offset_stream),
        .s_offset_clear  (offset_clear),
        .s_offset_ready  (offset_ready),
        .s_offset_valid  (offset_valid),
        .s_offset_data   (offset_data),
        .m_stream        (value_stream),
        .m_valid         (value_valid),
        .m_value         (value),
        .m_illegal       (value_illegal),
        .m_offset_count  (value_offset_count),
        .m_code_stream   (used_stream),
        .m_code_count    (used_count)
    );

    // ---- what leaves the engine, in registers --------------------------------------------------------

    reg [STREAM_W-1:0] used_stream_reg;
    reg [SHIFT_W-1:0]  used_count_reg;
    reg                used_clear_reg;
    reg                value_clear_reg;     // with the engine's value: the CLEAR of its stream

    always @(posedge clk) begin
        used_stream_reg <= used_stream;
        used_count_reg  <= used_count & {SHIFT_W{!rst}};
        used_clear_reg  <= code_clear && !rst;
        value_clear_reg <= offset_clear && !rst;
    end

    wire [REGION_W-1:0] used_region;
    wire [REGION_W-1:0] value_region;

    apack_region_track #(.STREAMS (STREAMS)) used_region_inst (
        .clk       (clk),
        .rst       (rst),
        .s_stream  (used_stream_reg),
        .s_advance (used_clear_reg),
        .m_region  (used_region)
    );

    apack_region_track #(.STREAMS (STREAMS)) value_region_inst (
        .clk       (clk),
        .rst       (rst),
        .s_stream  (value_stream),
        .s_advance (value_clear_reg),
        .m_region  (value_region)
    );

    wire                code_done;
    wire [REGION_W-1:0] code_done_region;
    wire                code_bad;
    wire                value_done;
    wire [REGION_W-1:0] value_done_region;
    wire                offset_bad;
    wire                crc_bad;

    apack_block_check #(
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .CODE_W       (CODE_W),
        .BLOCK_VALUES (BLOCK_VALUES),
        .BITS_W       (BITS_W)
    ) check_inst (
        .clk                  (clk),
        .rst                  (rst),
        .s_block_valid        (s_block_valid),
        .s_block_region       (fill_region),
        .s_block_code_bits    (s_block_code_bits),
        .s_block_offset_bits  (s_block_offset_bits),
        .s_block_crc          (s_block_crc),
        .s_code_region        (used_region),
        .s_code_count         (used_count_reg),
        .s_code_clear         (used_clear_reg),
        .s_value_region       (value_region),
        .s_value_valid        (value_valid),
        .s_value              (value),
        .s_value_illegal      (value_illegal),
        .s_value_offset_count (value_offset_count),
        .s_value_clear        (value_clear_reg),
        .m_code_done          (code_done),
        .m_code_region        (code_done_region),
        .m_code_bad           (code_bad),
        .m_value_done         (value_done),
        .m_value_region       (value_done_region),
        .m_offset_bad         (offset_bad),
        .m_crc_bad            (crc_bad)
    );

    // ---- values into their buffer --------------------------------------------------------------------

    wire [POSITION_W-1:0] position;     // of the value in its block
    wire [POSITION_W-1:0] next_position = position + {{POSITION_W-1{1'b0}}, value_valid};

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (POSITION_W)
    ) position_ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (1'b1),
        .turn   (1'b1),
        .next   (next_position & {POSITION_W{!value_clear_reg}}),
        .head   (position)
    );

    reg [LANES-1:0]   write_enable_reg;
    reg [BEAT_AW-1:0] write_address_reg;
    reg [VALUE_W-1:0] write_value_reg;

    wire [BEAT_AW-1:0] region_beat = {{BEAT_AW-REGION_W{1'b0}}, value_region} * REGION_BEATS;
    wire [BEAT_AW-1:0] block_beat  = {{BEAT_AW+LANE_W-POSITION_W{1'b0}}, position[POSITION_W-1:LANE_W]};

    always @(posedge clk) begin : b_write
        integer i;

        for (i = 0; i < LANES; i = i + 1) begin
            write_enable_reg[i] <= value_valid && (position & LANE_MASK) == i[POSITION_W-1:0];
        end
        write_address_reg <= region_beat + block_beat;
        write_value_reg   <= value;

        if (rst) begin
            write_enable_reg <= {LANES{1'b0}};
        end
    end

    wire                     beat_read_enable;
    wire [BEAT_AW-1:0]       beat_read_address;
    wire [LANES*VALUE_W-1:0] beat_read_data;

    cell_ram #(
        .DEPTH  (REGIONS * BEATS),
        .PARTS  (LANES),
        .PART_W (VALUE_W)
    ) beat_ram_inst (
        .clk           (clk),
        .write_enable  (write_enable_reg),
        .write_address (write_address_reg),
        .write_data    ({LANES{write_value_reg}}),
        .read_enable   (beat_read_enable),
        .read_address  (beat_read_address),
        .read_data     (beat_read_data)
    );

    apack_block_drain #(
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) drain_inst (
        .clk            (clk),
        .rst            (rst),
        .s_block_valid  (s_block_valid),
        .s_block_region (fill_region),
        .s_block_count  (s_block_count),
        .s_block_cause  (s_block_cause),
        .s_code_done    (code_done),
        .s_code_region  (code_done_region),
        .s_code_bad     (code_bad),
        .s_value_done   (value_done),
        .s_value_region (value_done_region),
        .s_offset_bad   (offset_bad),
        .s_crc_bad      (crc_bad),
        .read_enable    (beat_read_enable),
        .read_address   (beat_read_address),
        .read_data      (beat_read_data),
        .m_free         (free),
        .m_data         (m_beat_data),
        .m_cause        (m_beat_cause),
        .m_last         (m_beat_last),
        .m_valid        (m_beat_valid),
        .m_ready        (m_beat_ready)
    );

endmodule

`resetall
