// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * A decoder engine with what it needs around it: the words of blocks come, checked values leave, in order.
 *
 * s_block_* brings a block's record: s_block_count values, 1..BLOCK_VALUES; s_block_raw, stored verbatim;
 * s_block_pieces; s_block_crc, the CRC-32 of its values; s_block_bank, whose rows it is coded with (bank 1 is
 * the upper half of the row buses); s_block_last, it is its tensor's last. After a record with pieces come its
 * ceil(s_block_pieces * PIECE_W / WORD_W) words, first piece most significant, s_word_last with the last; or
 * fewer, and one with s_word_cut and s_word_last, whose data mean nothing. s_block_lost says that no header
 * could be read: s_block_pieces is 0, no words come, and the values are zeros.
 *
 * A block leaves as its ceil(s_block_count / LANES) beats, lane 0 lowest, m_count values in each, which is LANES
 * but in its last beat, m_last; m_tensor_last is there in all of its beats. Lanes from m_count on mean nothing.
 * With m_last stand, for counters, m_block_count, m_block_pieces and m_block_raw of its record, and m_cause, one
 * bit for each thing that is wrong with it:
 *   0 HEADER     it was lost; then no other is set
 *   1 TRUNCATED  its words ended with a cut one; its pieces are those that came before
 *   2 SHORT      its values took more pieces than came; missing ones are zeros
 *   3 LEFT       its values took fewer
 *   4 OFFSET     an offset points beyond its group
 *   5 CRC        its values have another CRC-32
 * With HOLD 0 values leave as they are decoded, and m_bad is high with the last beat of a block with a cause.
 * With HOLD 1 a block waits until it is known to be sound; otherwise its beats are zeros, m_bad with all.
 * With SHARED 1 two whole blocks of words, and two of values, find room while other channels are at work.
 *
 * The rows of a bank must hold still while blocks of it are under way.
 */
module apack_decoder_channel #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS      = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W      = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W       = 16,
    // bits of a piece; leave at its default
    parameter PIECE_W      = (COUNT_W + 2 > 16) ? 32 : 16,
    // bits of a word: 16, 32 or 64, at least PIECE_W
    parameter WORD_W       = 64,
    // values of a beat, a power of two
    parameter LANES        = 8,
    // most values of a block, a power of two and a multiple of LANES
    parameter BLOCK_VALUES = 4096,
    // damaged blocks leave as zeros if 1
    parameter HOLD         = 0,
    // one of several channels if 1
    parameter SHARED       = 0,
    // bits of a number of values; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1),
    // bits of a number of pieces; leave at its default
    parameter PIECES_W     = $clog2((BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W * (WORD_W / PIECE_W) + 1),
    // bits of a number of values of a beat; leave at its default
    parameter LANES_W      = $clog2(LANES + 1),
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W      = $clog2(VALUE_W + 1)
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire [2*SYMBOLS-1:0]             row_valid,
    input  wire [2*SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [2*SYMBOLS*VALUE_W-1:0]     row_limit,
    input  wire [2*SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [2*SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire                             s_block_valid,
    output wire                             s_block_ready,
    input  wire [VALUES_W-1:0]              s_block_count,
    input  wire                             s_block_raw,
    input  wire [PIECES_W-1:0]              s_block_pieces,
    input  wire [31:0]                      s_block_crc,
    input  wire                             s_block_bank,
    input  wire                             s_block_last,
    input  wire                             s_block_lost,

    input  wire                             s_word_valid,
    output wire                             s_word_ready,
    input  wire [WORD_W-1:0]                s_word_data,
    input  wire                             s_word_last,
    input  wire                             s_word_cut,

    output wire                             m_valid,
    input  wire                             m_ready,
    output wire [LANES*VALUE_W-1:0]         m_data,
    output wire [LANES_W-1:0]               m_count,
    output wire                             m_last,
    output wire                             m_tensor_last,
    output wire                             m_bad,
    output wire [5:0]                       m_cause,
    output wire [VALUES_W-1:0]              m_block_count,
    output wire [PIECES_W-1:0]              m_block_pieces,
    output wire                             m_block_raw
);

    localparam RECORD_W = VALUES_W + 1 + PIECES_W + 32 + 3;
    localparam PIECES   = WORD_W / PIECE_W;
    localparam PART_W   = (PIECES > 1) ? $clog2(PIECES) : 1;

    // A slot that begins takes up to two pieces so many cycles later, as do those before it.
    localparam TAKE_DELAY = (STREAMS == 1) ? 0 : (STREAMS == 2) ? 1 : (STREAMS == 4) ? 3 : 6;
    localparam NEED       = 2 * (TAKE_DELAY + 1);

    // Beats that are announced and not yet out of the RAM when a value comes a cycle, and two more.
    localparam FEW_BEATS   = (LANES + TAKE_DELAY + 3 + LANES - 1) / LANES + 2;
    localparam BLOCK_BEATS = BLOCK_VALUES / LANES;
    localparam WHOLE       = HOLD + SHARED > 0;
    localparam BEATS       = (WHOLE && 2 * BLOCK_BEATS > FEW_BEATS) ? 2 * BLOCK_BEATS : FEW_BEATS;

    // log2 of the blocks that are under way from the first slot to the last beat
    localparam QUEUE_W = WHOLE ? 2 : 1;

    localparam [VALUES_W-1:0] BEAT_VALUES = LANES[VALUES_W-1:0];

    generate
        if (STREAMS != 1 && STREAMS != 2 && STREAMS != 4 && STREAMS != 8) begin : g_check_streams
            apack_decoder_channel_needs_STREAMS_of_1_2_4_or_8 illegal_parameter ();
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
        if (CODE_W > 32) begin : g_check_code_w
            apack_decoder_channel_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
        if ((WORD_W != 16 && WORD_W != 32 && WORD_W != 64) || WORD_W < PIECE_W) begin : g_check_word_w
            apack_decoder_channel_needs_WORD_W_of_16_32_or_64_and_at_least_PIECE_W illegal_parameter ();
        end
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_decoder_channel_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_decoder_channel_needs_BLOCK_VALUES_a_power_of_two_of_at_least_LANES illegal_parameter ();
        end
        if (HOLD != 0 && HOLD != 1) begin : g_check_hold
            apack_decoder_channel_needs_HOLD_of_0_or_1 illegal_parameter ();
        end
        if (SHARED != 0 && SHARED != 1) begin : g_check_shared
            apack_decoder_channel_needs_SHARED_of_0_or_1 illegal_parameter ();
        end
    endgenerate

    // ---- records and words -----------------------------------------------------------------------------

    wire                begin_block;
    wire                begin_valid;
    wire                begin_ready;
    wire [VALUES_W-1:0] begin_count;
    wire                begin_raw;
    wire [PIECES_W-1:0] begin_pieces;
    wire [31:0]         begin_crc;
    wire                begin_bank;
    wire                begin_last;
    wire                begin_lost;

    wire                word_valid;
    wire                word_ready;
    wire [WORD_W-1:0]   word_data;
    wire                word_last;
    wire                word_cut;

    wire [RECORD_W-1:0] s_record = {s_block_count, s_block_raw, s_block_pieces, s_block_crc,
                                    s_block_bank, s_block_last, s_block_lost};
    wire [RECORD_W-1:0] begin_record;

    assign {begin_count, begin_raw, begin_pieces, begin_crc, begin_bank, begin_last, begin_lost} = begin_record;

    generate
        if (SHARED != 0) begin : g_queued
            localparam BLOCK_WORDS = (BLOCK_VALUES * VALUE_W + WORD_W - 1) / WORD_W;

            cell_fifo #(
                .DATA_W (RECORD_W),
                .FIFO_W (1)
            ) record_fifo_inst (
                .clk     (clk),
                .rst     (rst),
                .s_data  (s_record),
                .s_valid (s_block_valid),
                .s_ready (s_block_ready),
                .m_data  (begin_record),
                .m_valid (begin_valid),
                .m_ready (begin_ready)
            );

            cell_ram_fifo #(
                .DATA_W (WORD_W + 2),
                .DEPTH  (2 * BLOCK_WORDS)
            ) word_fifo_inst (
                .clk     (clk),
                .rst     (rst),
                .s_data  ({s_word_data, s_word_last, s_word_cut}),
                .s_valid (s_word_valid),
                .s_ready (s_word_ready),
                .m_data  ({word_data, word_last, word_cut}),
                .m_valid (word_valid),
                .m_ready (word_ready)
            );
        end else begin : g_direct
            assign begin_record  = s_record;
            assign begin_valid   = s_block_valid;
            assign s_block_ready = begin_ready;

            assign {word_data, word_last, word_cut} = {s_word_data, s_word_last, s_word_cut};
            assign word_valid   = s_word_valid;
            assign s_word_ready = word_ready;
        end
    endgenerate

    wire window_idle;
    wire queue_ready;

    assign begin_ready = window_idle && queue_ready;
    assign begin_block = begin_valid && begin_ready;

    reg        bank_reg;
    reg        lost_reg;
    reg [31:0] crc_reg;

    always @(posedge clk) begin
        if (begin_block) begin
            bank_reg <= begin_bank;
            lost_reg <= begin_lost;
            crc_reg  <= begin_crc;
        end
    end

    // ---- pieces ------------------------------------------------------------------------------------------

    wire                 full;
    wire [2*PIECE_W-1:0] pieces;
    wire [1:0]           take;
    wire                 take_end;
    wire                 over;
    wire                 over_short;
    wire                 over_left;
    wire                 over_cut;
    wire [PART_W-1:0]    begin_part;

    generate
        if (PIECES > 1) begin : g_part
            assign begin_part = begin_pieces[PART_W-1:0];
        end else begin : g_no_part
            assign begin_part = 1'b0;
        end
    endgenerate

    apack_piece_window #(
        .PIECE_W (PIECE_W),
        .WORD_W  (WORD_W),
        .NEED    (NEED)
    ) window_inst (
        .clk            (clk),
        .rst            (rst),
        .s_begin        (begin_block),
        .s_begin_words  (begin_pieces != {PIECES_W{1'b0}}),
        .s_begin_pieces (begin_part),
        .m_idle         (window_idle),
        .s_valid        (word_valid),
        .s_ready        (word_ready),
        .s_data         (word_data),
        .s_last         (word_last),
        .s_cut          (word_cut),
        .m_full         (full),
        .m_pieces       (pieces),
        .s_take         (take),
        .s_end          (take_end),
        .m_over         (over),
        .m_short        (over_short),
        .m_left         (over_left),
        .m_cut          (over_cut)
    );

    // ---- values ------------------------------------------------------------------------------------------

    wire [1:0] slot_kind;
    wire       slot_valued;
    wire       slot_last;
    wire       room;

    // Where a lost block has no pieces, zeros are taken verbatim.
    apack_slot_sequence #(
        .STREAMS      (STREAMS),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) sequence_inst (
        .clk      (clk),
        .rst      (rst),
        .s_begin  (begin_block),
        .s_count  (begin_count),
        .s_raw    (begin_raw || begin_lost),
        .s_full   (full),
        .s_room   (room),
        .m_kind   (slot_kind),
        .m_valued (slot_valued),
        .m_last   (slot_last)
    );

    wire               value_valid;
    wire [VALUE_W-1:0] value;
    wire               value_illegal;
    wire               value_last;

    apack_decoder_engine #(
        .STREAMS (STREAMS),
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) engine_inst (
        .clk          (clk),
        .rst          (rst),
        .row_valid    (bank_reg ? row_valid[SYMBOLS +: SYMBOLS] : row_valid[0 +: SYMBOLS]),
        .row_base     (bank_reg ? row_base[SYMBOLS*VALUE_W +: SYMBOLS*VALUE_W]
                                : row_base[0 +: SYMBOLS*VALUE_W]),
        .row_limit    (bank_reg ? row_limit[SYMBOLS*VALUE_W +: SYMBOLS*VALUE_W]
                                : row_limit[0 +: SYMBOLS*VALUE_W]),
        .row_offset_w (bank_reg ? row_offset_w[SYMBOLS*WIDTH_W +: SYMBOLS*WIDTH_W]
                                : row_offset_w[0 +: SYMBOLS*WIDTH_W]),
        .row_cum      (bank_reg ? row_cum[SYMBOLS*(COUNT_W+1) +: SYMBOLS*(COUNT_W+1)]
                                : row_cum[0 +: SYMBOLS*(COUNT_W+1)]),
        .s_kind       (slot_kind),
        .s_last       (slot_last),
        .s_pieces     (pieces),
        .m_take       (take),
        .m_end        (take_end),
        .m_valid      (value_valid),
        .m_value      (value),
        .m_illegal    (value_illegal),
        .m_last       (value_last)
    );

    // ---- beats -------------------------------------------------------------------------------------------

    wire                     beat_valid;
    wire [LANES*VALUE_W-1:0] beat_data;

    apack_value_buffer #(
        .VALUE_W (VALUE_W),
        .LANES   (LANES),
        .DEPTH   (BEATS)
    ) buffer_inst (
        .clk         (clk),
        .rst         (rst),
        .m_room      (room),
        .s_open      (slot_valued),
        .s_open_last (slot_last),
        .s_valid     (value_valid),
        .s_value     (value),
        .s_last      (value_last),
        .m_valid     (beat_valid),
        .m_data      (beat_data),
        .m_ready     (m_valid && m_ready)
    );

    wire       check_valid;
    wire [5:0] check_cause;

    apack_block_check #(
        .VALUE_W (VALUE_W)
    ) check_inst (
        .clk             (clk),
        .rst             (rst),
        .s_value_valid   (value_valid),
        .s_value         (value),
        .s_value_illegal (value_illegal),
        .s_value_last    (value_last),
        .s_over          (over),
        .s_cause         ({over_left, over_short, over_cut, lost_reg}),
        .s_crc           (crc_reg),
        .m_valid         (check_valid),
        .m_cause         (check_cause)
    );

    // ---- blocks that are under way, and what is known of those that are checked ----------------------

    wire head_valid;
    wire cause_valid;
    wire leave = m_valid && m_ready && m_last;

    cell_fifo #(
        .DATA_W (VALUES_W + PIECES_W + 2),
        .FIFO_W (QUEUE_W)
    ) block_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({begin_count, begin_pieces, begin_raw, begin_last}),
        .s_valid (begin_block),
        .s_ready (queue_ready),
        .m_data  ({m_block_count, m_block_pieces, m_block_raw, m_tensor_last}),
        .m_valid (head_valid),
        .m_ready (leave)
    );

    cell_fifo #(
        .DATA_W (6),
        .FIFO_W (QUEUE_W)
    ) cause_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  (check_cause),
        .s_valid (check_valid),
        .s_ready (),
        .m_data  (m_cause),
        .m_valid (cause_valid),
        .m_ready (leave)
    );

    reg                shown_reg;       // left_reg is about the block at the head
    reg [VALUES_W-1:0] left_reg;        // values of it that have not left

    always @(posedge clk) begin
        if (!shown_reg) begin
            shown_reg <= head_valid;
            left_reg  <= m_block_count;
        end else if (m_valid && m_ready) begin
            shown_reg <= !m_last;
            left_reg  <= left_reg - BEAT_VALUES;
        end

        if (rst) begin
            shown_reg <= 1'b0;
        end
    end

    wire bad = m_cause != 6'd0;

    assign m_last  = left_reg < BEAT_VALUES || left_reg == BEAT_VALUES;
    assign m_valid = beat_valid && shown_reg && (cause_valid || (HOLD == 0 && !m_last));
    assign m_count = m_last ? left_reg[LANES_W-1:0] : BEAT_VALUES[LANES_W-1:0];
    assign m_bad   = bad && (m_last || HOLD != 0);
    assign m_data  = beat_data & {LANES*VALUE_W{!(bad && HOLD != 0)}};

endmodule

`resetall
