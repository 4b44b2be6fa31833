// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack decompressor: memory words of a tensor in, values out, ENGINES engines wide.
 *
 * s_axil is the register bus (apack_registers has the map). START begins a tensor of VALUES values. s_axis_memory
 * brings its blocks as they stand in the container (docs/apack/format.md), byte i of a word in lane i of tdata,
 * tlast at the end of the tensor; a beat that keeps no byte brings nothing but its tlast, wherever it comes, also
 * behind the last word. A tensor without values has no beats on any port.
 *
 * Beats of m_axis_values carry LANES values, each in a byte (two above 8 bits, low byte first), bits above VALUE_W
 * 0. tkeep is all ones but in the beat with tlast, in which the lowest lanes hold what is left. With HOLD 0 values
 * leave as they are decoded, and tuser marks the last beat of a damaged block; with HOLD 1 it marks every beat of
 * one, which holds zeros. The register bus tells the causes. Too few or too many words are an event, and damage
 * the blocks that lack them, no others.
 *
 * Two tensors may run: the next one's words are taken as soon as the tlast of the one before has been and its last
 * block has begun, and its values follow those of the one before. Block k goes to engine k mod ENGINES, counted on
 * from tensor to tensor.
 *
 * ABORT drops the tensors that run: the values of each close with a beat of tkeep 0 unless its tlast has been
 * taken or stands, and words are dropped up to the newest's tlast, or to a second ABORT. No ready depends on a
 * ready of another port in the same cycle.
 */
module apack_decompressor #(
    // engines, 1..64
    parameter ENGINES      = 1,
    // streams that take turns, in each engine, 1, 2, 4 or 8
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // rows of the symbol table, 1..255
    parameter SYMBOLS      = 16,
    // bits of a cumulative count, at most 16 and CODE_W - 2
    parameter COUNT_W      = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W       = 16,
    // bits of a word, in memory: 16, 32 or 64, at least PIECE_W
    parameter WORD_W       = 64,
    // values of a beat, a power of two, at most 128
    parameter LANES        = 8,
    // most values of a block, a power of two, a multiple of LANES, at most 65,536
    parameter BLOCK_VALUES = 4096,
    // damaged blocks leave as zeros if 1, out of a buffer of two blocks; if 0 their last beat is marked
    parameter HOLD         = 0,
    // bits of a piece; leave at its default
    parameter PIECE_W      = (COUNT_W + 2 > 16) ? 32 : 16,
    // bytes of a value on the stream; leave at its default
    parameter VALUE_BYTES  = (VALUE_W > 8) ? 2 : 1
) (
    input  wire                           clk,
    input  wire                           rst,
    output wire                           irq,

    input  wire [7:0]                     s_axil_awaddr,
    input  wire [2:0]                     s_axil_awprot,
    input  wire                           s_axil_awvalid,
    output wire                           s_axil_awready,
    input  wire [31:0]                    s_axil_wdata,
    input  wire [3:0]                     s_axil_wstrb,
    input  wire                           s_axil_wvalid,
    output wire                           s_axil_wready,
    output wire [1:0]                     s_axil_bresp,
    output wire                           s_axil_bvalid,
    input  wire                           s_axil_bready,
    input  wire [7:0]                     s_axil_araddr,
    input  wire [2:0]                     s_axil_arprot,
    input  wire                           s_axil_arvalid,
    output wire                           s_axil_arready,
    output wire [31:0]                    s_axil_rdata,
    output wire [1:0]                     s_axil_rresp,
    output wire                           s_axil_rvalid,
    input  wire                           s_axil_rready,

    input  wire [WORD_W-1:0]              s_axis_memory_tdata,
    input  wire [WORD_W/8-1:0]            s_axis_memory_tkeep,
    input  wire                           s_axis_memory_tvalid,
    output wire                           s_axis_memory_tready,
    input  wire                           s_axis_memory_tlast,

    output wire [LANES*VALUE_BYTES*8-1:0] m_axis_values_tdata,
    output wire [LANES*VALUE_BYTES-1:0]   m_axis_values_tkeep,
    output wire                           m_axis_values_tvalid,
    input  wire                           m_axis_values_tready,
    output wire                           m_axis_values_tlast,
    output wire                           m_axis_values_tuser
);

    localparam WIDTH_W   = $clog2(VALUE_W + 1);
    localparam LANES_W   = $clog2(LANES + 1);
    localparam ENGINE_W  = (ENGINES > 1) ? $clog2(ENGINES) : 1;
    localparam ROW_W     = $clog2(SYMBOLS + 1);
    localparam BEAT_W    = LANES * VALUE_W;
    localparam KEEP_W    = LANES * VALUE_BYTES;
    localparam WORD_B    = WORD_W / 8;
    localparam VALUES_W  = $clog2(BLOCK_VALUES + 1);

    localparam REGION_WORDS = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W;
    localparam PIECES_W     = $clog2(REGION_WORDS * (WORD_W / PIECE_W) + 1);

    localparam [ENGINE_W-1:0] LAST_ENGINE = ENGINES[ENGINE_W-1:0] - 1'b1;

    generate
        if (ENGINES < 1 || ENGINES > 64) begin : g_check_engines
            apack_decompressor_needs_ENGINES_of_1_to_64 illegal_parameter ();
        end
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_decompressor_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_decompressor_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1 || SYMBOLS > 255) begin : g_check_symbols
            apack_decompressor_needs_SYMBOLS_of_1_to_255 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2 || COUNT_W > 16) begin : g_check_count_w
            apack_decompressor_needs_COUNT_W_of_1_to_16_and_at_most_CODE_W_minus_2 illegal_parameter ();
        end
        if (CODE_W > 32) begin : g_check_code_w
            apack_decompressor_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
        if (HOLD != 0 && HOLD != 1) begin : g_check_hold
            apack_decompressor_needs_HOLD_of_0_or_1 illegal_parameter ();
        end
        if (WORD_W != 16 && WORD_W != 32 && WORD_W != 64) begin : g_check_word
            apack_decompressor_needs_WORD_W_of_16_32_or_64 illegal_parameter ();
        end
        if (WORD_W < PIECE_W) begin : g_check_word_w
            apack_decompressor_needs_WORD_W_of_at_least_PIECE_W illegal_parameter ();
        end
        if (LANES < 1 || LANES > 128 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_decompressor_needs_LANES_a_power_of_two_of_at_most_128 illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || BLOCK_VALUES > 65536 || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_decompressor_needs_BLOCK_VALUES_a_power_of_two_of_LANES_to_65536 illegal_parameter ();
        end
    endgenerate

    // ---- registers and tables ----------------------------------------------------------------------

    wire [1:0]               table_write;
    wire [COUNT_W+VALUE_W:0] table_row;
    wire                     table_last;
    wire                     table_clear;
    wire [1:0]               table_valid;
    wire [1:0]               table_illegal;
    wire [2*ROW_W-1:0]       table_illegal_row;

    wire                     command_valid;
    wire                     command_take;
    wire [47:0]              command_values;
    wire                     front_bank;
    wire [VALUES_W-1:0]      front_block;
    wire                     busy;
    wire                     pair;
    wire                     run_abort;
    wire                     discard;
    wire                     finish;
    wire                     memory_length;
    wire                     count_ready;
    wire                     block_given;
    wire [VALUES_W-1:0]      given_values;
    wire [PIECES_W-1:0]      given_pieces;
    wire                     given_raw;
    wire [5:0]               given_cause;
    wire                     stall_input;
    wire                     stall_output;
    wire                     stall_engine;

    reg                      closing_reg;       // an abort goes on
    wire                     channels_rst = rst || closing_reg;

    apack_registers #(
        .DECOMPRESSOR (1),
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES),
        .HOLD         (HOLD),
        .PIECE_W      (PIECE_W),
        .PIECES_W     (PIECES_W)
    ) registers_inst (
        .clk                 (clk),
        .rst                 (rst),
        .s_axil_awaddr       (s_axil_awaddr),
        .s_axil_awprot       (s_axil_awprot),
        .s_axil_awvalid      (s_axil_awvalid),
        .s_axil_awready      (s_axil_awready),
        .s_axil_wdata        (s_axil_wdata),
        .s_axil_wstrb        (s_axil_wstrb),
        .s_axil_wvalid       (s_axil_wvalid),
        .s_axil_wready       (s_axil_wready),
        .s_axil_bresp        (s_axil_bresp),
        .s_axil_bvalid       (s_axil_bvalid),
        .s_axil_bready       (s_axil_bready),
        .s_axil_araddr       (s_axil_araddr),
        .s_axil_arprot       (s_axil_arprot),
        .s_axil_arvalid      (s_axil_arvalid),
        .s_axil_arready      (s_axil_arready),
        .s_axil_rdata        (s_axil_rdata),
        .s_axil_rresp        (s_axil_rresp),
        .s_axil_rvalid       (s_axil_rvalid),
        .s_axil_rready       (s_axil_rready),
        .irq                 (irq),
        .row_valid           (table_write),
        .row_data            (table_row),
        .row_last            (table_last),
        .table_clear         (table_clear),
        .table_valid         (table_valid),
        .table_illegal       (table_illegal),
        .table_illegal_row   (table_illegal_row),
        .command_valid       (command_valid),
        .command_take        (command_take),
        .command_values      (command_values),
        .front_bank          (front_bank),
        .front_block         (front_block),
        .busy                (busy),
        .pair                (pair),
        .run_abort           (run_abort),
        .discard             (discard),
        .finish              (finish),
        .event_done          (finish && !closing_reg),
        .event_aborted       (finish && closing_reg),
        .event_keep          (1'b0),
        .event_memory_length (memory_length),
        .count_ready         (count_ready),
        .count_block         (block_given),
        .count_values        (given_values),
        .count_pieces        (given_pieces),
        .count_raw           (given_raw),
        .count_cause         (given_cause),
        .count_stall_input   (stall_input),
        .count_stall_output  (stall_output),
        .count_stall_engine  (stall_engine)
    );

    wire [2*SYMBOLS-1:0]             row_valid;
    wire [2*SYMBOLS*VALUE_W-1:0]     row_base;
    wire [2*SYMBOLS*VALUE_W-1:0]     row_limit;
    wire [2*SYMBOLS*WIDTH_W-1:0]     row_offset_w;
    wire [2*SYMBOLS*(COUNT_W+1)-1:0] row_cum;

    genvar g;
    generate
        for (g = 0; g < 2; g = g + 1) begin : g_table
            apack_table #(
                .VALUE_W (VALUE_W),
                .SYMBOLS (SYMBOLS),
                .COUNT_W (COUNT_W)
            ) table_inst (
                .clk                 (clk),
                .rst                 (rst),
                .load_enable         (1'b1),
                .status_clear        (table_clear),
                .s_axis_table_tdata  (table_row),
                .s_axis_table_tvalid (table_write[g]),
                .s_axis_table_tready (),
                .s_axis_table_tlast  (table_last),
                .table_valid         (table_valid[g]),
                .table_illegal       (table_illegal[g]),
                .table_illegal_row   (table_illegal_row[g*ROW_W +: ROW_W]),
                .row_valid           (row_valid[g*SYMBOLS +: SYMBOLS]),
                .row_base            (row_base[g*SYMBOLS*VALUE_W +: SYMBOLS*VALUE_W]),
                .row_limit           (row_limit[g*SYMBOLS*VALUE_W +: SYMBOLS*VALUE_W]),
                .row_offset_w        (row_offset_w[g*SYMBOLS*WIDTH_W +: SYMBOLS*WIDTH_W]),
                .row_cum             (row_cum[g*SYMBOLS*(COUNT_W+1) +: SYMBOLS*(COUNT_W+1)])
            );
        end
    endgenerate

    // ---- words to blocks ---------------------------------------------------------------------------

    reg               input_open_reg;       // the newest tensor's tlast has not been taken

    wire [WORD_W-1:0] in_data;
    wire [WORD_B-1:0] in_keep;
    wire              in_last;
    wire              in_valid;
    wire              in_ready;

    cell_skid #(.DATA_W (1 + WORD_B + WORD_W)) memory_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({s_axis_memory_tlast, s_axis_memory_tkeep, s_axis_memory_tdata}),
        .s_valid (s_axis_memory_tvalid),
        .s_ready (s_axis_memory_tready),
        .m_data  ({in_last, in_keep, in_data}),
        .m_valid (in_valid),
        .m_ready (in_ready)
    );

    // The first byte of a word is its most significant in the channels, and lane 0 outside.
    reg [WORD_W-1:0] in_word;

    always @(*) begin : b_word
        integer i;

        for (i = 0; i < WORD_B; i = i + 1) begin
            in_word[i*8 +: 8] = in_data[(WORD_B-1-i)*8 +: 8];
        end
    end

    wire                some = |in_keep;
    wire                reader_ready;
    wire                reader_busy;
    wire                reader_length;
    wire                begins = command_take && command_values != 48'd0;

    wire                block_valid;
    wire                block_ready;
    wire [VALUES_W-1:0] block_count;
    wire                block_raw;
    wire [PIECES_W-1:0] block_pieces;
    wire [31:0]         block_crc;
    wire                block_last;
    wire                block_lost;
    wire                word_valid;
    wire                word_ready;
    wire [WORD_W-1:0]   word_data;
    wire                word_last;
    wire                word_cut;

    apack_block_reader #(
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .CODE_W       (CODE_W),
        .PIECE_W      (PIECE_W),
        .WORD_W       (WORD_W),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) reader_inst (
        .clk            (clk),
        .rst            (channels_rst),
        .begin_valid    (begins),
        .begin_values   (command_values),
        .block_values   (front_block),
        .s_word_valid   (in_valid && some),
        .s_word_ready   (reader_ready),
        .s_word_data    (in_word),
        .s_word_ended   (!input_open_reg),
        .m_block_valid  (block_valid),
        .m_block_ready  (block_ready),
        .m_block_count  (block_count),
        .m_block_raw    (block_raw),
        .m_block_pieces (block_pieces),
        .m_block_crc    (block_crc),
        .m_block_last   (block_last),
        .m_block_lost   (block_lost),
        .m_word_valid   (word_valid),
        .m_word_ready   (word_ready),
        .m_word_data    (word_data),
        .m_word_last    (word_last),
        .m_word_cut     (word_cut),
        .m_busy         (reader_busy),
        .m_length       (reader_length)
    );

    assign in_ready      = input_open_reg && (reader_ready || !some || closing_reg);
    assign memory_length = reader_length && !closing_reg;

    // ---- channels ----------------------------------------------------------------------------------

    reg [ENGINE_W-1:0]        block_engine_reg;     // of the next record
    reg [ENGINE_W-1:0]        word_engine_reg;      // of the record before, whose words come

    wire [ENGINES-1:0]        block_readies;
    wire [ENGINES-1:0]        word_readies;
    wire [ENGINES-1:0]        beat_valid;
    wire [ENGINES-1:0]        beat_ready;
    wire [ENGINES*BEAT_W-1:0] beat_data;
    wire [ENGINES*LANES_W-1:0] beat_count;
    wire [ENGINES-1:0]        beat_last;
    wire [ENGINES-1:0]        beat_tensor_last;
    wire [ENGINES-1:0]        beat_bad;
    wire [ENGINES*6-1:0]      beat_cause;
    wire [ENGINES*VALUES_W-1:0] beat_block_count;
    wire [ENGINES*PIECES_W-1:0] beat_block_pieces;
    wire [ENGINES-1:0]        beat_block_raw;

    assign block_ready = block_readies[block_engine_reg];
    assign word_ready  = word_readies[word_engine_reg];

    generate
        for (g = 0; g < ENGINES; g = g + 1) begin : g_channel
            apack_decoder_channel #(
                .STREAMS      (STREAMS),
                .VALUE_W      (VALUE_W),
                .SYMBOLS      (SYMBOLS),
                .COUNT_W      (COUNT_W),
                .CODE_W       (CODE_W),
                .PIECE_W      (PIECE_W),
                .WORD_W       (WORD_W),
                .LANES        (LANES),
                .BLOCK_VALUES (BLOCK_VALUES),
                .HOLD         (HOLD),
                .SHARED       ((ENGINES > 1) ? 1 : 0)
            ) channel_inst (
                .clk            (clk),
                .rst            (channels_rst),
                .row_valid      (row_valid),
                .row_base       (row_base),
                .row_limit      (row_limit),
                .row_offset_w   (row_offset_w),
                .row_cum        (row_cum),
                .s_block_valid  (block_valid && block_engine_reg == g[ENGINE_W-1:0]),
                .s_block_ready  (block_readies[g]),
                .s_block_count  (block_count),
                .s_block_raw    (block_raw),
                .s_block_pieces (block_pieces),
                .s_block_crc    (block_crc),
                .s_block_bank   (front_bank),
                .s_block_last   (block_last),
                .s_block_lost   (block_lost),
                .s_word_valid   (word_valid && word_engine_reg == g[ENGINE_W-1:0]),
                .s_word_ready   (word_readies[g]),
                .s_word_data    (word_data),
                .s_word_last    (word_last),
                .s_word_cut     (word_cut),
                .m_valid        (beat_valid[g]),
                .m_ready        (beat_ready[g]),
                .m_data         (beat_data[g*BEAT_W +: BEAT_W]),
                .m_count        (beat_count[g*LANES_W +: LANES_W]),
                .m_last         (beat_last[g]),
                .m_tensor_last  (beat_tensor_last[g]),
                .m_bad          (beat_bad[g]),
                .m_cause        (beat_cause[g*6 +: 6]),
                .m_block_count  (beat_block_count[g*VALUES_W +: VALUES_W]),
                .m_block_pieces (beat_block_pieces[g*PIECES_W +: PIECES_W]),
                .m_block_raw    (beat_block_raw[g])
            );
        end
    endgenerate

    always @(posedge clk) begin
        if (block_valid && block_ready) begin
            word_engine_reg  <= block_engine_reg;
            block_engine_reg <= (block_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : block_engine_reg + 1'b1;
        end

        if (channels_rst) begin
            word_engine_reg  <= {ENGINE_W{1'b0}};
            block_engine_reg <= {ENGINE_W{1'b0}};
        end
    end

    // ---- values out --------------------------------------------------------------------------------

    reg [ENGINE_W-1:0] head_engine_reg;     // whose beat is next
    reg                tail_reg;            // the oldest tensor's last beat has come out of its channel
    reg                gone_reg;            // it has been taken
    reg                oldest_empty_reg;    // the oldest tensor has no values
    reg                newest_empty_reg;

    reg                out_valid_reg;
    reg [KEEP_W*8-1:0] out_data_reg;
    reg [KEEP_W-1:0]   out_keep_reg;
    reg                out_last_reg;
    reg                out_user_reg;

    wire               head_valid = beat_valid[head_engine_reg];
    wire               head_last  = beat_last[head_engine_reg];
    wire               head_tail  = beat_tensor_last[head_engine_reg];
    wire [BEAT_W-1:0]  head_data  = beat_data[head_engine_reg*BEAT_W +: BEAT_W];
    wire [LANES_W-1:0] head_count = beat_count[head_engine_reg*LANES_W +: LANES_W];

    // A block ends when it can be counted for the oldest tensor.
    wire               head_open  = !closing_reg && (!head_last || (count_ready && !tail_reg && !oldest_empty_reg));
    wire               out_move   = !out_valid_reg || m_axis_values_tready;
    wire               beat_go    = head_valid && head_open && out_move;

    assign beat_ready = {{ENGINES-1{1'b0}}, head_open && out_move} << head_engine_reg;

    reg [KEEP_W*8-1:0] head_bytes;
    reg [KEEP_W-1:0]   head_keep;

    always @(*) begin : b_values
        integer i;

        head_bytes = {KEEP_W*8{1'b0}};
        for (i = 0; i < LANES; i = i + 1) begin
            head_keep[i*VALUE_BYTES +: VALUE_BYTES] = {VALUE_BYTES{i[LANES_W-1:0] < head_count}};
            head_bytes[i*VALUE_BYTES*8 +: VALUE_W]  = head_data[i*VALUE_W +: VALUE_W]
                                                    & {VALUE_W{i[LANES_W-1:0] < head_count}};
        end
    end

    // While the output is empty after an abort, the beat that closes a tensor stands.
    wire close = closing_reg && !out_valid_reg && busy && !gone_reg;
    wire gone  = m_axis_values_tvalid && m_axis_values_tready && m_axis_values_tlast;

    assign m_axis_values_tvalid = out_valid_reg || close;
    assign m_axis_values_tdata  = out_data_reg & {KEEP_W*8{!close}};
    assign m_axis_values_tkeep  = out_keep_reg & {KEEP_W{!close}};
    assign m_axis_values_tlast  = out_last_reg || close;
    assign m_axis_values_tuser  = out_user_reg && !close;

    assign block_given  = beat_go && head_last;
    assign given_values = beat_block_count[head_engine_reg*VALUES_W +: VALUES_W];
    assign given_pieces = beat_block_pieces[head_engine_reg*PIECES_W +: PIECES_W];
    assign given_raw    = beat_block_raw[head_engine_reg];
    assign given_cause  = beat_cause[head_engine_reg*6 +: 6];

    always @(posedge clk) begin
        if (out_move) begin
            out_valid_reg <= beat_go;
            out_data_reg  <= head_bytes;
            out_keep_reg  <= head_keep;
            out_last_reg  <= head_last && head_tail;
            out_user_reg  <= beat_bad[head_engine_reg];
        end
        if (block_given) begin
            head_engine_reg <= (head_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : head_engine_reg + 1'b1;
            tail_reg        <= head_tail;
        end
        if (gone) begin
            gone_reg <= 1'b1;
        end
        if (finish) begin
            tail_reg         <= 1'b0;
            gone_reg         <= 1'b0;
            oldest_empty_reg <= newest_empty_reg;
        end
        if (command_take) begin
            newest_empty_reg <= !begins;
            if (!busy || finish) begin
                oldest_empty_reg <= !begins;
            end
        end

        if (channels_rst) begin
            head_engine_reg <= {ENGINE_W{1'b0}};
        end
        if (rst) begin
            out_valid_reg <= 1'b0;
            tail_reg      <= 1'b0;
            gone_reg      <= 1'b0;
        end
    end

    // ---- tensors -----------------------------------------------------------------------------------

    wire newest_ended = !input_open_reg && (!reader_busy || closing_reg);
    wire oldest_ended = busy && (pair || newest_ended);

    assign command_take = command_valid && !pair && newest_ended && !closing_reg && !run_abort;
    assign discard      = closing_reg && input_open_reg;
    assign finish       = oldest_ended && count_ready && (gone_reg || (oldest_empty_reg && !closing_reg));

    always @(posedge clk) begin
        if (in_valid && in_ready && in_last) begin
            input_open_reg <= 1'b0;
        end
        if (run_abort) begin
            closing_reg <= 1'b1;
            if (closing_reg) begin
                input_open_reg <= 1'b0;
            end
        end
        if (finish && !pair) begin
            closing_reg <= 1'b0;
        end
        if (begins) begin
            input_open_reg <= 1'b1;
        end

        if (rst) begin
            closing_reg    <= 1'b0;
            input_open_reg <= 1'b0;
        end
    end

    assign stall_input  = input_open_reg && reader_busy && reader_ready && !in_valid;
    assign stall_output = m_axis_values_tvalid && !m_axis_values_tready;
    assign stall_engine = input_open_reg && !reader_ready && in_valid && some;

endmodule

`resetall
