// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * One encoder engine with the buffers of its blocks: blocks of values in, headers and words out.
 *
 * A block comes in beats of LANES values, lane 0 lowest. s_count is the number of values in a beat, LANES in all
 * but the beat with s_last, where it may be 0 if the block has values already. s_bank, the same in all beats of
 * a block, chooses the rows of its table: bank 1 has the upper half of each row bus; they are apack_table's, and
 * hold still while a block of their bank is under way.
 *
 * Blocks leave in the order in which they came, each as its header (m_header: the 64 bits of the format at the
 * top of m_data, with m_values values, m_pieces pieces and m_raw) and then as beats of m_count bits,
 * left-aligned in m_data, zeros below, m_last with the last of them: the words of a coded block, or beats of
 * values, first value at the top, of a raw one. What leaves waits unchanged for m_ready.
 *
 * There is room for two blocks. A block that begins while another is under way waits for the room of the one
 * before that; its end is coded when the header of the one before has left.
 * With SHARED, of several channels that take blocks in turn, two blocks more wait in front, so that the others
 * are served while this one is at work.
 */
module apack_encoder_channel #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS       = 4,
    // bits of a value, 2..16
    parameter VALUE_W       = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS       = 16,
    // bits of a cumulative count, at most CODE_W - 2 and 16
    parameter COUNT_W       = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W        = 16,
    // bits of a piece; leave at its default
    parameter PIECE_W       = (COUNT_W > 14) ? 32 : 16,
    // bits of a word: 16, 32 or 64, at least PIECE_W
    parameter WORD_W        = 64,
    // values of a beat, a power of two
    parameter LANES         = 8,
    // most values of a block, a power of two and a multiple of LANES
    parameter BLOCK_VALUES  = 4096,
    // one of several channels if 1, whose blocks wait in front of the engine; 0 or 1
    parameter SHARED        = 0,
    // bits of a beat of values; leave at its default
    parameter VALUES_BEAT_W = LANES * VALUE_W,
    // most bits that leave, also a header; leave at its default
    parameter OUT_W         = (VALUES_BEAT_W > 64) ? VALUES_BEAT_W : 64,
    // bits of a bit count, 0..OUT_W; leave at its default
    parameter FILL_W        = $clog2(OUT_W + 1),
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W       = $clog2(VALUE_W + 1),
    // bits of a number of values of a beat, 0..LANES; leave at its default
    parameter LANES_W       = $clog2(LANES + 1),
    // words of a block, the largest raw one; leave at its default
    parameter WORDS         = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W,
    // bits of a number of values, 0..BLOCK_VALUES; leave at its default
    parameter VALUES_W      = $clog2(BLOCK_VALUES + 1),
    // bits of a number of pieces, at most those of WORDS words; leave at its default
    parameter PIECES_W      = $clog2(WORDS * (WORD_W / PIECE_W) + 1)
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire [2*SYMBOLS-1:0]             row_valid,
    input  wire [2*SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [2*SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [2*SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire                             s_valid,
    output wire                             s_ready,
    input  wire [VALUES_BEAT_W-1:0]         s_data,
    input  wire [LANES_W-1:0]               s_count,
    input  wire                             s_last,
    input  wire                             s_bank,

    output wire                             m_valid,
    output wire                             m_header,
    output wire [OUT_W-1:0]                 m_data,
    output wire [FILL_W-1:0]                m_count,
    output wire                             m_last,
    output wire [VALUES_W-1:0]              m_values,
    output wire [PIECES_W-1:0]              m_pieces,
    output wire                             m_raw,
    input  wire                             m_ready
);

    localparam STREAM_W  = (STREAMS > 1) ? $clog2(STREAMS) : 1;
    localparam PARTS     = WORD_W / PIECE_W;
    localparam PART_LOG  = $clog2(PARTS);
    localparam LANE_LOG  = $clog2(LANES);
    localparam BEATS     = BLOCK_VALUES / LANES;
    localparam ADDRESS_W = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam NUMBER_W  = (BEATS > 1) ? $clog2(BEATS) : 1;
    localparam PLACE_W   = (ADDRESS_W > NUMBER_W) ? ADDRESS_W : NUMBER_W;
    localparam WIDE_W    = ((VALUES_W > PIECES_W) ? VALUES_W : PIECES_W) + 1;
    localparam MOST      = (LANES > PARTS) ? LANES : PARTS;
    localparam REST_W    = (MOST > 1) ? $clog2(MOST) : 1;
    localparam KEPT      = 1 << REST_W;
    localparam DEPTH     = (BEATS > 1) ? 2 * BEATS : 4;

    localparam [STREAM_W-1:0] LAST        = STREAMS[STREAM_W-1:0] - 1'b1;
    localparam [LANES_W-1:0]  ONE_LEFT    = 1;
    localparam [WIDE_W-1:0]   LANE_MASK   = LANES[WIDE_W-1:0] - 1'b1;
    localparam [WIDE_W-1:0]   PART_MASK   = PARTS[WIDE_W-1:0] - 1'b1;
    localparam [FILL_W-1:0]   HEADER_BITS = 64;
    localparam [FILL_W-1:0]   WORD_BITS   = WORD_W[FILL_W-1:0];
    localparam [FILL_W-1:0]   VALUE_BITS  = VALUE_W[FILL_W-1:0];

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_encoder_channel_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_encoder_channel_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_encoder_channel_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > 16 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_encoder_channel_needs_COUNT_W_of_1_to_16_and_CODE_W_minus_2 illegal_parameter ();
        end
        if (CODE_W > 32) begin : g_check_code_w
            apack_encoder_channel_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
        if ((WORD_W != 16 && WORD_W != 32 && WORD_W != 64) || WORD_W < PIECE_W) begin : g_check_word_w
            apack_encoder_channel_needs_WORD_W_of_16_32_or_64_and_at_least_PIECE_W illegal_parameter ();
        end
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_encoder_channel_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_encoder_channel_needs_BLOCK_VALUES_a_power_of_two_of_at_least_LANES illegal_parameter ();
        end
        if (SHARED != 0 && SHARED != 1) begin : g_check_shared
            apack_encoder_channel_needs_SHARED_of_0_or_1 illegal_parameter ();
        end
    endgenerate

    // ---- beats in ----------------------------------------------------------------------------------

    wire [VALUES_BEAT_W-1:0] beat_data;
    wire [LANES_W-1:0]       beat_count;
    wire                     beat_last;
    wire                     beat_bank;
    wire                     beat_valid;
    wire                     beat_ready;

    generate
        if (SHARED != 0) begin : g_shared
            cell_ram_fifo #(
                .DATA_W (VALUES_BEAT_W + LANES_W + 2),
                .DEPTH  (DEPTH)
            ) front_fifo_inst (
                .clk     (clk),
                .rst     (rst),
                .s_data  ({s_data, s_count, s_last, s_bank}),
                .s_valid (s_valid),
                .s_ready (s_ready),
                .m_data  ({beat_data, beat_count, beat_last, beat_bank}),
                .m_valid (beat_valid),
                .m_ready (beat_ready)
            );
        end else begin : g_alone
            assign {beat_data, beat_count, beat_last, beat_bank} = {s_data, s_count, s_last, s_bank};
            assign beat_valid = s_valid;
            assign s_ready    = beat_ready;
        end
    endgenerate

    // ---- values to slots ---------------------------------------------------------------------------

    // The beat whose values are coded, and after them the end of the block, a slot of each stream.
    reg [VALUES_BEAT_W-1:0] held_reg;
    reg [LANES_W-1:0]       left_reg;           // values that are to be coded
    reg                     held_bank_reg;
    reg                     held_last_reg;      // the block ends after them
    reg [STREAM_W-1:0]      ends_reg;           // slots of the end that have been taken
    reg                     row_bank_reg;       // of the value in the engine's first stage
    reg [STREAM_W-1:0]      stream_reg;         // of the next value
    reg [VALUES_W-1:0]      count_reg;          // values of the block so far
    reg [31:0]              crc_reg;            // of them
    reg                     closed_reg;         // the end of a block has begun and its header has not left
    reg [VALUES_W-1:0]      closed_count_reg;
    reg [31:0]              closed_crc_reg;

    reg [1:0]               blocks_reg;         // that have room
    reg                     inside_reg;         // a block has begun and its last beat is to come
    reg                     fill_region_reg;
    reg [NUMBER_W-1:0]      fill_beat_reg;

    wire                    header_left;
    wire                    block_left;

    wire [STREAM_W-1:0]     slot_stream;
    wire                    slot_ready;
    wire                    none       = left_reg == {LANES_W{1'b0}};
    wire                    slot_valid = !none && slot_stream == stream_reg;
    wire                    first_end  = ends_reg == {STREAM_W{1'b0}};
    wire                    last_end   = ends_reg == LAST;
    wire                    slot_end   = held_last_reg && none && !(first_end && closed_reg);
    wire                    take_value = slot_valid && slot_ready;
    wire                    take_end   = slot_end && slot_ready;
    wire                    emptied    = none || (take_value && left_reg == ONE_LEFT);
    wire                    fill;

    assign beat_ready = emptied && (!held_last_reg || (take_end && last_end)) && (inside_reg || !blocks_reg[1]);
    assign fill       = beat_valid && beat_ready;

    wire [VALUES_BEAT_W+VALUE_W-1:0] held_next = {{VALUE_W{1'b0}}, held_reg};     // and the value at the bottom
    wire [VALUE_W-1:0]               value     = held_next[VALUE_W-1:0];
    wire [31:0]                      next_crc;

    cell_crc32 #(.DATA_W (VALUE_W)) crc_inst (
        .crc  (crc_reg),
        .data (value),
        .next (next_crc)
    );

    always @(posedge clk) begin
        if (take_value) begin
            held_reg     <= held_next[VALUES_BEAT_W+VALUE_W-1:VALUE_W];
            left_reg     <= left_reg - 1'b1;
            row_bank_reg <= held_bank_reg;
            stream_reg   <= (stream_reg + 1'b1) & LAST;
            count_reg    <= count_reg + 1'b1;
            crc_reg      <= next_crc;
        end
        if (header_left) begin
            closed_reg <= 1'b0;
        end
        if (take_end) begin
            ends_reg   <= (ends_reg + 1'b1) & LAST;
            stream_reg <= {STREAM_W{1'b0}};
            count_reg  <= {VALUES_W{1'b0}};
            crc_reg    <= 32'hFFFFFFFF;
        end
        if (take_end && first_end) begin
            closed_reg       <= 1'b1;
            closed_count_reg <= count_reg;
            closed_crc_reg   <= ~crc_reg;
        end
        if (take_end && last_end) begin
            held_last_reg <= 1'b0;
        end
        if (fill) begin
            held_reg      <= beat_data;
            left_reg      <= beat_count;
            held_bank_reg <= beat_bank;
            held_last_reg <= beat_last;
            inside_reg    <= !beat_last;
            fill_beat_reg <= beat_last ? {NUMBER_W{1'b0}} : fill_beat_reg + 1'b1;
        end
        if (fill && beat_last) begin
            fill_region_reg <= !fill_region_reg;
        end

        blocks_reg <= blocks_reg + {1'b0, fill && !inside_reg} - {1'b0, block_left};

        if (rst) begin
            left_reg        <= {LANES_W{1'b0}};
            held_last_reg   <= 1'b0;
            ends_reg        <= {STREAM_W{1'b0}};
            stream_reg      <= {STREAM_W{1'b0}};
            count_reg       <= {VALUES_W{1'b0}};
            crc_reg         <= 32'hFFFFFFFF;
            closed_reg      <= 1'b0;
            blocks_reg      <= 2'd0;
            inside_reg      <= 1'b0;
            fill_region_reg <= 1'b0;
            fill_beat_reg   <= {NUMBER_W{1'b0}};
        end
    end

    // ---- engine ------------------------------------------------------------------------------------

    wire [STREAM_W-1:0] piece_stream;
    wire                code_take;
    wire [3:0]          take_number;
    wire                offset_take;
    wire                code_valid;
    wire [PIECE_W-1:0]  code_data;
    wire [3:0]          code_number;
    wire                code_first;
    wire                far;
    wire                block_end;
    wire [PIECE_W-1:0]  offset_data;
    wire                offset_last;
    wire                offset_valid;
    wire                offset_ready;

    apack_encoder_engine #(
        .STREAMS (STREAMS),
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) engine_inst (
        .clk            (clk),
        .rst            (rst),
        .row_valid      (row_bank_reg ? row_valid[SYMBOLS +: SYMBOLS] : row_valid[0 +: SYMBOLS]),
        .row_base       (row_bank_reg ? row_base[SYMBOLS*VALUE_W +: SYMBOLS*VALUE_W]
                                      : row_base[0 +: SYMBOLS*VALUE_W]),
        .row_offset_w   (row_bank_reg ? row_offset_w[SYMBOLS*WIDTH_W +: SYMBOLS*WIDTH_W]
                                      : row_offset_w[0 +: SYMBOLS*WIDTH_W]),
        .row_cum        (row_bank_reg ? row_cum[SYMBOLS*(COUNT_W+1) +: SYMBOLS*(COUNT_W+1)]
                                      : row_cum[0 +: SYMBOLS*(COUNT_W+1)]),
        .s_stream       (slot_stream),
        .s_ready        (slot_ready),
        .s_valid        (slot_valid),
        .s_value        (value),
        .s_end          (slot_end),
        .s_last         (slot_end && last_end),
        .m_stream       (piece_stream),
        .m_code_take    (code_take),
        .m_take_number  (take_number),
        .m_offset_take  (offset_take),
        .m_code_valid   (code_valid),
        .m_code_data    (code_data),
        .m_code_number  (code_number),
        .m_code_first   (code_first),
        .m_far          (far),
        .m_end          (block_end),
        .m_offset_data  (offset_data),
        .m_offset_last  (offset_last),
        .m_offset_valid (offset_valid),
        .m_offset_ready (offset_ready)
    );

    // ---- blocks out --------------------------------------------------------------------------------

    // A block leaves as its header, then place by place: words of pieces, or beats. What was read last stays in
    // the memory's output until it has left.
    reg                 leaving_reg;            // the header has left, and there is more to read
    reg                 leave_raw_reg;
    reg                 leave_region_reg;
    reg [PLACE_W-1:0]   leave_place_reg;        // of the word or beat to read next
    reg [PLACE_W-1:0]   leave_last_place_reg;
    reg [REST_W-1:0]    leave_rest_reg;         // pieces or values of the last one, less one
    reg                 read_valid_reg;         // what was read in a cycle before
    reg                 read_last_reg;
    reg [REST_W-1:0]    read_rest_reg;          // pieces or values of it, less one

    wire                block_valid;
    wire                idle      = !leaving_reg && !read_valid_reg;
    wire                read      = leaving_reg && (!read_valid_reg || m_ready);
    wire                read_last = leave_place_reg == leave_last_place_reg;
    wire [VALUES_W-1:0] last_value = closed_count_reg - 1'b1;
    wire [PIECES_W-1:0] last_piece = m_pieces - 1'b1;
    wire [WIDE_W-1:0]   last_place = m_raw ? {{WIDE_W-VALUES_W{1'b0}}, last_value} >> LANE_LOG
                                           : {{WIDE_W-PIECES_W{1'b0}}, last_piece} >> PART_LOG;
    wire [WIDE_W-1:0]   rest       = m_raw ? {{WIDE_W-VALUES_W{1'b0}}, last_value} & LANE_MASK
                                           : {{WIDE_W-PIECES_W{1'b0}}, last_piece} & PART_MASK;

    assign header_left = idle && block_valid && m_ready;
    assign block_left  = read && read_last;

    always @(posedge clk) begin
        if (m_ready) begin
            read_valid_reg <= 1'b0;
        end
        if (header_left) begin
            leaving_reg          <= 1'b1;
            leave_raw_reg        <= m_raw;
            leave_place_reg      <= {PLACE_W{1'b0}};
            leave_last_place_reg <= last_place[PLACE_W-1:0];
            leave_rest_reg       <= rest[REST_W-1:0];
        end
        if (read) begin
            leave_place_reg <= leave_place_reg + 1'b1;
            read_valid_reg  <= 1'b1;
            read_last_reg   <= read_last;
            read_rest_reg   <= read_last ? leave_rest_reg
                             : leave_raw_reg ? LANE_MASK[REST_W-1:0] : PART_MASK[REST_W-1:0];
        end
        if (block_left) begin
            leaving_reg      <= 1'b0;
            leave_region_reg <= !leave_region_reg;
        end

        if (rst) begin
            leaving_reg      <= 1'b0;
            leave_region_reg <= 1'b0;
            read_valid_reg   <= 1'b0;
        end
    end

    wire [VALUES_BEAT_W-1:0] read_beat;
    wire [WORD_W-1:0]        read_word;

    cell_ram #(
        .DEPTH  (DEPTH),
        .PARTS  (1),
        .PART_W (VALUES_BEAT_W)
    ) value_ram_inst (
        .clk           (clk),
        .write_enable  (fill && beat_count != {LANES_W{1'b0}}),
        .write_address ({fill_beat_reg, fill_region_reg}),
        .write_data    (beat_data),
        .read_enable   (read && leave_raw_reg),
        .read_address  ({leave_place_reg[NUMBER_W-1:0], leave_region_reg}),
        .read_data     (read_beat)
    );

    apack_piece_store #(
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .CODE_W       (CODE_W),
        .PIECE_W      (PIECE_W),
        .WORD_W       (WORD_W),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) piece_store_inst (
        .clk            (clk),
        .rst            (rst),
        .s_stream       (piece_stream),
        .s_code_take    (code_take),
        .s_take_number  (take_number),
        .s_offset_take  (offset_take),
        .s_code_valid   (code_valid),
        .s_code_data    (code_data),
        .s_code_number  (code_number),
        .s_code_first   (code_first),
        .s_far          (far),
        .s_end          (block_end),
        .s_offset_data  (offset_data),
        .s_offset_last  (offset_last),
        .s_offset_valid (offset_valid),
        .s_offset_ready (offset_ready),
        .s_values       (closed_count_reg),
        .m_valid        (block_valid),
        .m_raw          (m_raw),
        .m_pieces       (m_pieces),
        .m_taken        (header_left),
        .read_enable    (read && !leave_raw_reg),
        .read_word      (leave_place_reg[ADDRESS_W-1:0]),
        .read_data      (read_word),
        .read_region    (leave_region_reg)
    );

    wire [24:0] sized = {{24-PIECES_W{1'b0}}, m_pieces, m_raw};
    wire [6:0]  sized_crc;

    cell_crc7 #(.DATA_W (25)) sized_crc_inst (
        .data (sized),
        .crc  (sized_crc)
    );

    wire [KEPT-1:0] kept = ~({KEPT{1'b1}} << 1 << read_rest_reg);
    reg  [OUT_W-1:0] values;
    reg  [OUT_W-1:0] pieces;

    always @(*) begin : b_left_aligned
        integer i;

        values = {OUT_W{1'b0}};
        for (i = 0; i < LANES; i = i + 1) begin
            if (kept[i]) begin
                values[OUT_W-1-i*VALUE_W -: VALUE_W] = read_beat[i*VALUE_W +: VALUE_W];
            end
        end

        pieces = {OUT_W{1'b0}};
        for (i = 0; i < PARTS; i = i + 1) begin
            if (kept[i]) begin
                pieces[OUT_W-1-i*PIECE_W -: PIECE_W] = read_word[WORD_W-1-i*PIECE_W -: PIECE_W];
            end
        end
    end

    reg [OUT_W-1:0] header;

    always @(*) begin
        header = {OUT_W{1'b0}};
        header[OUT_W-1 -: 64] = {sized, sized_crc, closed_crc_reg};
    end

    wire [FILL_W-1:0] beat_bits = {{FILL_W-REST_W{1'b0}}, read_rest_reg} * VALUE_BITS + VALUE_BITS;

    assign m_valid  = idle ? block_valid : read_valid_reg;
    assign m_header = idle;
    assign m_data   = idle ? header : leave_raw_reg ? values : pieces;
    assign m_count  = idle ? HEADER_BITS : leave_raw_reg ? beat_bits : WORD_BITS;
    assign m_last   = !idle && read_last_reg;
    assign m_values = closed_count_reg;

endmodule

`resetall
