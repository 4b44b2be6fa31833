// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack decompressor: memory words and block index entries of a tensor in, values out, ENGINES engines wide.
 *
 * s_axil is the register bus (apack_registers has the map). START begins a tensor of VALUES values. s_axis_memory
 * and s_axis_index bring the payload and the index of the container (docs/apack/format.md), byte i of a word or an entry
 * in lane i of tdata, tlast at the end of the tensor; a beat that keeps no byte brings nothing but its tlast,
 * wherever it comes, also behind the last word or entry. An entry has 8 bytes where a block has fewer than 65,536
 * bits, and 12 above. Both inputs must be supplied side by side. A tensor without values has no beats on any port.
 *
 * Beats of m_axis_values carry LANES values, each in a byte (two above 8 bits, low byte first), bits above VALUE_W
 * 0. tkeep is all ones but in the beat with tlast, in which the lowest lanes hold what is left. tuser marks every
 * beat of a damaged block, which holds zeros; the register bus tells the causes. An input with
 * too few or too many words or entries is an event, and damages the blocks that lack them, no others.
 *
 * An implausible entry damages its block; the words that it speaks of are passed over.
 *
 * ABORT drops the tensor that runs: the values close with a beat of tkeep 0 unless their tlast is out, and both
 * inputs are dropped up to their tlast, or to a second ABORT. No ready depends on a ready of another port in the
 * same cycle.
 */
module apack_decompressor #(
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

    input  wire [WORD_W-1:0]              s_axis_memory_tdata,
    input  wire [WORD_W/8-1:0]            s_axis_memory_tkeep,
    input  wire                           s_axis_memory_tvalid,
    output wire                           s_axis_memory_tready,
    input  wire                           s_axis_memory_tlast,

    input  wire [95:0]                    s_axis_index_tdata,
    input  wire [11:0]                    s_axis_index_tkeep,
    input  wire                           s_axis_index_tvalid,
    output wire                           s_axis_index_tready,
    input  wire                           s_axis_index_tlast,

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
    localparam ROWS_W    = SYMBOLS * (1 + 2 * VALUE_W + WIDTH_W + COUNT_W + 1);
    localparam BEAT_W    = LANES * VALUE_W;
    localparam KEEP_W    = LANES * VALUE_BYTES;
    localparam WORD_B    = WORD_W / 8;
    localparam BLOCK_W   = $clog2(BLOCK_VALUES + 1);
    localparam PAD_W     = $clog2(WORD_W);
    localparam WORDS_W   = 34 - PAD_W;

    // words and bits of the largest block
    localparam REGION_WORDS = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W;
    localparam REGION_W     = $clog2(REGION_WORDS + 1);
    localparam BITS_W       = $clog2(REGION_WORDS * WORD_W + 1);

    localparam [ENGINE_W-1:0] LAST_ENGINE = ENGINES[ENGINE_W-1:0] - 1'b1;
    localparam [47:0]         BEAT_VALUES = {{48-LANES_W{1'b0}}, LANES[LANES_W-1:0]};
    localparam [4:0]          VALUE_BITS  = VALUE_W[4:0];

    localparam [1:0] IDLE  = 2'd0;
    localparam [1:0] BEGIN = 2'd1;
    localparam [1:0] RUN   = 2'd2;
    localparam [1:0] CLOSE = 2'd3;

    generate
        if (ENGINES < 1 || ENGINES > 64) begin : g_check_engines
            apack_decompressor_needs_ENGINES_of_1_to_64 illegal_parameter ();
        end
        if (STREAMS < 1 || STREAMS > 8) begin : g_check_streams
            apack_decompressor_needs_STREAMS_of_1_to_8 illegal_parameter ();
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
        if (PIECE_W < 1 || (PIECE_W & (PIECE_W - 1)) != 0) begin : g_check_piece
            apack_decompressor_needs_PIECE_W_a_power_of_two illegal_parameter ();
        end
        if (PIECE_W < CODE_W || PIECE_W < VALUE_W) begin : g_check_piece_w
            apack_decompressor_needs_PIECE_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
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
    wire [2*ROWS_W-1:0]      table_rows;

    wire                     command_valid;
    wire                     command_take;
    wire                     run_bank;
    wire [16:0]              run_block;
    wire [47:0]              run_values;
    wire                     run_abort;
    wire                     discard;
    wire                     finish;
    wire                     aborted;
    wire                     index_length;
    wire                     memory_length;
    wire [LANES_W-1:0]       values_given;
    wire [BITS_W-1:0]        stored_bits;
    wire                     word_taken;
    wire                     stall_input;
    wire                     stall_output;
    wire                     stall_engine;
    wire                     block_dealt;
    wire                     raw_dealt;
    wire                     bad_valid;
    wire [31:0]              bad_block;
    wire [5:0]               bad_cause;

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
        .run_values          (run_values),
        .busy                (),
        .run_abort           (run_abort),
        .discard             (discard),
        .finish              (finish || aborted),
        .event_done          (finish),
        .event_aborted       (aborted),
        .event_keep          (1'b0),
        .event_index_length  (index_length),
        .event_memory_length (memory_length),
        .count_values        (values_given),
        .count_bits          (stored_bits),
        .count_word          (word_taken),
        .count_stall_input   (stall_input),
        .count_stall_output  (stall_output),
        .count_stall_engine  (stall_engine),
        .count_block         (block_dealt),
        .count_raw           (raw_dealt),
        .bad_valid           (bad_valid),
        .bad_block           (bad_block),
        .bad_cause           (bad_cause)
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
                .row_limit           (table_rows[g*ROWS_W+SYMBOLS*(1+VALUE_W) +: SYMBOLS*VALUE_W]),
                .row_offset_w        (table_rows[g*ROWS_W+SYMBOLS*(1+2*VALUE_W) +: SYMBOLS*WIDTH_W]),
                .row_cum             (table_rows[g*ROWS_W+SYMBOLS*(1+2*VALUE_W+WIDTH_W) +: SYMBOLS*(COUNT_W+1)])
            );
        end
    endgenerate

    wire [SYMBOLS-1:0]             row_valid;
    wire [SYMBOLS*VALUE_W-1:0]     row_base;
    wire [SYMBOLS*VALUE_W-1:0]     row_limit;
    wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w;
    wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum;

    // The bank changes between tensors only.
    assign {row_cum, row_offset_w, row_limit, row_base, row_valid} = table_rows[run_bank*ROWS_W +: ROWS_W];

    // ---- inputs ------------------------------------------------------------------------------------

    reg [1:0] state_reg;
    reg       channels_rst_reg;
    reg       index_ended_reg;      // the tensor's tlast has been taken
    reg       memory_ended_reg;
    reg       short_reg;            // entries have 8 bytes

    wire [95:0]       index_data;
    wire [11:0]       index_keep;
    wire              index_last;
    wire              index_valid;
    wire              index_ready;

    wire [WORD_W-1:0] memory_data;
    wire [WORD_B-1:0] memory_keep;
    wire              memory_last;
    wire              memory_valid;
    wire              memory_ready;

    cell_skid #(.DATA_W (1 + 12 + 96)) index_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({s_axis_index_tlast, s_axis_index_tkeep, s_axis_index_tdata}),
        .s_valid (s_axis_index_tvalid),
        .s_ready (s_axis_index_tready),
        .m_data  ({index_last, index_keep, index_data}),
        .m_valid (index_valid),
        .m_ready (index_ready)
    );

    cell_skid #(.DATA_W (1 + WORD_B + WORD_W)) memory_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({s_axis_memory_tlast, s_axis_memory_tkeep, s_axis_memory_tdata}),
        .s_valid (s_axis_memory_tvalid),
        .s_ready (s_axis_memory_tready),
        .m_data  ({memory_last, memory_keep, memory_data}),
        .m_valid (memory_valid),
        .m_ready (memory_ready)
    );

    // The first byte of a word is its most significant in the channels, and lane 0 outside.
    reg [WORD_W-1:0] memory_word;
    always @(*) begin : b_word
        integer i;

        for (i = 0; i < WORD_B; i = i + 1) begin
            memory_word[i*8 +: 8] = memory_data[(WORD_B-1-i)*8 +: 8];
        end
    end

    wire run          = state_reg == RUN && !channels_rst_reg;
    wire index_some   = |index_keep;
    wire memory_some  = |memory_keep;
    wire entry_ready;
    wire entries_all;
    wire deal_ready;
    wire deal_busy;
    wire truncated;

    // No block needs what comes when all have been dealt: it is dropped, up to the tlast.
    wire entry_need   = run && !entries_all;
    wire word_need    = run && (!entries_all || deal_busy);
    wire index_open   = (run || discard) && !index_ended_reg;
    wire memory_open  = (run || discard) && !memory_ended_reg;

    assign index_ready  = index_open && (!entry_need || entry_ready || !index_some);
    assign memory_ready = memory_open && (!word_need || deal_ready || !memory_some);

    wire entry_valid   = index_open && entry_need && index_valid && index_some;
    wire word_valid    = memory_open && word_need && memory_valid && memory_some;
    wire entry_missing = entry_need && index_ended_reg && entry_ready;

    assign word_taken    = run && memory_ready && memory_valid && memory_some;
    assign index_length  = entry_missing || (run && entries_all && index_ready && index_valid && index_some);
    assign memory_length = run && (truncated || (!word_need && memory_ready && memory_valid && memory_some));

    // ---- blocks to the channels --------------------------------------------------------------------

    wire [BLOCK_W-1:0]   stored_count;
    wire [BITS_W-1:0]    stored_code_bits;
    wire [BITS_W-1:0]    stored_offset_bits;
    wire [PAD_W-1:0]     stored_code_pad;
    wire [PAD_W-1:0]     stored_offset_pad;
    wire [REGION_W-1:0]  stored_code_words;
    wire [REGION_W-1:0]  stored_offset_words;
    wire [WORDS_W-1:0]   stored_words;
    wire [31:0]          stored_crc;
    wire                 stored_implausible;
    wire                 stored_valid;
    wire                 stored_ready;
    wire                 check_busy;

    apack_entry_check #(
        .VALUE_W      (VALUE_W),
        .WORD_W       (WORD_W),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) entry_check_inst (
        .clk            (clk),
        .rst            (rst || state_reg == IDLE || state_reg == CLOSE),
        .s_begin        (state_reg == BEGIN),
        .s_values       (run_values),
        .s_block        (run_block[BLOCK_W-1:0]),
        .s_code_bits    (short_reg ? {16'd0, index_data[15:0]} : index_data[31:0]),
        .s_offset_bits  (short_reg ? {16'd0, index_data[31:16]} : index_data[63:32]),
        .s_crc          (short_reg ? index_data[63:32] : index_data[95:64]),
        .s_valid        (entry_valid),
        .s_missing      (entry_missing),
        .s_ready        (entry_ready),
        .m_all          (entries_all),
        .m_busy         (check_busy),
        .m_count        (stored_count),
        .m_code_bits    (stored_code_bits),
        .m_offset_bits  (stored_offset_bits),
        .m_code_pad     (stored_code_pad),
        .m_offset_pad   (stored_offset_pad),
        .m_code_words   (stored_code_words),
        .m_offset_words (stored_offset_words),
        .m_words        (stored_words),
        .m_crc          (stored_crc),
        .m_implausible  (stored_implausible),
        .m_valid        (stored_valid),
        .m_ready        (stored_ready)
    );

    wire [ENGINES-1:0]   room;
    wire [ENGINES-1:0]   deal_word_valid;
    wire [WORD_W-1:0]    deal_word_data;
    wire [ENGINES-1:0]   deal_valid;
    wire [BLOCK_W-1:0]   deal_count;
    wire [BITS_W-1:0]    deal_code_bits;
    wire [BITS_W-1:0]    deal_offset_bits;
    wire [REGION_W-1:0]  deal_code_words;
    wire [REGION_W-1:0]  deal_offset_words;
    wire [31:0]          deal_crc;
    wire [5:0]           deal_cause;
    wire                 deal_full;
    wire                 dealing;

    apack_block_deal #(
        .ENGINES      (ENGINES),
        .VALUE_W      (VALUE_W),
        .WORD_W       (WORD_W),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) deal_inst (
        .clk                  (clk),
        .rst                  (channels_rst_reg),
        .s_block_count        (stored_count),
        .s_block_code_bits    (stored_code_bits),
        .s_block_offset_bits  (stored_offset_bits),
        .s_block_code_pad     (stored_code_pad),
        .s_block_offset_pad   (stored_offset_pad),
        .s_block_code_words   (stored_code_words),
        .s_block_offset_words (stored_offset_words),
        .s_block_words        (stored_words),
        .s_block_crc          (stored_crc),
        .s_block_implausible  (stored_implausible),
        .s_block_valid        (stored_valid),
        .s_block_ready        (stored_ready),
        .s_word_data          (memory_word),
        .s_word_valid         (word_valid),
        .s_word_ended         (memory_ended_reg),
        .s_word_ready         (deal_ready),
        .room                 (room),
        .word_valid           (deal_word_valid),
        .word_data            (deal_word_data),
        .block_valid          (deal_valid),
        .block_count          (deal_count),
        .block_code_bits      (deal_code_bits),
        .block_offset_bits    (deal_offset_bits),
        .block_code_words     (deal_code_words),
        .block_offset_words   (deal_offset_words),
        .block_crc            (deal_crc),
        .block_cause          (deal_cause),
        .m_busy               (dealing),
        .m_truncated          (truncated),
        .m_full               (deal_full)
    );

    assign deal_busy   = check_busy || dealing;
    assign block_dealt = run && |deal_valid;
    assign raw_dealt   = block_dealt && deal_code_bits == {BITS_W{1'b0}} && !deal_cause[0];
    assign stored_bits = (deal_code_bits + deal_offset_bits) & {BITS_W{block_dealt && !deal_cause[0]}};

    // ---- channels ----------------------------------------------------------------------------------

    wire [ENGINES*BEAT_W-1:0] beat_data;
    wire [ENGINES*6-1:0]      beat_cause;
    wire [ENGINES-1:0]        beat_last;
    wire [ENGINES-1:0]        beat_valid;
    wire [ENGINES-1:0]        beat_ready;

    generate
        for (g = 0; g < ENGINES; g = g + 1) begin : g_channel
            apack_decoder_channel #(
                .STREAMS      (STREAMS),
                .VALUE_W      (VALUE_W),
                .SYMBOLS      (SYMBOLS),
                .COUNT_W      (COUNT_W),
                .CODE_W       (CODE_W),
                .PIECE_W      (PIECE_W),
                .PIECES       ((WORD_W > PIECE_W) ? WORD_W / PIECE_W : 1),
                .LANES        (LANES),
                .BLOCK_VALUES (BLOCK_VALUES)
            ) channel_inst (
                .clk                  (clk),
                .rst                  (channels_rst_reg),
                .row_valid            (row_valid),
                .row_base             (row_base),
                .row_limit            (row_limit),
                .row_offset_w         (row_offset_w),
                .row_cum              (row_cum),
                .s_room               (room[g]),
                .s_word_valid         (deal_word_valid[g]),
                .s_word_data          (deal_word_data),
                .s_block_valid        (deal_valid[g]),
                .s_block_count        (deal_count),
                .s_block_code_bits    (deal_code_bits),
                .s_block_offset_bits  (deal_offset_bits),
                .s_block_code_words   (deal_code_words),
                .s_block_offset_words (deal_offset_words),
                .s_block_crc          (deal_crc),
                .s_block_cause        (deal_cause),
                .m_beat_data          (beat_data[g*BEAT_W +: BEAT_W]),
                .m_beat_cause         (beat_cause[g*6 +: 6]),
                .m_beat_last          (beat_last[g]),
                .m_beat_valid         (beat_valid[g]),
                .m_beat_ready         (beat_ready[g])
            );
        end
    endgenerate

    // ---- values out --------------------------------------------------------------------------------

    reg [ENGINE_W-1:0] drain_engine_reg;
    reg [47:0]         left_reg;            // values to be put out
    reg [31:0]         block_reg;           // number of the block that leaves
    reg                closed_reg;          // tlast has been put out

    wire               out_ready;
    wire [BEAT_W-1:0]  head_data  = beat_data[drain_engine_reg*BEAT_W +: BEAT_W];
    wire [5:0]         head_cause = beat_cause[drain_engine_reg*6 +: 6];
    wire               head_last  = beat_last[drain_engine_reg];
    wire               head_valid = beat_valid[drain_engine_reg];

    wire               beat_go    = run && head_valid && out_ready;
    wire               close      = state_reg == CLOSE && !closed_reg && out_ready;
    wire               last_beat      = left_reg <= BEAT_VALUES;
    wire [LANES_W-1:0] kept       = last_beat ? left_reg[LANES_W-1:0] : BEAT_VALUES[LANES_W-1:0];
    reg [KEEP_W*8-1:0] out_data;
    reg [KEEP_W-1:0]   out_keep;

    assign beat_ready = {{ENGINES-1{1'b0}}, beat_go} << drain_engine_reg;

    always @(*) begin : b_values
        integer i;

        out_data = {KEEP_W*8{1'b0}};
        for (i = 0; i < LANES; i = i + 1) begin
            out_keep[i*VALUE_BYTES +: VALUE_BYTES] = {VALUE_BYTES{i[LANES_W-1:0] < kept && !close}};
            out_data[i*VALUE_BYTES*8 +: VALUE_W]   = head_data[i*VALUE_W +: VALUE_W]
                                                   & {VALUE_W{i[LANES_W-1:0] < kept && !close}};
        end
    end

    cell_skid #(.DATA_W (2 + KEEP_W * 9)) values_skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({head_cause != 6'd0 && !close, close || last_beat, out_keep, out_data}),
        .s_valid (beat_go || close),
        .s_ready (out_ready),
        .m_data  ({m_axis_values_tuser, m_axis_values_tlast, m_axis_values_tkeep, m_axis_values_tdata}),
        .m_valid (m_axis_values_tvalid),
        .m_ready (m_axis_values_tready)
    );

    always @(posedge clk) begin
        if (state_reg == BEGIN) begin
            left_reg         <= run_values;
            block_reg        <= 32'd0;
            drain_engine_reg <= {ENGINE_W{1'b0}};
            closed_reg       <= run_values == 48'd0;
        end else if (beat_go) begin
            left_reg   <= last_beat ? 48'd0 : left_reg - BEAT_VALUES;
            closed_reg <= last_beat;
            if (head_last) begin
                block_reg        <= block_reg + 32'd1;
                drain_engine_reg <= (drain_engine_reg == LAST_ENGINE) ? {ENGINE_W{1'b0}} : drain_engine_reg + 1'b1;
            end
        end else if (close) begin
            closed_reg <= 1'b1;
        end
    end

    assign values_given = kept & {LANES_W{beat_go}};
    assign bad_valid    = beat_go && head_last && head_cause != 6'd0;
    assign bad_block    = block_reg;
    assign bad_cause    = head_cause;

    // ---- state -------------------------------------------------------------------------------------

    wire inputs_ended = index_ended_reg && memory_ended_reg;

    assign command_take = state_reg == IDLE && command_valid;
    assign discard      = state_reg == CLOSE && !inputs_ended;
    assign finish       = state_reg == RUN && closed_reg && inputs_ended && !m_axis_values_tvalid;
    assign aborted      = state_reg == CLOSE && closed_reg && inputs_ended && !m_axis_values_tvalid;

    always @(posedge clk) begin
        channels_rst_reg <= rst || state_reg != RUN;
        short_reg        <= {5'd0, run_block} * {17'd0, VALUE_BITS} < 22'd65536;

        if (index_ready && index_valid && index_last) begin
            index_ended_reg <= 1'b1;
        end
        if (memory_ready && memory_valid && memory_last) begin
            memory_ended_reg <= 1'b1;
        end

        case (state_reg)
            IDLE: begin
                index_ended_reg  <= 1'b0;
                memory_ended_reg <= 1'b0;
                if (command_take) begin
                    state_reg <= BEGIN;
                end
            end
            BEGIN: begin
                state_reg <= run_abort ? CLOSE : RUN;
                if (run_values == 48'd0) begin     // no beats on any port
                    index_ended_reg  <= 1'b1;
                    memory_ended_reg <= 1'b1;
                end
            end
            RUN: begin
                if (finish) begin
                    state_reg <= IDLE;
                end else if (run_abort) begin
                    state_reg <= CLOSE;
                end
            end
            default: begin
                if (run_abort) begin
                    index_ended_reg  <= 1'b1;
                    memory_ended_reg <= 1'b1;
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

    assign stall_input  = run && ((entry_ready && !index_ended_reg && !index_valid && !deal_busy)
                               || (deal_ready && !memory_valid));
    assign stall_output = state_reg != IDLE && m_axis_values_tvalid && !m_axis_values_tready;
    assign stall_engine = run && deal_full && memory_valid && memory_some && !memory_ended_reg;

endmodule

`resetall
