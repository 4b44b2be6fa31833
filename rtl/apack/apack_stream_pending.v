// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Resolves the pending bits of several streams that take turns.
 *
 * The stream at turn stands on s_* for as many cycles of enable as its code bits need; s_done is high in
 * the last of them, and the caller then shows the next stream. What stands there is as for apack_pending:
 * s_lead_count bits, left-aligned in s_lead_bits, come out as the first one, the complements that were
 * pending, and the rest; s_under_count shifts are pending afterwards, or more if nothing comes out. With
 * s_end, s_lead_count is 1, one complement more comes out and nothing is pending afterwards.
 *
 * m_* follows one cycle of enable later: 0..WORD_W bits, left-aligned, the rest undefined; m_end, in a cycle
 * of its own, after the last bits of a block; m_turn in the stream's last cycle.
 */
module apack_stream_pending #(
    // streams that take turns
    parameter STREAMS   = 4,
    // bits of the interval bounds
    parameter CODE_W    = 16,
    // bits of a word, the most that leave a cycle, at least CODE_W
    parameter WORD_W    = 16,
    // bits of a stream's pending count
    parameter PENDING_W = 16,
    // bits of a stream's number; leave at its default
    parameter STREAM_W  = (STREAMS > 1) ? $clog2(STREAMS) : 1,
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W   = $clog2(CODE_W + 1),
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W    = $clog2(WORD_W + 1)
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                enable,

    input  wire [STREAM_W-1:0] s_stream,
    input  wire [SHIFT_W-1:0]  s_lead_count,
    input  wire [CODE_W-1:0]   s_lead_bits,
    input  wire [SHIFT_W-1:0]  s_under_count,
    input  wire                s_end,
    output wire                s_done,

    output wire [STREAM_W-1:0] m_stream,
    output wire [WORD_W-1:0]   m_bits,
    output wire [FILL_W-1:0]   m_count,
    output wire                m_end,
    output wire                m_turn
);

    localparam RUN_W = ((PENDING_W > FILL_W) ? PENDING_W : FILL_W) + 1;

    localparam [FILL_W:0]   WORD     = WORD_W[FILL_W:0];
    localparam [RUN_W-1:0]  LONG     = WORD_W[RUN_W-1:0];
    localparam [WORD_W-1:0] ALL_ONES = {WORD_W{1'b1}};

    generate
        if (WORD_W < CODE_W) begin : g_check
            apack_stream_pending_needs_WORD_W_of_at_least_CODE_W illegal_parameter ();
        end
    endgenerate

    wire [PENDING_W-1:0] pending;       // or what is left of it while draining
    reg  [PENDING_W-1:0] next_pending;

    reg                  draining_reg;  // the first bit of this value is out, its run is not
    reg                  closing_reg;   // the block's last bits are out, its end mark is not

    wire emits = (s_lead_count != {SHIFT_W{1'b0}}) && !closing_reg;

    // What is left of this value: its first bit (unless draining), a run of complements, and the rest of
    // its leading bits. It fits a word or not; a run of a word or more never does.
    wire [RUN_W-1:0] run      = {{RUN_W-PENDING_W{1'b0}}, pending};
    wire             run_long = run >= LONG;
    wire [FILL_W:0]  run_end  = {1'b0, run[FILL_W-1:0]} + {{FILL_W{1'b0}}, s_end && !draining_reg};
    wire [FILL_W:0]  prefix   = run_end + {{FILL_W{1'b0}}, !draining_reg};
    wire [FILL_W:0]  all      = run_end + {{FILL_W+1-SHIFT_W{1'b0}}, s_lead_count}
                              - {{FILL_W{1'b0}}, draining_reg};
    wire             fits     = !run_long && all <= WORD;

    // This cycle's bits: all of it; or the first bit, with the complement that the end adds; or a word of
    // the run; or the end of the run.
    wire [FILL_W-1:0] first     = {{FILL_W-1{1'b0}}, 1'b1} + {{FILL_W-1{1'b0}}, s_end};
    wire [FILL_W-1:0] some      = !draining_reg ? first : run_long ? WORD[FILL_W-1:0] : prefix[FILL_W-1:0];

    wire              bit_value = s_lead_bits[CODE_W-1];
    wire [WORD_W-1:0] run_bits  = {WORD_W{!bit_value}} & ({WORD_W{run_long}} | ~(ALL_ONES >> prefix));
    wire [WORD_W-1:0] head_bit  = {!draining_reg, {WORD_W-1{1'b0}}};
    wire [WORD_W-1:0] rest_bits = {s_lead_bits[CODE_W-2:0], {WORD_W-CODE_W+1{1'b0}}} >> prefix;
    // Where the run goes on beyond this word, the rest is not its turn yet.
    wire [WORD_W-1:0] bits      = run_long ? run_bits : run_bits | rest_bits;

    assign s_done = !emits || (fits && !s_end);

    always @(*) begin
        if (s_done) begin
            next_pending = (pending & {PENDING_W{!emits && !closing_reg}})
                         + {{PENDING_W-SHIFT_W{1'b0}}, s_under_count};
        end else if (!draining_reg) begin
            next_pending = pending;
        end else begin
            next_pending = (pending - LONG[PENDING_W-1:0]) & {PENDING_W{run_long}};
        end
    end

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (PENDING_W)
    ) ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (enable),
        .turn   (s_done),
        .next   (next_pending),
        .head   (pending)
    );

    reg [STREAM_W-1:0] m_stream_reg;
    reg [WORD_W-1:0]   m_bits_reg;
    reg [FILL_W-1:0]   m_count_reg;
    reg                m_end_reg;
    reg                m_turn_reg;

    always @(posedge clk) begin
        if (enable) begin
            draining_reg <= emits && !fits;
            closing_reg  <= emits && fits && s_end;
            m_stream_reg <= s_stream;
            m_bits_reg   <= bits ^ head_bit;
            m_count_reg  <= !emits ? {FILL_W{1'b0}} : fits ? all[FILL_W-1:0] : some;
            m_end_reg    <= closing_reg;
            m_turn_reg   <= s_done;
        end

        if (rst) begin
            draining_reg <= 1'b0;
            closing_reg  <= 1'b0;
            m_count_reg  <= {FILL_W{1'b0}};
            m_end_reg    <= 1'b0;
            m_turn_reg   <= 1'b0;
        end
    end

    assign m_stream = m_stream_reg;
    assign m_bits   = m_bits_reg;
    assign m_count  = m_count_reg;
    assign m_end    = m_end_reg;
    assign m_turn   = m_turn_reg;

endmodule

`resetall
