// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Feeds a decoder engine with the code and offset pieces of its streams' blocks, out of the block buffer.
 *
 * s_begin starts stream s_begin_stream on the block in region s_begin_region of the memory: s_begin_code
 * words of code, then s_begin_offset words of offsets, each region REGION_WORDS words. It may come when the
 * CLEAR of the stream's block before has taken effect on both ports, or later. The stream reads from the second
 * cycle after it on.
 *
 * Each stream has a read of its own every STREAMS cycles, stream 0 the first after a reset. It goes to the one
 * of its two bit streams with fewer pieces at hand or under way, of which there may be PIECES_AHEAD; to the code when
 * both have as many. A cycle after a stream's turn read_enable is high, with read_address; read_data is that
 * word in the cycle after. The word's first piece is its most significant. The piece is at hand in the third
 * cycle after the turn, and apack_piece_port has the ports: with more than one stream it shows the piece a cycle
 * later. Behind the end of a bit stream zeros are delivered, as many as are asked for; each takes a read, whose
 * address means nothing. A port's CLEAR drops what is at hand or under way in the stream's bit stream of that
 * port, which reads no more until the stream's next s_begin. Two CLEARs of a stream are two cycles apart at
 * least, and so many are a stream's s_begin and its CLEAR.
 */
module apack_piece_fetch #(
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a piece
    parameter PIECE_W      = 16,
    // pieces of a memory word, a power of two
    parameter PIECES       = 4,
    // pieces read ahead in a bit stream, a power of two, at least 2
    parameter PIECES_AHEAD = 2,
    // words of a region
    parameter REGION_WORDS = 512,
    // bits of a number of words, of a block; leave at its default
    parameter WORDS_W      = $clog2(REGION_WORDS + 1),
    // bits of an address, a word's; leave at its default
    parameter ADDRESS_W    = $clog2((STREAMS + 1) * REGION_WORDS),
    // bits of a region's number; leave at its default
    parameter REGION_W     = $clog2(STREAMS + 1),
    // bits of a stream's number; leave at its default
    parameter STREAM_W     = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire                      s_begin,
    input  wire [STREAM_W-1:0]       s_begin_stream,
    input  wire [REGION_W-1:0]       s_begin_region,
    input  wire [WORDS_W-1:0]        s_begin_code,
    input  wire [WORDS_W-1:0]        s_begin_offset,

    output wire                      read_enable,
    output wire [ADDRESS_W-1:0]      read_address,
    input  wire [PIECES*PIECE_W-1:0] read_data,

    input  wire [STREAM_W-1:0]       code_stream,
    input  wire                      code_clear,
    input  wire                      code_ready,
    output wire                      code_valid,
    output wire [PIECE_W-1:0]        code_data,

    input  wire [STREAM_W-1:0]       offset_stream,
    input  wire                      offset_clear,
    input  wire                      offset_ready,
    output wire                      offset_valid,
    output wire [PIECE_W-1:0]        offset_data
);

    generate
        if (PIECES < 1 || (PIECES & (PIECES - 1)) != 0) begin : g_check_pieces
            apack_piece_fetch_needs_PIECES_a_power_of_two illegal_parameter ();
        end
        if (PIECES_AHEAD < 2 || (PIECES_AHEAD & (PIECES_AHEAD - 1)) != 0) begin : g_check_depth
            apack_piece_fetch_needs_PIECES_AHEAD_a_power_of_two_of_at_least_2 illegal_parameter ();
        end
    endgenerate

    localparam PLACE_W  = $clog2(PIECES);
    localparam PIECE_AW = ADDRESS_W + PLACE_W;
    localparam LEFT_W   = WORDS_W + PLACE_W;
    localparam HELD_W   = $clog2(PIECES_AHEAD + 1);

    localparam [STREAM_W-1:0]  LAST   = STREAMS[STREAM_W-1:0] - 1'b1;
    localparam [ADDRESS_W-1:0] REGION = REGION_WORDS[ADDRESS_W-1:0];

    // ---- begin of a block, a cycle later, with the word its region begins at ----------------------

    reg                 begin_reg;
    reg [STREAM_W-1:0]  begin_stream_reg;
    reg [ADDRESS_W-1:0] begin_base_reg;
    reg [WORDS_W-1:0]   begin_code_reg;
    reg [WORDS_W-1:0]   begin_offset_reg;

    always @(posedge clk) begin
        begin_reg        <= s_begin && !rst;
        begin_stream_reg <= s_begin_stream;
        begin_base_reg   <= {{ADDRESS_W-REGION_W{1'b0}}, s_begin_region} * REGION;
        begin_code_reg   <= s_begin_code;
        begin_offset_reg <= s_begin_offset;
    end

    wire [STREAMS-1:0]   begin_hit;
    wire [ADDRESS_W-1:0] begin_middle = begin_base_reg + {{ADDRESS_W-WORDS_W{1'b0}}, begin_code_reg};

    // ---- a lane for each bit stream: code in the lower half, offsets in the upper ------------------

    wire [2*STREAMS-1:0]          want;
    wire [2*STREAMS*HELD_W-1:0]   held;
    wire [2*STREAMS*PIECE_AW-1:0] address;
    wire [2*STREAMS-1:0]          zero;
    wire [2*STREAMS-1:0]          era;
    wire [2*STREAMS-1:0]          grant;
    wire [2*STREAMS-1:0]          back;
    wire [2*STREAMS-1:0]          valid;
    wire [2*STREAMS*PIECE_W-1:0]  data;
    wire [2*STREAMS-1:0]          take;
    wire [2*STREAMS-1:0]          clear;

    wire                          back_era;
    wire [PIECE_W-1:0]            back_data;

    genvar i;
    generate
        for (i = 0; i < STREAMS; i = i + 1) begin : g_begin
            assign begin_hit[i] = begin_reg && begin_stream_reg == i[STREAM_W-1:0];
        end
        for (i = 0; i < 2 * STREAMS; i = i + 1) begin : g_lane
            localparam SIDE = i / STREAMS;

            wire [ADDRESS_W-1:0] begin_word = (SIDE == 0) ? begin_base_reg : begin_middle;
            wire [WORDS_W-1:0]   begin_left = (SIDE == 0) ? begin_code_reg : begin_offset_reg;

            apack_piece_lane #(
                .PIECES_AHEAD (PIECES_AHEAD),
                .PIECE_W      (PIECE_W),
                .ADDRESS_W    (PIECE_AW),
                .LEFT_W       (LEFT_W)
            ) lane_inst (
                .clk             (clk),
                .rst             (rst),
                .s_begin         (begin_hit[i%STREAMS]),
                .s_begin_address ({{PLACE_W{1'b0}}, begin_word} << PLACE_W),
                .s_begin_left    ({{PLACE_W{1'b0}}, begin_left} << PLACE_W),
                .s_clear         (clear[i]),
                .m_want          (want[i]),
                .m_held          (held[i*HELD_W +: HELD_W]),
                .m_address       (address[i*PIECE_AW +: PIECE_AW]),
                .m_zero          (zero[i]),
                .m_era           (era[i]),
                .s_grant         (grant[i]),
                .s_valid         (back[i]),
                .s_era           (back_era),
                .s_data          (back_data),
                .m_valid         (valid[i]),
                .m_data          (data[i*PIECE_W +: PIECE_W]),
                .s_take          (take[i])
            );
        end
    endgenerate

    apack_piece_port #(
        .STREAMS (STREAMS),
        .PIECE_W (PIECE_W)
    ) code_port_inst (
        .clk         (clk),
        .rst         (rst),
        .s_valid     (valid[0 +: STREAMS]),
        .s_data      (data[0 +: STREAMS*PIECE_W]),
        .s_take      (take[0 +: STREAMS]),
        .s_clear     (clear[0 +: STREAMS]),
        .port_stream (code_stream),
        .port_clear  (code_clear),
        .port_ready  (code_ready),
        .port_valid  (code_valid),
        .port_data   (code_data)
    );

    apack_piece_port #(
        .STREAMS (STREAMS),
        .PIECE_W (PIECE_W)
    ) offset_port_inst (
        .clk         (clk),
        .rst         (rst),
        .s_valid     (valid[STREAMS +: STREAMS]),
        .s_data      (data[STREAMS*PIECE_W +: STREAMS*PIECE_W]),
        .s_take      (take[STREAMS +: STREAMS]),
        .s_clear     (clear[STREAMS +: STREAMS]),
        .port_stream (offset_stream),
        .port_clear  (offset_clear),
        .port_ready  (offset_ready),
        .port_valid  (offset_valid),
        .port_data   (offset_data)
    );

    // ---- which lane reads ----------------------------------------------------------------------------

    localparam REQUEST_W = 1 + HELD_W + PIECE_AW + 2;

    reg [STREAM_W-1:0] turn_reg;

    always @(posedge clk) begin
        turn_reg <= (turn_reg == LAST || rst) ? {STREAM_W{1'b0}} : turn_reg + 1'b1;
    end

    wire [STREAMS-1:0]             at_turn;
    wire [2*STREAMS*REQUEST_W-1:0] requests;

    generate
        for (i = 0; i < STREAMS; i = i + 1) begin : g_turn
            assign at_turn[i] = turn_reg == i[STREAM_W-1:0];
        end
        for (i = 0; i < 2 * STREAMS; i = i + 1) begin : g_request
            assign requests[i*REQUEST_W +: REQUEST_W] = {
                want[i], held[i*HELD_W +: HELD_W], address[i*PIECE_AW +: PIECE_AW], zero[i], era[i]
            };
        end
    endgenerate

    wire                want_code;
    wire [HELD_W-1:0]   held_code;
    wire [PIECE_AW+1:0] request_code;
    wire                want_offset;
    wire [HELD_W-1:0]   held_offset;
    wire [PIECE_AW+1:0] request_offset;

    cell_onehot_mux #(.INPUTS (STREAMS), .DATA_W (REQUEST_W)) code_select_inst (
        .data   (requests[0 +: STREAMS*REQUEST_W]),
        .select (at_turn),
        .chosen ({want_code, held_code, request_code})
    );

    cell_onehot_mux #(.INPUTS (STREAMS), .DATA_W (REQUEST_W)) offset_select_inst (
        .data   (requests[STREAMS*REQUEST_W +: STREAMS*REQUEST_W]),
        .select (at_turn),
        .chosen ({want_offset, held_offset, request_offset})
    );

    wire pick_code   = want_code && !(want_offset && held_offset < held_code);
    wire pick_offset = want_offset && !pick_code;

    assign grant = {at_turn & {STREAMS{pick_offset}}, at_turn & {STREAMS{pick_code}}};

    // ---- read: address in a cycle, word in the next, then the piece of it --------------------------

    localparam [PIECE_AW-1:0] PLACE_MASK = PIECES[PIECE_AW-1:0] - 1'b1;

    reg                 read_reg;
    reg [2*STREAMS-1:0] read_lane_reg;
    reg [PIECE_AW-1:0]  read_address_reg;
    reg                 read_zero_reg;
    reg                 read_era_reg;
    reg [2*STREAMS-1:0] back_lane_reg;
    reg [PIECES-1:0]    back_place_reg;     // none for zeros
    reg                 back_era_reg;

    always @(posedge clk) begin : b_read
        integer p;

        read_reg      <= (pick_code || pick_offset) && !rst;
        read_lane_reg <= grant & {2*STREAMS{!rst}};
        {read_address_reg, read_zero_reg, read_era_reg} <= pick_code ? request_code : request_offset;

        back_lane_reg <= read_lane_reg & {2*STREAMS{!rst}};
        back_era_reg  <= read_era_reg;
        for (p = 0; p < PIECES; p = p + 1) begin
            back_place_reg[PIECES-1-p] <= (read_address_reg & PLACE_MASK) == p[PIECE_AW-1:0] && !read_zero_reg;
        end
    end

    cell_onehot_mux #(
        .INPUTS (PIECES),
        .DATA_W (PIECE_W)
    ) place_select_inst (
        .data   (read_data),
        .select (back_place_reg),
        .chosen (back_data)
    );

    assign read_enable  = read_reg;
    assign read_address = read_address_reg[PLACE_W +: ADDRESS_W];
    assign back         = back_lane_reg;
    assign back_era     = back_era_reg;

endmodule

`resetall
