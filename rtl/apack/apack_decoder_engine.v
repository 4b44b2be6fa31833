// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * APack decoder engine: STREAMS independent streams through one pipeline, one value a cycle in all.
 *
 * The interval of a stream depends on its value before; each stream owns every STREAMS-th slot, and its
 * interval goes round a loop of STREAMS registers (apack_search_loop). There is no stall: what leaves must
 * be taken, and a stream that has to wait gets idle slots.
 *
 * In every cycle a slot begins. s_stream names its stream, and s_kind says what it does:
 *   0 IDLE   nothing
 *   1 CLEAR  the stream forgets the code and offset bits it holds, for the next block
 *   2 FIRST  it takes the first CODE_W bits of a block's code; s_ready must be high
 *   3 VALUE  it decodes a value; s_ready must be high
 *   4 RAW    it takes a value verbatim, VALUE_W offset bits and no code; s_ready must be high
 * Any other kind does nothing, like IDLE.
 * A coded block is FIRST, then VALUE for each value; a raw one is RAW for each. A CLEAR stands between two
 * blocks, and may stand before the first; idle slots may stand anywhere. s_ready is high if the stream holds
 * as many bits of code and of offsets as any slot may take; after a reset it holds none.
 *
 * Words are asked for on two ports: in a cycle with s_*_ready high, stream s_*_stream takes a word if
 * s_*_valid is high (PIECE_W bits, first bit most significant). s_*_clear says that a CLEAR of that stream
 * takes effect in this cycle: its next word is the first of the next block. Behind the end of a block's
 * bits the words must be zeros, as many as are asked for, up to then. Until the first slot after a reset has
 * come to a port, its s_*_stream means nothing: any stream takes a word that is given then.
 *
 * A value leaves some cycles after its slot, in order: m_value, with m_illegal if its offset points beyond
 * its group. With it m_offset_count says how many offset bits it took. How many code bits a slot took
 * leaves on m_code_*, on its own time: from FIRST on a block takes CODE_W + its shifts, of which a sound
 * code stream has CODE_W - 2 less.
 *
 * The row buses are apack_table's; they must hold still from a block's FIRST to its last value.
 */
module apack_decoder_engine #(
    // streams that take turns, 1..8
    parameter STREAMS  = 4,
    // bits of a value, 2..16
    parameter VALUE_W  = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS  = 16,
    // bits of a cumulative count, at most CODE_W - 2
    parameter COUNT_W  = 10,
    // bits of the interval bounds
    parameter CODE_W   = 16,
    // bits of a piece, at least CODE_W and VALUE_W
    parameter PIECE_W  = 16,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W  = $clog2(VALUE_W + 1),
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W  = $clog2(CODE_W + 1),
    // bits of a stream's number; leave at its default
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_limit,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    output wire [STREAM_W-1:0]            s_stream,
    output wire                           s_ready,
    input  wire [2:0]                     s_kind,

    output wire [STREAM_W-1:0]            s_code_stream,
    output wire                           s_code_clear,
    output wire                           s_code_ready,
    input  wire                           s_code_valid,
    input  wire [PIECE_W-1:0]             s_code_data,

    output wire [STREAM_W-1:0]            s_offset_stream,
    output wire                           s_offset_clear,
    output wire                           s_offset_ready,
    input  wire                           s_offset_valid,
    input  wire [PIECE_W-1:0]             s_offset_data,

    output wire [STREAM_W-1:0]            m_stream,
    output wire                           m_valid,
    output wire [VALUE_W-1:0]             m_value,
    output wire                           m_illegal,
    output wire [WIDTH_W-1:0]             m_offset_count,

    output wire [STREAM_W-1:0]            m_code_stream,
    output wire [SHIFT_W-1:0]             m_code_count
);

    localparam [2:0] IDLE  = 3'd0;
    localparam [2:0] CLEAR = 3'd1;
    localparam [2:0] FIRST = 3'd2;
    localparam [2:0] VALUE = 3'd3;
    localparam [2:0] RAW   = 3'd4;

    localparam TAG_W = STREAM_W + 3;

    // The most shifts of a value: a range is more than a quarter of the whole before, and at least
    // 2^-COUNT_W of it is left. The first slot of a block takes more; it finds the block's first word.
    localparam VALUE_SHIFTS = COUNT_W + 2;

    localparam [STREAM_W-1:0] LAST       = STREAMS[STREAM_W-1:0] - 1'b1;
    localparam [WIDTH_W-1:0]  VALUE_BITS = VALUE_W[WIDTH_W-1:0];

    // Enabled cycles from a slot's entry into the loop to its symbol and to its shift count, and whether a
    // register more stands before the windows: what apack_search_loop says of its cuts.
    localparam HIT_DELAY   = (STREAMS == 1) ? 0 : (STREAMS <= 3) ? 1 : (STREAMS <= 5) ? 2 : (STREAMS == 6) ? 3 : 4;
    localparam SHIFT_DELAY = (STREAMS == 8) ? 6 : STREAMS - 1;
    localparam ROW_CUT     = (STREAMS >= 2) ? 1 : 0;
    localparam COUNT_CUT   = (STREAMS >= 3) ? 1 : 0;

    // A slot meets the windows so many cycles after it begins; if that is a whole round, the stream's slot
    // before meets them just now.
    localparam CODE_MEET    = SHIFT_DELAY + COUNT_CUT;
    localparam OFFSET_MEET  = HIT_DELAY + ROW_CUT;
    localparam CODE_AHEAD   = CODE_MEET;
    localparam OFFSET_AHEAD = OFFSET_MEET;

    generate
        if (STREAMS < 1 || STREAMS > 8) begin : g_check_streams
            apack_decoder_engine_needs_STREAMS_of_1_to_8 illegal_parameter ();
        end
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_decoder_engine_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_decoder_engine_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
        if (COUNT_W < 1 || COUNT_W > CODE_W - 2) begin : g_check_count_w
            apack_decoder_engine_needs_COUNT_W_of_1_to_CODE_W_minus_2 illegal_parameter ();
        end
        if (PIECE_W < CODE_W || PIECE_W < VALUE_W) begin : g_check_piece_w
            apack_decoder_engine_needs_PIECE_W_of_at_least_CODE_W_and_VALUE_W illegal_parameter ();
        end
    endgenerate

    // ---- slot --------------------------------------------------------------------------------------

    reg [STREAM_W-1:0] turn_reg;
    reg [7:0]          clear_reg;       // cycles since the reset: what is older in the loop is idle

    always @(posedge clk) begin
        turn_reg  <= (turn_reg == LAST) ? {STREAM_W{1'b0}} : turn_reg + 1'b1;
        clear_reg <= clear_reg << 1;

        if (rst) begin
            turn_reg  <= {STREAM_W{1'b0}};
            clear_reg <= 8'hFF;
        end
    end

    wire code_full;
    wire offset_full;

    assign s_stream = turn_reg;
    assign s_ready  = code_full && offset_full;

    // ---- symbol ------------------------------------------------------------------------------------

    wire [SYMBOLS-1:0] hit;
    wire [TAG_W-1:0]   hit_tag;
    wire [SHIFT_W-1:0] loop_count;
    wire [TAG_W-1:0]   loop_tag;
    wire [CODE_W-1:0]  code_bits;

    apack_search_loop #(
        .STREAMS (STREAMS),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .TAG_W   (TAG_W)
    ) search_loop_inst (
        .clk           (clk),
        .enable        (1'b1),
        .row_valid     (row_valid),
        .row_cum       (row_cum),
        .s_active      (s_kind == VALUE),
        .s_first       (s_kind == FIRST),
        .s_tag         ({s_kind, turn_reg}),
        .m_hit         (hit),
        .m_hit_tag     (hit_tag),
        .m_shift_count (loop_count),
        .m_shift_tag   (loop_tag),
        .s_code_bits   (code_bits)
    );

    // ---- code bits ---------------------------------------------------------------------------------

    wire loop_old;      // the slot was in the loop at the reset
    wire hit_old;

    generate
        if (SHIFT_DELAY == 0) begin : g_loop_new
            assign loop_old = 1'b0;
        end else begin : g_loop_old
            assign loop_old = clear_reg[SHIFT_DELAY-1];
        end
        if (HIT_DELAY == 0) begin : g_hit_new
            assign hit_old = 1'b0;
        end else begin : g_hit_old
            assign hit_old = clear_reg[HIT_DELAY-1];
        end
    endgenerate

    wire [2:0]          loop_kind  = loop_old ? IDLE : loop_tag[STREAM_W +: 3];
    wire                loop_clear = loop_kind == CLEAR;
    wire                loop_coded = loop_kind == FIRST || loop_kind == VALUE;
    wire [SHIFT_W-1:0]  loop_used  = loop_count & {SHIFT_W{loop_coded}};

    cell_cut_reset #(.CUT (COUNT_CUT), .DATA_W (STREAM_W + 1 + SHIFT_W)) count_cut_inst (
        .clk (clk),
        .rst (rst),
        .d   ({loop_tag[STREAM_W-1:0], loop_clear, loop_used}),
        .q   ({s_code_stream, s_code_clear, m_code_count})
    );

    assign m_code_stream = s_code_stream;

    cell_turn_window #(
        .STREAMS (STREAMS),
        .OUT_W   (CODE_W),
        .WORD_W  (PIECE_W),
        .LEAST   (VALUE_SHIFTS),
        .SHOW    (COUNT_CUT),
        .AHEAD   (CODE_AHEAD)
    ) code_window_inst (
        .clk      (clk),
        .rst      (rst),
        .m_bits   (code_bits),
        .s_remove (m_code_count),
        .s_clear  (s_code_clear),
        .s_ready  (s_code_ready),
        .s_valid  (s_code_valid),
        .s_data   (s_code_data),
        .m_full   (code_full)
    );

    // ---- offset bits and value ---------------------------------------------------------------------

    localparam RECORD_W = 2 * VALUE_W + WIDTH_W;

    wire [2:0]                  hit_kind = hit_old ? IDLE : hit_tag[STREAM_W +: 3];
    wire                        hit_raw  = hit_kind == RAW;
    wire [SYMBOLS*RECORD_W-1:0] records;
    wire [VALUE_W-1:0]          hit_base;
    wire [VALUE_W-1:0]          hit_limit;
    wire [WIDTH_W-1:0]          hit_offset_w;

    genvar g;
    generate
        for (g = 0; g < SYMBOLS; g = g + 1) begin : g_record
            assign records[g*RECORD_W +: RECORD_W] = {
                row_base[g*VALUE_W +: VALUE_W],
                row_limit[g*VALUE_W +: VALUE_W],
                row_offset_w[g*WIDTH_W +: WIDTH_W]
            };
        end
    endgenerate

    cell_onehot_mux #(
        .INPUTS (SYMBOLS),
        .DATA_W (RECORD_W)
    ) record_select_inst (
        .data   (records),
        .select (hit & {SYMBOLS{hit_kind == VALUE}}),
        .chosen ({hit_base, hit_limit, hit_offset_w})
    );

    // To a raw value all values are one group.
    wire [VALUE_W-1:0] own_limit    = hit_limit | {VALUE_W{hit_raw}};
    wire [WIDTH_W-1:0] own_offset_w = hit_offset_w | (VALUE_BITS & {WIDTH_W{hit_raw}});

    wire [VALUE_W-1:0] base;
    wire [VALUE_W-1:0] limit;
    wire [WIDTH_W-1:0] offset_w;
    wire               valid;
    wire [VALUE_W-1:0] offset_bits;

    cell_cut_reset #(.CUT (ROW_CUT), .DATA_W (STREAM_W + 2 + RECORD_W)) row_cut_inst (
        .clk (clk),
        .rst (rst),
        .d   ({hit_tag[STREAM_W-1:0], hit_kind == VALUE || hit_raw, hit_kind == CLEAR,
               hit_base, own_limit, own_offset_w}),
        .q   ({s_offset_stream, valid, s_offset_clear, base, limit, offset_w})
    );

    cell_turn_window #(
        .STREAMS (STREAMS),
        .OUT_W   (VALUE_W),
        .WORD_W  (PIECE_W),
        .AHEAD   (OFFSET_AHEAD)
    ) offset_window_inst (
        .clk      (clk),
        .rst      (rst),
        .m_bits   (offset_bits),
        .s_remove (offset_w),
        .s_clear  (s_offset_clear),
        .s_ready  (s_offset_ready),
        .s_valid  (s_offset_valid),
        .s_data   (s_offset_data),
        .m_full   (offset_full)
    );

    wire [VALUE_W-1:0] offset = offset_bits >> (VALUE_BITS - offset_w);

    reg [STREAM_W-1:0] m_stream_reg;
    reg                m_valid_reg;
    reg [VALUE_W-1:0]  m_value_reg;
    reg                m_illegal_reg;
    reg [WIDTH_W-1:0]  m_offset_count_reg;

    always @(posedge clk) begin
        m_stream_reg       <= s_offset_stream;
        m_valid_reg        <= valid;
        m_value_reg        <= base + offset;
        m_illegal_reg      <= offset > limit;
        m_offset_count_reg <= offset_w;

        if (rst) begin
            m_valid_reg <= 1'b0;
        end
    end

    assign m_stream       = m_stream_reg;
    assign m_valid        = m_valid_reg;
    assign m_value        = m_value_reg;
    assign m_illegal      = m_illegal_reg;
    assign m_offset_count = m_offset_count_reg;

endmodule

`resetall
