// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack compressor: values of a tensor in, memory words and block index entries out, ENGINES engines wide.
 *
 * s_axil is the register bus (apack_registers has the map). A tensor is begun with START, and ends with
 * tlast on s_axis_values. Beats carry LANES values, each in a byte (two above 8 bits, low byte first),
 * bits above VALUE_W ignored. tkeep is all ones, but the last values may be the lowest lanes of a beat. A beat
 * that keeps no byte brings nothing but its tlast, wherever it comes: as width converters make them, between
 * values, before the first or behind the last, where it may end the tensor. Anything else drops the tensor,
 * with the event KEEP: a tkeep with a gap or with half a value, and values behind a beat that kept only some.
 *
 * m_axis_memory and m_axis_index carry the payload and the index of the container (docs/apack/format.md), byte i
 * of a word or an entry in lane i of tdata, tlast at the end of the tensor. An entry has 8 bytes where a
 * block has fewer than 65,536 bits, and 12 above, which tkeep shows. A block's entry leaves before its
 * words. Both outputs must be taken side by side. A tensor without values makes no beats.
 *
 * ABORT drops the tensor that runs: each output that lacks its tlast closes with a beat of tkeep 0, and the
 * values are dropped up to their tlast, or to a second ABORT. No ready depends on a ready of another port
 * in the same cycle.
 */
module apack_compressor #(
    // engines, 1..64
    parameter ENGINES      = 1,
    // streams that take turns, in each engine, 1..8
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // rows of the symbol table, 1..255
    parameter SYMBOLS      = 16,
    // bits of a cumulative count, at most 16 and CODE_W - 2
    parameter COUNT_W      = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W       = 16,
    // bits of a piece, a power of two, at least CODE_W and VALUE_W
    parameter PIECE_W      = 16,
    // bits of a word, in memory: 16, 32 or 64, at least PIECE_W
    parameter WORD_W       = 64,
    // values of a beat, a power of two, at most 128
    parameter LANES        = 8,
    // most values of a block, a power of two, a multiple of LANES, at most 65,536
    parameter BLOCK_VALUES = 4096,
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
    output wire                           m_axis_memory_tlast,

    output wire [95:0]                    m_axis_index_tdata,
    output wire [11:0]                    m_axis_index_tkeep,
    output wire                           m_axis_index_tvalid,
    input  wire                           m_axis_index_tready,
    output wire                           m_axis_index_tlast
);

    localparam WIDTH_W   = $clog2(VALUE_W + 1);
    localparam LANES_W   = $clog2(LANES + 1);
    localparam ENGINE_W  = (ENGINES > 1) ? $clog2(ENGINES) : 1;
    localparam ROW_W     = $clog2(SYMBOLS + 1);
    localparam ROWS_W    = SYMBOLS * (1 + VALUE_W + WIDTH_W + COUNT_W + 1);
    localparam BEAT_W    = LANES * VALUE_W;
    localparam BITS_W    = $clog2(BLOCK_VALUES * ((CODE_W > VALUE_W) ? CODE_W : VALUE_W) + WORD_W + 3);
    localparam ENTRY_W   = 32 + 2 * BITS_W;
    localparam OUT_W     = (WORD_W > BEAT_W) ? WORD_W : BEAT_W;
    localparam DATA_W    = (OUT_W > ENTRY_W) ? OUT_W : ENTRY_W;
    localparam FILL_W    = $clog2(OUT_W + 1);
    localparam KEEP_W    = LANES * VALUE_BYTES;
    localparam OPEN_W    = $clog2(ENGINES * (STREAMS + 1) + 1);
    localparam WORD_B    = WORD_W / 8;

    localparam [ENGINE_W-1:0] LAST_ENGINE = ENGINES[ENGINE_W-1:0] - 1'b1;
    localparam [16:0]         BEAT_VALUES = LANES[16:0];
    localparam [4:0]          VALUE_BITS  = VALUE_W[4:0];

    localparam [1:0] IDLE  = 2'd0;
    localparam [1:0] RUN   = 2'd1;
    localparam [1:0] CLOSE = 2'd2;

    generate
        if (ENGINES < 1 || ENGINES > 64) begin : g_check_engines
            apack_compressor_needs_ENGINES_of_1_to_64 illegal_parameter ();
        end
        if (STREAMS < 1 || STREAMS > 8) begin : g_check_streams
            apack_compressor_needs_STREAMS_of_1_to_8 illegal_parameter ();
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
        if (PIECE_W < 1 || (PIECE_W & (PIECE_W - 1)) != 0) begin : g_check_piece
            apack_compressor_needs_PIECE_W_a_power_of_two illegal_parameter ();
        end
        if (PIECE_W < CODE_W || PIECE_W < VALUE_W) begin : g_check_piece_w
            apack_compressor_needs_PIECE_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
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
    wire [2*ROWS_W-1:0]      table_rows;

    wire                     command_valid;
    wire                     command_take;
    wire                     run_bank;
    wire [16:0]              run_block;
    wire                     run_abort;
    wire                     discard;
    wire                     finish;
    wire                     aborted;
    wire                     keep_wrong;
    wire [LANES_W-1:0]       values_taken;
    wire [BITS_W-1:0]        entry_bits;
    wire                     word_put;
    wire                     stall_input;
    wire                     stall_output;
    wire                     stall_engine;
    wire                     entry_put;
    wire                     raw_put;

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
        .BITS_W       (BITS_W)
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
        .run_bank            (run_bank),
        .run_block           (run_block),
        .run_values          (),
        .busy                (),
        .run_abort           (run_abort),
        .discard             (discard),
        .finish              (finish || aborted),
        .event_done          (finish),
        .event_aborted       (aborted),
        .event_keep          (keep_wrong),
        .event_index_length  (1'b0),
        .event_memory_length (1'b0),
        .count_values        (values_taken),
        .count_bits          (entry_bits),
        .count_word          (word_put),
        .count_stall_input   (stall_input),
        .count_stall_output  (stall_output),
        .count_stall_engine  (stall_engine),
        .count_block         (entry_put),
        .count_raw           (raw_put),
        .bad_valid           (1'b0),
        .bad_block           (32'd0),
        .bad_cause           (6'd0)
    );

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
                .row_valid           (table_rows[g*ROWS_W +: SYMBOLS]),
                .row_base            (table_rows[g*ROWS_W+SYMBOLS +: SYMBOLS*VALUE_W]),
                .row_limit           (),
                .row_offset_w        (table_rows[g*ROWS_W+SYMBOLS*(1+VALUE_W) +: SYMBOLS*WIDTH_W]),
                .row_cum             (table_rows[g*ROWS_W+SYMBOLS*(1+VALUE_W+WIDTH_W) +: SYMBOLS*(COUNT_W+1)])
            );
        end
    endgenerate

    wire [SYMBOLS-1:0]             row_valid;
    wire [SYMBOLS*VALUE_W-1:0]     row_base;
    wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w;
    wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum;

    // The bank changes between tensors only.
    assign {row_cum, row_offset_w, row_base, row_valid} = table_rows[run_bank*ROWS_W +: ROWS_W];

    // ---- values in ---------------------------------------------------------------------------------

    reg [1:0]          state_reg;
    reg                ended_reg;           // the tensor's last beat has been taken
    reg                channels_rst_reg;

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

    reg [ENGINE_W-1:0] fill_engine_reg;
    reg                filling_reg;         // a block has begun and lacks values
    reg [16:0]         left_reg;            // values that it lacks

    wire [ENGINES-1:0] fill_ready;
    wire [ENGINES-1:0] fill_valid;

    wire        open       = state_reg == RUN && !channels_rst_reg && !ended_reg;
    wire        room       = filling_reg || fill_ready[fill_engine_reg];
    wire        take       = open && in_valid && (room || !some || !keep_legal);
    wire        fill       = take && keep_legal && (some || (filling_reg && in_last));
    wire [16:0] left       = filling_reg ? left_reg : run_block;
    wire        block_ends = in_last || !(&in_keep) || left == BEAT_VALUES;
    wire        fill_begin = fill && !filling_reg;

    assign fill_valid   = {{ENGINES-1{1'b0}}, fill} << fill_engine_reg;
    assign in_ready     = take || discard;
    assign keep_wrong   = take && !keep_legal;
    assign values_taken = in_count & {LANES_W{fill}};

    always @(posedge clk) begin
        if (fill) begin
            filling_reg <= !block_ends;
            left_reg    <= left - BEAT_VALUES;
            tail_reg    <= !(&in_keep);
        end
        if (fill && block_ends) begin
            fill_engine_reg <= (fill_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : fill_engine_reg + 1'b1;
        end

        if (rst || state_reg != RUN) begin
            filling_reg     <= 1'b0;
            tail_reg        <= 1'b0;
            fill_engine_reg <= {ENGINE_W{1'b0}};
        end
    end

    // ---- channels ----------------------------------------------------------------------------------

    wire [ENGINES-1:0]        drain_valid;
    wire [ENGINES-1:0]        drain_entry;
    wire [ENGINES*DATA_W-1:0] drain_data;
    wire [ENGINES*FILL_W-1:0] drain_count;
    wire [ENGINES-1:0]        drain_last;
    wire [ENGINES-1:0]        drain_ready;

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
                .BLOCK_VALUES (BLOCK_VALUES)
            ) channel_inst (
                .clk          (clk),
                .rst          (channels_rst_reg),
                .row_valid    (row_valid),
                .row_base     (row_base),
                .row_offset_w (row_offset_w),
                .row_cum      (row_cum),
                .fill_ready   (fill_ready[g]),
                .fill_valid   (fill_valid[g]),
                .fill_data    (in_values),
                .fill_count   (in_count),
                .fill_last    (block_ends),
                .m_valid      (drain_valid[g]),
                .m_entry      (drain_entry[g]),
                .m_data       (drain_data[g*DATA_W +: DATA_W]),
                .m_count      (drain_count[g*FILL_W +: FILL_W]),
                .m_last       (drain_last[g]),
                .m_ready      (drain_ready[g])
            );
        end
    endgenerate

    // ---- entries and words out ---------------------------------------------------------------------

    reg [ENGINE_W-1:0] drain_engine_reg;
    reg [OPEN_W-1:0]   open_blocks_reg;     // blocks that have begun and whose entry has not left
    reg                last_block_reg;           // the entry that left last is the tensor's last
    reg                gear_last_block_reg;      // the same of the block in the gearbox
    reg                begun_reg;           // the tensor has a block
    reg                short_reg;           // entries have 8 bytes
    reg                index_closed_reg;    // tlast has been put out
    reg                memory_closed_reg;

    wire               index_ready;
    wire               memory_ready;
    wire               gear_ready;
    wire [WORD_W-1:0]  gear_data;
    wire               gear_last;
    wire               gear_valid;

    wire               head_valid = drain_valid[drain_engine_reg];
    wire               head_entry = drain_entry[drain_engine_reg];
    wire               head_last  = drain_last[drain_engine_reg];
    wire [DATA_W-1:0]  head_data  = drain_data[drain_engine_reg*DATA_W +: DATA_W];
    wire [FILL_W-1:0]  head_count = drain_count[drain_engine_reg*FILL_W +: FILL_W];

    // Whether a block is the tensor's last is known when another has begun or waits, or the values ended.
    wire               newest   = open_blocks_reg == {{OPEN_W-1{1'b0}}, 1'b1};
    wire               follows  = open && in_valid && keep_legal && some;
    wire               entry_go = state_reg == RUN && head_valid && head_entry && index_ready
                               && (!newest || follows || ended_reg);
    wire               piece_go = head_valid && !head_entry && gear_ready;
    wire               last_block    = ended_reg && newest;

    assign drain_ready = {{ENGINES-1{1'b0}}, entry_go || piece_go} << drain_engine_reg;

    wire [31:0]        entry_crc;
    wire [BITS_W-1:0]  entry_offset_bits;
    wire [BITS_W-1:0]  entry_code_bits;
    wire [31:0]        wide_offset_bits = {{32-BITS_W{1'b0}}, entry_offset_bits};
    wire [31:0]        wide_code_bits   = {{32-BITS_W{1'b0}}, entry_code_bits};

    assign {entry_crc, entry_offset_bits, entry_code_bits} = head_data[ENTRY_W-1:0];

    // no index entry, no memory word: an abort's closing beat
    wire               close_index  = state_reg == CLOSE && !index_closed_reg && index_ready;
    wire               close_memory = state_reg == CLOSE && !memory_closed_reg && memory_ready;

    wire [95:0]        entry_data = short_reg
                                  ? {32'd0, entry_crc, wide_offset_bits[15:0], wide_code_bits[15:0]}
                                  : {entry_crc, wide_offset_bits, wide_code_bits};
    wire [11:0]        entry_keep = short_reg ? 12'h0FF : 12'hFFF;

    cell_skid #(.DATA_W (1 + 12 + 96)) index_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({close_index || last_block, entry_keep & {12{!close_index}}, entry_data}),
        .s_valid (entry_go || close_index),
        .s_ready (index_ready),
        .m_data  ({m_axis_index_tlast, m_axis_index_tkeep, m_axis_index_tdata}),
        .m_valid (m_axis_index_tvalid),
        .m_ready (m_axis_index_tready)
    );

    cell_gearbox #(
        .IN_W  (OUT_W),
        .OUT_W (WORD_W)
    ) gearbox_inst (
        .clk     (clk),
        .rst     (channels_rst_reg),
        .s_data  (head_data[DATA_W-1 -: OUT_W]),
        .s_count (head_count),
        .s_last  (head_last),
        .s_valid (head_valid && !head_entry),
        .s_ready (gear_ready),
        .m_data  (gear_data),
        .m_last  (gear_last),
        .m_valid (gear_valid),
        .m_ready (memory_ready)
    );

    // The first byte of a word is its most significant in the gearbox, and lane 0 outside.
    reg [WORD_W-1:0] word_data;

    always @(*) begin : b_word
        integer i;

        for (i = 0; i < WORD_B; i = i + 1) begin
            word_data[i*8 +: 8] = gear_data[(WORD_B-1-i)*8 +: 8];
        end
    end

    wire word_last = gear_last && gear_last_block_reg;

    assign word_put = gear_valid && memory_ready && state_reg == RUN;

    cell_skid #(.DATA_W (1 + WORD_B + WORD_W)) memory_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({close_memory || word_last, {WORD_B{!close_memory}}, word_data}),
        .s_valid (word_put || close_memory),
        .s_ready (memory_ready),
        .m_data  ({m_axis_memory_tlast, m_axis_memory_tkeep, m_axis_memory_tdata}),
        .m_valid (m_axis_memory_tvalid),
        .m_ready (m_axis_memory_tready)
    );

    always @(posedge clk) begin
        short_reg <= {5'd0, run_block} * {17'd0, VALUE_BITS} < 22'd65536;

        if (entry_go) begin
            last_block_reg <= last_block;
        end
        if (piece_go) begin
            gear_last_block_reg <= last_block_reg;
        end
        if (piece_go && head_last) begin
            drain_engine_reg <= (drain_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : drain_engine_reg + 1'b1;
        end
        if (fill_begin) begin
            begun_reg <= 1'b1;
        end
        if (close_index || (entry_go && last_block)) begin
            index_closed_reg <= 1'b1;
        end
        if (close_memory || (word_put && word_last)) begin
            memory_closed_reg <= 1'b1;
        end

        open_blocks_reg <= open_blocks_reg + {{OPEN_W-1{1'b0}}, fill_begin} - {{OPEN_W-1{1'b0}}, entry_go};

        if (rst || state_reg == IDLE) begin
            drain_engine_reg  <= {ENGINE_W{1'b0}};
            open_blocks_reg   <= {OPEN_W{1'b0}};
            begun_reg         <= 1'b0;
            index_closed_reg  <= 1'b0;
            memory_closed_reg <= 1'b0;
        end
    end

    // ---- state -------------------------------------------------------------------------------------

    wire taken   = !m_axis_index_tvalid && !m_axis_memory_tvalid;
    wire put_out = !begun_reg || memory_closed_reg;     // the last word follows the last entry

    assign command_take = state_reg == IDLE && command_valid;
    assign discard      = state_reg == CLOSE && !ended_reg;
    assign finish       = state_reg == RUN && ended_reg && put_out && taken;
    assign aborted      = state_reg == CLOSE && ended_reg && index_closed_reg && memory_closed_reg && taken;

    always @(posedge clk) begin
        channels_rst_reg <= rst || state_reg != RUN;

        if ((take || discard) && in_valid && in_last) begin
            ended_reg <= 1'b1;
        end

        case (state_reg)
            IDLE: begin
                ended_reg <= 1'b0;
                if (command_take) begin
                    state_reg <= RUN;
                end
            end
            RUN: begin
                if (finish) begin
                    state_reg <= IDLE;
                end else if (run_abort || keep_wrong) begin
                    state_reg <= CLOSE;
                end
            end
            default: begin
                if (run_abort) begin
                    ended_reg <= 1'b1;
                end
                if (aborted) begin
                    state_reg <= IDLE;
                end
            end
        endcase

        if (rst) begin
            state_reg <= IDLE;
        end
    end

    assign entry_bits   = (entry_code_bits + entry_offset_bits) & {BITS_W{entry_go}};
    assign entry_put    = entry_go;
    assign raw_put      = entry_go && entry_code_bits == {BITS_W{1'b0}};
    assign stall_input  = open && !in_valid && room;
    assign stall_output = state_reg != IDLE && ((m_axis_index_tvalid && !m_axis_index_tready)
                                             || (m_axis_memory_tvalid && !m_axis_memory_tready));
    assign stall_engine = open && in_valid && some && !room;

endmodule

`resetall
