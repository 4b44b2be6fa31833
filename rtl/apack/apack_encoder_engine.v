// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack encoder engine: STREAMS independent streams through one pipeline, one value a cycle in all.
 *
 * The coder's interval depends on the value before, so that one stream cannot fill a pipeline. Here each
 * stream owns every STREAMS-th slot: the interval of a stream goes round a loop of STREAMS registers and
 * is back when the stream's next slot comes. The loop's logic is cut into as many parts by the registers.
 *
 * In every cycle with s_ready high a slot begins: s_stream names its stream, and s_valid says whether that
 * stream has a beat for it (an idle slot changes nothing). A beat is a value (s_end 0), or the end of a
 * block (s_end 1, s_value ignored), which takes a slot of its own; an end without values is an empty block.
 *
 * Both streams of a block leave in words, first bit most significant, each with its stream: m_*_count is
 * the number of valid bits, PIECE_W in all but the last word of a block, which has m_*_last and is padded
 * with zeros; m_*_count 0 says that the words before have it all. A stall on either output stops all
 * streams, and so does a run of pending bits, a cycle each PIECE_W bits above the first.
 *
 * The row buses are apack_table's; they must hold still from a block's first beat to its last word.
 */
module apack_encoder_engine #(
    // streams that take turns, 1..8
    parameter STREAMS   = 4,
    // bits of a value, 2..16
    parameter VALUE_W   = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS   = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W   = 10,
    // bits of the interval bounds
    parameter CODE_W    = 16,
    // bits of a piece, at least CODE_W and VALUE_W
    parameter PIECE_W   = 16,
    // bits of a stream's pending count; whoever sends a block keeps its shifts below 2^PENDING_W
    parameter PENDING_W = 16,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W   = $clog2(VALUE_W + 1),
    // bits of a stream's number; leave at its default
    parameter STREAM_W  = (STREAMS > 1) ? $clog2(STREAMS) : 1,
    // bits of a bit count, 0..PIECE_W; leave at its default
    parameter FILL_W    = $clog2(PIECE_W + 1)
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    output wire [STREAM_W-1:0]            s_stream,
    output wire                           s_ready,
    input  wire                           s_valid,
    input  wire [VALUE_W-1:0]             s_value,
    input  wire                           s_end,

    output wire [STREAM_W-1:0]            m_code_stream,
    output wire [PIECE_W-1:0]             m_code_data,
    output wire [FILL_W-1:0]              m_code_count,
    output wire                           m_code_last,
    output wire                           m_code_valid,
    input  wire                           m_code_ready,

    output wire [STREAM_W-1:0]            m_offset_stream,
    output wire [PIECE_W-1:0]             m_offset_data,
    output wire [FILL_W-1:0]              m_offset_count,
    output wire                           m_offset_last,
    output wire                           m_offset_valid,
    input  wire                           m_offset_ready
);

    localparam SHIFT_W = $clog2(CODE_W + 1);

    localparam [COUNT_W:0]    TOTAL      = {1'b1, {COUNT_W{1'b0}}};
    localparam [WIDTH_W-1:0]  VALUE_BITS = VALUE_W[WIDTH_W-1:0];
    localparam [STREAM_W-1:0] LAST       = STREAMS[STREAM_W-1:0] - 1'b1;

    generate
        if (STREAMS < 1 || STREAMS > 8) begin : g_check_streams
            apack_encoder_engine_needs_STREAMS_of_1_to_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_encoder_engine_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_encoder_engine_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_encoder_engine_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (PIECE_W < CODE_W || PIECE_W < VALUE_W) begin : g_check_piece_w
            apack_encoder_engine_needs_PIECE_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
        end
    endgenerate

    // step: the outputs take what is there; advance: and the stream at turn is done, all slots move on.
    wire step    = !(m_code_valid && !m_code_ready) && !(m_offset_valid && !m_offset_ready);
    wire done;
    wire advance = step && done;

    // ---- slot --------------------------------------------------------------------------------------

    reg [STREAM_W-1:0] turn_reg;

    reg [STREAM_W-1:0] slot_stream_reg;
    reg                slot_valid_reg;
    reg [VALUE_W-1:0]  slot_value_reg;
    reg                slot_end_reg;

    assign s_stream = turn_reg;
    assign s_ready  = advance;

    always @(posedge clk) begin
        if (advance) begin
            turn_reg        <= (turn_reg == LAST) ? {STREAM_W{1'b0}} : turn_reg + 1'b1;
            slot_stream_reg <= turn_reg;
            slot_valid_reg  <= s_valid;
            slot_value_reg  <= s_value;
            slot_end_reg    <= s_end;
        end

        if (rst) begin
            turn_reg        <= {STREAM_W{1'b0}};
            slot_stream_reg <= {STREAM_W{1'b0}};
            slot_valid_reg  <= 1'b0;
        end
    end

    // ---- value -> symbol and offset ----------------------------------------------------------------

    // The symbol's number is for the reader of a waveform; the coder works on its counts.
    wire [$clog2((SYMBOLS > 1) ? SYMBOLS : 2)-1:0] symbol;
    wire [VALUE_W-1:0] offset;
    wire [WIDTH_W-1:0] offset_w;
    wire [COUNT_W:0]   cum_lo;
    wire [COUNT_W:0]   cum_hi;

    apack_symbol_lookup #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W)
    ) symbol_lookup_inst (
        .row_valid    (row_valid),
        .row_base     (row_base),
        .row_offset_w (row_offset_w),
        .row_cum      (row_cum),
        .value        (slot_value_reg),
        .symbol       (symbol),
        .offset       (offset),
        .offset_w     (offset_w),
        .cum_lo       (cum_lo),
        .cum_hi       (cum_hi)
    );

    wire open;      // this stream's block has begun
    wire coded = slot_valid_reg && !slot_end_reg;

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (1)
    ) open_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (advance),
        .turn   (1'b1),
        .next   (slot_valid_reg ? !slot_end_reg : open),
        .head   (open)
    );

    reg [STREAM_W-1:0] symbol_stream_reg;
    reg                symbol_first_reg;
    reg                symbol_end_reg;
    reg [COUNT_W:0]    symbol_cum_lo_reg;
    reg [COUNT_W:0]    symbol_cum_hi_reg;
    reg [VALUE_W-1:0]  symbol_offset_reg;
    reg [WIDTH_W-1:0]  symbol_offset_w_reg;

    always @(posedge clk) begin
        if (advance) begin
            symbol_stream_reg   <= slot_stream_reg;
            symbol_first_reg    <= !open;
            symbol_end_reg      <= slot_valid_reg && slot_end_reg;
            symbol_cum_lo_reg   <= cum_lo & {COUNT_W+1{coded}};
            symbol_cum_hi_reg   <= coded ? cum_hi : TOTAL;
            symbol_offset_reg   <= offset;
            symbol_offset_w_reg <= offset_w & {WIDTH_W{coded}};
        end

        if (rst) begin
            symbol_first_reg    <= 1'b1;
            symbol_end_reg      <= 1'b0;
            symbol_offset_w_reg <= {WIDTH_W{1'b0}};
        end
    end

    // ---- offset stream -----------------------------------------------------------------------------

    cell_turn_packer #(
        .STREAMS (STREAMS),
        .IN_W    (VALUE_W),
        .WORD_W  (PIECE_W)
    ) offset_packer_inst (
        .clk      (clk),
        .rst      (rst),
        .enable   (advance),
        .s_stream (symbol_stream_reg),
        .s_bits   (symbol_offset_reg << (VALUE_BITS - symbol_offset_w_reg)),
        .s_count  (symbol_offset_w_reg),
        .s_end    (symbol_end_reg),
        .s_turn   (1'b1),
        .m_stream (m_offset_stream),
        .m_data   (m_offset_data),
        .m_count  (m_offset_count),
        .m_last   (m_offset_last),
        .m_valid  (m_offset_valid),
        .m_ready  (m_offset_ready)
    );

    // ---- interval ----------------------------------------------------------------------------------

    wire [CODE_W-1:0]   low;
    wire [SHIFT_W-1:0]  lead_count;
    wire [SHIFT_W-1:0]  shift_count;
    wire [STREAM_W-1:0] shift_stream;
    wire                shift_end;

    apack_interval_loop #(
        .STREAMS (STREAMS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .TAG_W   (STREAM_W + 1)
    ) interval_loop_inst (
        .clk           (clk),
        .enable        (advance),
        .s_first       (symbol_first_reg),
        .s_cum_lo      (symbol_cum_lo_reg),
        .s_cum_hi      (symbol_cum_hi_reg),
        .s_tag         ({symbol_end_reg, symbol_stream_reg}),
        .m_low         (low),
        .m_lead_count  (lead_count),
        .m_shift_count (shift_count),
        .m_tag         ({shift_end, shift_stream})
    );

    // What was under way in the loop at a reset comes out as slots in which nothing happens. A stream
    // without an open block enters the loop with a fresh interval, so that nothing older survives.
    localparam FLIGHT = (STREAMS < 8) ? STREAMS + 1 : STREAMS;

    reg [FLIGHT-1:0] clear_reg;

    reg [STREAM_W-1:0] code_stream_reg;
    reg [SHIFT_W-1:0]  code_lead_count_reg;
    reg [CODE_W-1:0]   code_lead_bits_reg;
    reg [SHIFT_W-1:0]  code_under_count_reg;
    reg                code_end_reg;

    always @(posedge clk) begin
        if (advance) begin
            clear_reg            <= clear_reg << 1;
            code_stream_reg      <= shift_stream;
            code_end_reg         <= shift_end && !clear_reg[FLIGHT-1];
            // the closing bit of a block is 0 if low is below a quarter, else 1; low is below a half
            code_lead_bits_reg   <= shift_end ? low << 1 : low;
            code_lead_count_reg  <= clear_reg[FLIGHT-1] ? {SHIFT_W{1'b0}}
                                  : shift_end ? {{SHIFT_W-1{1'b0}}, 1'b1} : lead_count;
            code_under_count_reg <= clear_reg[FLIGHT-1] ? {SHIFT_W{1'b0}} : shift_count - lead_count;
        end

        if (rst) begin
            clear_reg            <= {FLIGHT{1'b1}};
            code_end_reg         <= 1'b0;
            code_lead_count_reg  <= {SHIFT_W{1'b0}};
            code_under_count_reg <= {SHIFT_W{1'b0}};
        end
    end

    // ---- code stream -------------------------------------------------------------------------------

    wire [STREAM_W-1:0] chunk_stream;
    wire [PIECE_W-1:0]  chunk_bits;
    wire [FILL_W-1:0]   chunk_count;
    wire                chunk_end;
    wire                chunk_turn;

    apack_stream_pending #(
        .STREAMS   (STREAMS),
        .CODE_W    (CODE_W),
        .WORD_W    (PIECE_W),
        .PENDING_W (PENDING_W)
    ) pending_inst (
        .clk           (clk),
        .rst           (rst),
        .enable        (step),
        .s_stream      (code_stream_reg),
        .s_lead_count  (code_lead_count_reg),
        .s_lead_bits   (code_lead_bits_reg),
        .s_under_count (code_under_count_reg),
        .s_end         (code_end_reg),
        .s_done        (done),
        .m_stream      (chunk_stream),
        .m_bits        (chunk_bits),
        .m_count       (chunk_count),
        .m_end         (chunk_end),
        .m_turn        (chunk_turn)
    );

    cell_turn_packer #(
        .STREAMS (STREAMS),
        .IN_W    (PIECE_W),
        .WORD_W  (PIECE_W)
    ) code_packer_inst (
        .clk      (clk),
        .rst      (rst),
        .enable   (step),
        .s_stream (chunk_stream),
        .s_bits   (chunk_bits),
        .s_count  (chunk_count),
        .s_end    (chunk_end),
        .s_turn   (chunk_turn),
        .m_stream (m_code_stream),
        .m_data   (m_code_data),
        .m_count  (m_code_count),
        .m_last   (m_code_last),
        .m_valid  (m_code_valid),
        .m_ready  (m_code_ready)
    );

endmodule

`resetall
