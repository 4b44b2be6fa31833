// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack compressor: values of a tensor in, memory words out, ENGINES engines wide.
 *
 * s_axil is the register bus (apack_registers has the map). A tensor is begun with START, and ends with
 * tlast on s_axis_values. Beats carry LANES values, each in a byte (two above 8 bits, low byte first),
 * bits above VALUE_W ignored. tkeep is all ones, but the last values may be the lowest lanes of a beat. A beat
 * that keeps no byte brings nothing but its tlast, wherever it comes: as width converters make them, between
 * values, before the first or behind the last, where it may end the tensor. Anything else drops what runs,
 * with the event KEEP: a tkeep with a gap or with half a value, and values behind a beat that kept only some.
 *
 * m_axis_memory carries the blocks as they stand in the container (docs/apack/format.md), each behind its header,
 * byte i of a word in lane i of tdata, tlast at the end of the tensor. A block leaves once it is known whether it
 * is the tensor's last: when more values are offered or the tlast is taken. A tensor without values makes no beats.
 *
 * Two tensors may run: the next one's values are taken as soon as the tlast of the one before has been, and its
 * words follow those of the one before. Block k goes to engine k mod ENGINES, counted on from tensor to tensor.
 *
 * ABORT drops the tensors that run: the words of each close with a beat of tkeep 0 unless its tlast has been taken
 * or stands, and values are dropped up to the newest's tlast, or to a second ABORT. No ready depends on a ready of
 * another port in the same cycle.
 */
module apack_compressor #(
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

    input  wire [LANES*VALUE_BYTES*8-1:0] s_axis_values_tdata,
    input  wire [LANES*VALUE_BYTES-1:0]   s_axis_values_tkeep,
    input  wire                           s_axis_values_tvalid,
    output wire                           s_axis_values_tready,
    input  wire                           s_axis_values_tlast,

    output wire [WORD_W-1:0]              m_axis_memory_tdata,
    output wire [WORD_W/8-1:0]            m_axis_memory_tkeep,
    output wire                           m_axis_memory_tvalid,
    input  wire                           m_axis_memory_tready,
    output wire                           m_axis_memory_tlast
);

    localparam WIDTH_W   = $clog2(VALUE_W + 1);
    localparam LANES_W   = $clog2(LANES + 1);
    localparam ENGINE_W  = (ENGINES > 1) ? $clog2(ENGINES) : 1;
    localparam ROW_W     = $clog2(SYMBOLS + 1);
    localparam BEAT_W    = LANES * VALUE_W;
    localparam KEEP_W    = LANES * VALUE_BYTES;
    localparam WORD_B    = WORD_W / 8;
    localparam VALUES_W  = $clog2(BLOCK_VALUES + 1);
    localparam OUT_W     = (BEAT_W > 64) ? BEAT_W : 64;
    localparam FILL_W    = $clog2(OUT_W + 1);

    localparam REGION_WORDS = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W;
    localparam PIECES_W     = $clog2(REGION_WORDS * (WORD_W / PIECE_W) + 1);

    // Full beats of values, headers and words have whole units, the largest that are no more than a word.
    localparam BEAT_UNIT = BEAT_W & -BEAT_W;
    localparam UNIT_W    = (BEAT_UNIT < WORD_W) ? BEAT_UNIT : WORD_W;
    localparam UNITS_W   = $clog2(OUT_W / UNIT_W + 1);

    // Blocks that may be under way: the FIFO in front of one of several engines may hold one in each beat.
    localparam WAITING   = (ENGINES > 1) ? 2 * BLOCK_VALUES / LANES : 0;
    localparam BLOCKS_W  = $clog2(ENGINES * (WAITING + 8) + 1);

    localparam [ENGINE_W-1:0] LAST_ENGINE = ENGINES[ENGINE_W-1:0] - 1'b1;
    localparam [VALUES_W-1:0] BEAT_VALUES = LANES[VALUES_W-1:0];
    localparam [FILL_W-1:0]   UNIT_UP     = UNIT_W[FILL_W-1:0] - 1'b1;

    generate
        if (ENGINES < 1 || ENGINES > 64) begin : g_check_engines
            apack_compressor_needs_ENGINES_of_1_to_64 illegal_parameter ();
        end
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_compressor_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_compressor_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1 || SYMBOLS > 255) begin : g_check_symbols
            apack_compressor_needs_SYMBOLS_of_1_to_255 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2 || COUNT_W > 16) begin : g_check_count_w
            apack_compressor_needs_COUNT_W_of_1_to_16_and_at_most_CODE_W_minus_2 illegal_parameter ();
        end
        if (CODE_W > 32) begin : g_check_code_w
            apack_compressor_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
        if (WORD_W != 16 && WORD_W != 32 && WORD_W != 64) begin : g_check_word
            apack_compressor_needs_WORD_W_of_16_32_or_64 illegal_parameter ();
        end
        if (WORD_W < PIECE_W) begin : g_check_word_w
            apack_compressor_needs_WORD_W_of_at_least_PIECE_W illegal_parameter ();
        end
        if (LANES < 1 || LANES > 128 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_compressor_needs_LANES_a_power_of_two_of_at_most_128 illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || BLOCK_VALUES > 65536 || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_compressor_needs_BLOCK_VALUES_a_power_of_two_of_LANES_to_65536 illegal_parameter ();
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
    wire                     front_bank;
    wire [VALUES_W-1:0]      front_block;
    wire                     busy;
    wire                     pair;
    wire                     run_abort;
    wire                     discard;
    wire                     finish;
    wire                     keep_wrong;
    wire                     count_ready;
    wire                     header_go;
    wire [VALUES_W-1:0]      header_values;
    wire [PIECES_W-1:0]      header_pieces;
    wire                     header_raw;
    wire                     stall_input;
    wire                     stall_output;
    wire                     stall_engine;

    reg                      closing_reg;       // an abort goes on
    wire                     channels_rst = rst || closing_reg;

    apack_registers #(
        .DECOMPRESSOR (0),
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES),
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
        .command_values      (),
        .front_bank          (front_bank),
        .front_block         (front_block),
        .busy                (busy),
        .pair                (pair),
        .run_abort           (run_abort),
        .discard             (discard),
        .finish              (finish),
        .event_done          (finish && !closing_reg),
        .event_aborted       (finish && closing_reg),
        .event_keep          (keep_wrong),
        .event_memory_length (1'b0),
        .count_ready         (count_ready),
        .count_block         (header_go),
        .count_values        (header_values),
        .count_pieces        (header_pieces),
        .count_raw           (header_raw),
        .count_cause         (6'd0),
        .count_stall_input   (stall_input),
        .count_stall_output  (stall_output),
        .count_stall_engine  (stall_engine)
    );

    wire [2*SYMBOLS-1:0]             row_valid;
    wire [2*SYMBOLS*VALUE_W-1:0]     row_base;
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
                .row_limit           (),
                .row_offset_w        (row_offset_w[g*SYMBOLS*WIDTH_W +: SYMBOLS*WIDTH_W]),
                .row_cum             (row_cum[g*SYMBOLS*(COUNT_W+1) +: SYMBOLS*(COUNT_W+1)])
            );
        end
    endgenerate

    // ---- values in ---------------------------------------------------------------------------------

    reg                input_open_reg;      // the newest tensor's tlast has not been taken

    wire [KEEP_W*8-1:0] in_data;
    wire [KEEP_W-1:0]   in_keep;
    wire                in_last;
    wire                in_valid;
    wire                in_ready;

    cell_skid #(.DATA_W (KEEP_W * 9 + 1)) values_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({s_axis_values_tlast, s_axis_values_tkeep, s_axis_values_tdata}),
        .s_valid (s_axis_values_tvalid),
        .s_ready (s_axis_values_tready),
        .m_data  ({in_last, in_keep, in_data}),
        .m_valid (in_valid),
        .m_ready (in_ready)
    );

    // Kept bytes are the lowest ones, whole values of them, and all in beats that further values follow.
    wire [KEEP_W:0]     keep_end   = {1'b0, in_keep} + {{KEEP_W{1'b0}}, 1'b1};
    wire                keep_gap   = |({1'b0, in_keep} & keep_end);
    reg                 keep_part;
    reg [LANES_W-1:0]   in_count;
    reg [BEAT_W-1:0]    in_values;
    always @(*) begin : b_beat
        integer i;

        keep_part = 1'b0;
        in_count  = {LANES_W{1'b0}};
        for (i = 0; i < LANES; i = i + 1) begin
            keep_part = keep_part || in_keep[i*VALUE_BYTES] != in_keep[(i+1)*VALUE_BYTES-1];
            in_count  = in_count + {{LANES_W-1{1'b0}}, in_keep[i*VALUE_BYTES]};
            in_values[i*VALUE_W +: VALUE_W] = in_data[i*VALUE_BYTES*8 +: VALUE_W];
        end
    end

    reg tail_reg;                           // a beat that kept only some lanes had the last values

    wire keep_none  = in_keep == {KEEP_W{1'b0}};
    wire keep_legal = keep_none || !(keep_gap || keep_part || tail_reg);
    wire some       = in_count != {LANES_W{1'b0}};

    reg [ENGINE_W-1:0] fill_engine_reg;     // whose block takes values
    reg                filling_reg;         // a block has begun and lacks values
    reg [VALUES_W-1:0] left_reg;            // values that it lacks

    wire [ENGINES-1:0] fill_ready;
    wire [ENGINES-1:0] fill_valid;

    wire                open       = input_open_reg && !closing_reg;
    wire                needed     = some || (filling_reg && in_last);      // the beat goes to a channel
    wire                room       = fill_ready[fill_engine_reg];
    wire                offer      = open && in_valid && keep_legal && needed;
    wire                fill       = offer && room;
    wire                fill_begin = fill && !filling_reg;
    wire [VALUES_W-1:0] left       = filling_reg ? left_reg : front_block;
    wire                block_ends = in_last || !(&in_keep) || left == BEAT_VALUES;

    assign fill_valid = {{ENGINES-1{1'b0}}, offer} << fill_engine_reg;
    assign in_ready   = input_open_reg && (room || !needed || !keep_legal || closing_reg);
    assign keep_wrong = open && in_valid && !keep_legal;

    always @(posedge clk) begin
        if (fill) begin
            filling_reg <= !block_ends;
            left_reg    <= left - BEAT_VALUES;
            tail_reg    <= !(&in_keep);
        end
        if (fill && block_ends) begin
            fill_engine_reg <= (fill_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : fill_engine_reg + 1'b1;
        end

        if (!input_open_reg) begin
            tail_reg <= 1'b0;
        end
        if (channels_rst) begin
            filling_reg     <= 1'b0;
            fill_engine_reg <= {ENGINE_W{1'b0}};
        end
    end

    // ---- channels ----------------------------------------------------------------------------------

    wire [ENGINES-1:0]          drain_valid;
    wire [ENGINES-1:0]          drain_ready;
    wire [ENGINES-1:0]          drain_header;
    wire [ENGINES*OUT_W-1:0]    drain_data;
    wire [ENGINES*FILL_W-1:0]   drain_count;
    wire [ENGINES-1:0]          drain_last;
    wire [ENGINES*VALUES_W-1:0] drain_values;
    wire [ENGINES*PIECES_W-1:0] drain_pieces;
    wire [ENGINES-1:0]          drain_raw;

    generate
        for (g = 0; g < ENGINES; g = g + 1) begin : g_channel
            apack_encoder_channel #(
                .STREAMS      (STREAMS),
                .VALUE_W      (VALUE_W),
                .SYMBOLS      (SYMBOLS),
                .COUNT_W      (COUNT_W),
                .CODE_W       (CODE_W),
                .PIECE_W      (PIECE_W),
                .WORD_W       (WORD_W),
                .LANES        (LANES),
                .BLOCK_VALUES (BLOCK_VALUES),
                .SHARED       ((ENGINES > 1) ? 1 : 0)
            ) channel_inst (
                .clk          (clk),
                .rst          (channels_rst),
                .row_valid    (row_valid),
                .row_base     (row_base),
                .row_offset_w (row_offset_w),
                .row_cum      (row_cum),
                .s_valid      (fill_valid[g]),
                .s_ready      (fill_ready[g]),
                .s_data       (in_values),
                .s_count      (in_count),
                .s_last       (block_ends),
                .s_bank       (front_bank),
                .m_valid      (drain_valid[g]),
                .m_ready      (drain_ready[g]),
                .m_header     (drain_header[g]),
                .m_data       (drain_data[g*OUT_W +: OUT_W]),
                .m_count      (drain_count[g*FILL_W +: FILL_W]),
                .m_last       (drain_last[g]),
                .m_values     (drain_values[g*VALUES_W +: VALUES_W]),
                .m_pieces     (drain_pieces[g*PIECES_W +: PIECES_W]),
                .m_raw        (drain_raw[g])
            );
        end
    endgenerate

    // ---- words out ---------------------------------------------------------------------------------

    reg [ENGINE_W-1:0] head_engine_reg;     // whose block leaves
    reg [BLOCKS_W-1:0] oldest_blocks_reg;   // blocks of the oldest tensor whose header has not left
    reg [BLOCKS_W-1:0] newest_blocks_reg;   // of the newest, when two run
    reg                oldest_some_reg;     // the oldest tensor has a block
    reg                newest_some_reg;
    reg                tail_block_reg;      // the header of the oldest tensor's last block has left
    reg                gone_reg;            // the oldest tensor's tlast has been taken

    wire               gear_ready;
    wire [WORD_W-1:0]  gear_data;
    wire               gear_last;
    wire               gear_valid;

    wire               head_valid  = drain_valid[head_engine_reg];
    wire               head_header = drain_header[head_engine_reg];
    wire               head_last   = drain_last[head_engine_reg];
    wire [OUT_W-1:0]   head_data   = drain_data[head_engine_reg*OUT_W +: OUT_W];
    wire [FILL_W-1:0]  head_count  = drain_count[head_engine_reg*FILL_W +: FILL_W];
    wire [FILL_W-1:0]  head_filled = (head_count + UNIT_UP) >> $clog2(UNIT_W);

    // Whether a block is its tensor's last is known when another has begun or is offered, or the values ended.
    // A header leaves when its block can be counted for the oldest tensor.
    wire               newest_ended = !input_open_reg;
    wire               all_begun    = pair || newest_ended;
    wire               last_one     = oldest_blocks_reg == {{BLOCKS_W-1{1'b0}}, 1'b1};
    wire               follows      = !pair && open && in_valid && keep_legal && some;
    wire               header_open  = count_ready && !tail_block_reg
                                && (last_one ? all_begun || follows : oldest_blocks_reg != {BLOCKS_W{1'b0}});
    wire               head_open    = !closing_reg && (!head_header || header_open);
    wire               tail_block   = last_one && all_begun;

    assign header_go     = head_valid && head_header && head_open && gear_ready;
    assign header_values = drain_values[head_engine_reg*VALUES_W +: VALUES_W];
    assign header_pieces = drain_pieces[head_engine_reg*PIECES_W +: PIECES_W];
    assign header_raw    = drain_raw[head_engine_reg];
    assign drain_ready   = {{ENGINES-1{1'b0}}, head_open && gear_ready} << head_engine_reg;

    // What stands at the output stays until it is taken; behind it an abort empties the gearbox.
    wire gear_rst = rst || (closing_reg && (!gear_valid || m_axis_memory_tready));

    cell_gearbox #(
        .IN_W   (OUT_W),
        .OUT_W  (WORD_W),
        .UNIT_W (UNIT_W)
    ) gearbox_inst (
        .clk     (clk),
        .rst     (gear_rst),
        .s_data  (head_data),
        .s_count (head_filled[UNITS_W-1:0]),
        .s_last  (head_last),
        .s_valid (head_valid && head_open),
        .s_ready (gear_ready),
        .m_data  (gear_data),
        .m_last  (gear_last),
        .m_valid (gear_valid),
        .m_ready (m_axis_memory_tready)
    );

    // The first byte of a word is its most significant in the gearbox, and lane 0 outside.
    reg [WORD_W-1:0] word_data;

    always @(*) begin : b_word
        integer i;

        for (i = 0; i < WORD_B; i = i + 1) begin
            word_data[i*8 +: 8] = gear_data[(WORD_B-1-i)*8 +: 8];
        end
    end

    // While the output is empty after an abort, the beat that closes a tensor stands.
    wire close = closing_reg && !gear_valid && busy && !gone_reg;
    wire gone  = m_axis_memory_tvalid && m_axis_memory_tready && m_axis_memory_tlast;

    assign m_axis_memory_tvalid = gear_valid || close;
    assign m_axis_memory_tdata  = word_data & {WORD_W{gear_valid}};
    assign m_axis_memory_tkeep  = {WORD_B{gear_valid}};
    assign m_axis_memory_tlast  = gear_valid ? gear_last && tail_block_reg : close;

    always @(posedge clk) begin
        if (header_go) begin
            tail_block_reg <= tail_block;
        end
        if (head_valid && drain_ready[head_engine_reg] && head_last) begin
            head_engine_reg <= (head_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : head_engine_reg + 1'b1;
        end
        if (gone) begin
            gone_reg <= 1'b1;
        end

        oldest_blocks_reg <= oldest_blocks_reg + {{BLOCKS_W-1{1'b0}}, fill_begin && !pair}
                           - {{BLOCKS_W-1{1'b0}}, header_go};
        newest_blocks_reg <= newest_blocks_reg + {{BLOCKS_W-1{1'b0}}, fill_begin};
        if (fill_begin) begin
            newest_some_reg <= 1'b1;
            if (!pair) begin
                oldest_some_reg <= 1'b1;
            end
        end
        if (finish) begin
            tail_block_reg    <= 1'b0;
            gone_reg          <= 1'b0;
            oldest_blocks_reg <= newest_blocks_reg + {{BLOCKS_W-1{1'b0}}, fill_begin};
            oldest_some_reg   <= newest_some_reg || fill_begin;
        end
        if (!pair) begin
            newest_blocks_reg <= {BLOCKS_W{1'b0}};
            newest_some_reg   <= 1'b0;
        end

        if (channels_rst) begin
            head_engine_reg   <= {ENGINE_W{1'b0}};
            oldest_blocks_reg <= {BLOCKS_W{1'b0}};
            newest_blocks_reg <= {BLOCKS_W{1'b0}};
            oldest_some_reg   <= 1'b0;
        end
        if (rst) begin
            tail_block_reg <= 1'b0;
            gone_reg       <= 1'b0;
        end
    end

    // ---- tensors -----------------------------------------------------------------------------------

    wire oldest_ended = busy && all_begun;

    assign command_take = command_valid && !pair && newest_ended && !closing_reg && !run_abort;
    assign discard      = closing_reg && input_open_reg;
    assign finish       = oldest_ended && count_ready && (gone_reg || (!oldest_some_reg && !closing_reg));

    always @(posedge clk) begin
        if (in_valid && in_ready && in_last) begin
            input_open_reg <= 1'b0;
        end
        if (run_abort || keep_wrong) begin
            closing_reg <= 1'b1;
        end
        if (run_abort && closing_reg) begin
            input_open_reg <= 1'b0;
        end
        if (finish && !pair) begin
            closing_reg <= 1'b0;
        end
        if (command_take) begin
            input_open_reg <= 1'b1;
        end

        if (rst) begin
            closing_reg    <= 1'b0;
            input_open_reg <= 1'b0;
        end
    end

    assign stall_input  = open && !in_valid && room;
    assign stall_output = m_axis_memory_tvalid && !m_axis_memory_tready;
    assign stall_engine = open && in_valid && some && !room;

endmodule

`resetall
