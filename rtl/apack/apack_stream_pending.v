// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Resolves the pending bits of several streams that take turns.
 *
 * The stream at turn stands on s_* for as many cycles of enable as its code bits need; m_done is high in
 * the last of them, and the caller then shows the next stream. s_lead_count bits, left-aligned in s_lead_bits,
 * come out as the first one, the complements that were pending, and the rest; s_under_count shifts are pending
 * afterwards, or more if nothing comes out. With s_end, s_lead_count is 1 and s_lead_bits has zeros after it:
 * one complement more comes out, then zeros up to a whole piece, and nothing is pending afterwards.
 *
 * m_bits and m_count come out in the same cycle: 0..PIECE_W bits, left-aligned, the rest undefined. What fits a
 * piece comes in one cycle; else the first bit comes alone, and the run a piece a cycle.
 * A stream has fewer than 8 * PIECE_W bits pending, or it is more than 8 pieces ahead of its decoder: then the
 * number of bits is not exact, for the block is to be stored raw, but it still ends.
 * Example (PIECE_W 16): 3 pending, lead 10 and under 2 -> 10000, 5 bits, and 2 pending.
 */
module apack_stream_pending #(
    // streams that take turns
    parameter STREAMS   = 4,
    // bits of a cumulative count; a slot makes COUNT_W + 2 shifts or fewer
    parameter COUNT_W   = 10,
    // bits of a piece, at least COUNT_W + 2
    parameter PIECE_W   = 16,
    // bits of a stream's pending count; leave at its default
    parameter PENDING_W = $clog2(8 * PIECE_W),
    // bits of a shift count, 0..COUNT_W + 2; leave at its default
    parameter SHIFT_W   = $clog2(COUNT_W + 3),
    // bits of a bit count, 0..PIECE_W; leave at its default
    parameter FILL_W    = $clog2(PIECE_W + 1)
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               enable,

    input  wire [SHIFT_W-1:0] s_lead_count,
    input  wire [COUNT_W+1:0] s_lead_bits,
    input  wire [SHIFT_W-1:0] s_under_count,
    input  wire               s_end,

    output wire               m_done,
    output wire [PIECE_W-1:0] m_bits,
    output wire [FILL_W-1:0]  m_count
);

    localparam [FILL_W:0]      PIECE    = PIECE_W[FILL_W:0];
    localparam [PENDING_W-1:0] LONG     = PIECE_W[PENDING_W-1:0];
    localparam [PIECE_W-1:0]   ALL_ONES = {PIECE_W{1'b1}};

    generate
        if (PIECE_W < COUNT_W + 2) begin : g_check
            apack_stream_pending_needs_PIECE_W_of_at_least_COUNT_W_plus_2 illegal_parameter ();
        end
    endgenerate

    wire [PENDING_W-1:0] pending;       // or what is left of it while draining
    reg  [PENDING_W-1:0] next_pending;

    reg                  draining_reg;  // the first bit of this value is out, its run is not

    wire emits = s_lead_count != {SHIFT_W{1'b0}};

    // What is left of this value: its first bit (unless draining), a run of complements, and the rest of
    // its leading bits. It fits a piece or not; a run of a piece or more never does.
    wire             run_long = pending >= LONG;
    wire [FILL_W:0]  run_end  = {1'b0, pending[FILL_W-1:0]} + {{FILL_W{1'b0}}, s_end && !draining_reg};
    wire [FILL_W:0]  prefix   = run_end + {{FILL_W{1'b0}}, !draining_reg};
    wire [FILL_W:0]  all      = run_end + {{FILL_W+1-SHIFT_W{1'b0}}, s_lead_count}
                              - {{FILL_W{1'b0}}, draining_reg};
    wire             fits     = !run_long && all <= PIECE;

    // This cycle's bits: all of it; or the first bit, with the complement that the end adds; or a piece of
    // the run; or the end of the run.
    wire [FILL_W-1:0] first   = {{FILL_W-1{1'b0}}, 1'b1} + {{FILL_W-1{1'b0}}, s_end};
    wire [FILL_W-1:0] whole   = s_end ? PIECE[FILL_W-1:0] : all[FILL_W-1:0];
    wire [FILL_W-1:0] some    = !draining_reg ? first : run_long ? PIECE[FILL_W-1:0] : prefix[FILL_W-1:0];

    wire               bit_value = s_lead_bits[COUNT_W+1];
    wire [PIECE_W-1:0] run_bits  = {PIECE_W{!bit_value}} & ({PIECE_W{run_long}} | ~(ALL_ONES >> prefix));
    wire [PIECE_W-1:0] head_bit  = {!draining_reg, {PIECE_W-1{1'b0}}};
    wire [PIECE_W-1:0] rest_bits = {s_lead_bits[COUNT_W:0], {PIECE_W-COUNT_W-1{1'b0}}} >> prefix;
    // Where the run goes on beyond this piece, the rest is not its turn yet.
    wire [PIECE_W-1:0] bits      = run_long ? run_bits : run_bits | rest_bits;

    assign m_done  = !emits || fits;
    assign m_bits  = bits ^ head_bit;
    assign m_count = !emits ? {FILL_W{1'b0}} : fits ? whole : some;

    always @(*) begin
        if (m_done) begin
            next_pending = (pending & {PENDING_W{!emits}}) + {{PENDING_W-SHIFT_W{1'b0}}, s_under_count};
        end else if (!draining_reg) begin
            next_pending = pending;
        end else begin
            next_pending = (pending - LONG) & {PENDING_W{run_long}};
        end
    end

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (PENDING_W)
    ) ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (enable),
        .turn   (m_done),
        .next   (next_pending),
        .head   (pending)
    );

    always @(posedge clk) begin
        if (enable) begin
            draining_reg <= !m_done;
        end
        if (rst) begin
            draining_reg <= 1'b0;
        end
    end

endmodule

`resetall
