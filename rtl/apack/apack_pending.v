// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Resolves pending bits: turns the shifts of each value into the code bits that are known by now.
 *
 * A transfer on s_* is one value: its lead_count leading bits (left-aligned in lead_bits), then its
 * under_count pending shifts. Leading bits are emitted as the first one, then all bits pending from
 * earlier values as its complement, then the others; under_count is pending from then on. A value with
 * no leading bits only adds to the pending count and emits nothing.
 * s_last marks the flush that ends a block: lead_count 1 with the closing bit, under_count 0; it emits the
 * bit and pending + 1 complements, and nothing is pending afterwards.
 *
 * A transfer on m_* is 1..WORD_W code bits, left-aligned, the rest of m_bits undefined; m_last goes with
 * the last bits of a block. One value a cycle as long as lead_count + pending <= WORD_W; a longer run
 * holds s_ready low for a cycle each further WORD_W bits.
 * Example: pending 3, lead_count 2, lead_bits 10.. -> 5 bits 1 000 0.
 *
 * Whoever sends a block keeps its shifts below 2^PENDING_W; apack_encoder derives that from the longest block.
 */
module apack_pending #(
    // bits of the interval bounds
    parameter CODE_W    = 16,
    // bits of a word, the most that leave a cycle, at least CODE_W
    parameter WORD_W    = 32,
    // bits of a stream's pending count
    parameter PENDING_W = 28,
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W   = $clog2(CODE_W + 1),
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W    = $clog2(WORD_W + 1)
) (
    input  wire               clk,
    input  wire               rst,

    input  wire [SHIFT_W-1:0] s_lead_count,
    input  wire [CODE_W-1:0]  s_lead_bits,
    input  wire [SHIFT_W-1:0] s_under_count,
    input  wire               s_last,
    input  wire               s_valid,
    output wire               s_ready,

    output wire [WORD_W-1:0]  m_bits,
    output wire [FILL_W-1:0]  m_count,
    output wire               m_last,
    output wire               m_valid,
    input  wire               m_ready
);

    // sums of a pending count, a shift count and one
    localparam SUM_W = ((PENDING_W > FILL_W) ? PENDING_W : FILL_W) + 2;

    localparam [SUM_W-1:0]  WORD     = {{SUM_W-FILL_W{1'b0}}, WORD_W[FILL_W-1:0]};
    localparam [WORD_W-1:0] ALL_ONES = {WORD_W{1'b1}};

    generate
        if (WORD_W < CODE_W) begin : g_check
            apack_pending_needs_WORD_W_of_at_least_CODE_W illegal_parameter ();
        end
    endgenerate

    reg [PENDING_W-1:0] pending_reg;
    reg                 draining_reg;   // the first bit of this value is out, its run is not
    reg [SUM_W-1:0]     run_left_reg;

    reg [WORD_W-1:0]    m_bits_reg;
    reg [FILL_W-1:0]    m_count_reg;
    reg                 m_last_reg;
    reg                 m_valid_reg;

    wire out_free = !m_valid_reg || m_ready;
    wire emits    = s_lead_count != {SHIFT_W{1'b0}};

    // What is left of this value: head (its first bit), run (complements), rest (its other leading bits).
    wire               bit_value = s_lead_bits[CODE_W-1];
    wire [SUM_W-1:0]   head      = {{SUM_W-1{1'b0}}, !draining_reg};
    wire [SUM_W-1:0]   run       = draining_reg ? run_left_reg
                                 : {{SUM_W-PENDING_W{1'b0}}, pending_reg} + {{SUM_W-1{1'b0}}, s_last};
    wire [SUM_W-1:0]   rest      = {{SUM_W-SHIFT_W{1'b0}}, s_lead_count} - {{SUM_W-1{1'b0}}, 1'b1};
    wire [SUM_W-1:0]   all       = head + run + rest;
    wire               fits      = all <= WORD;

    // This cycle's bits: the whole of it, or head and as much of the run as a word takes.
    wire [SUM_W-1:0]   run_room  = WORD - head;
    wire [SUM_W-1:0]   run_now   = (run < run_room) ? run : run_room;
    // at most WORD_W
    wire [SUM_W-1:0]   prefix    = head + run_now;
    wire [WORD_W-1:0]  run_bits  = {WORD_W{!bit_value}} & ~(ALL_ONES >> prefix);
    wire [WORD_W-1:0]  head_bit  = {!draining_reg, {WORD_W-1{1'b0}}};
    wire [WORD_W-1:0]  rest_bits = {s_lead_bits[CODE_W-2:0], {WORD_W-CODE_W+1{1'b0}}};

    // The complement of a run bit is the head bit, so that one exclusive-or sets it.
    wire [WORD_W-1:0]  next_bits = (run_bits ^ head_bit) | (rest_bits >> prefix);

    assign s_ready = out_free && (!emits || fits);

    wire take = s_valid && s_ready;

    always @(posedge clk) begin
        if (m_ready) begin
            m_valid_reg <= 1'b0;
        end

        if (s_valid && out_free && emits) begin
            m_valid_reg  <= 1'b1;
            m_bits_reg   <= next_bits;
            m_count_reg  <= fits ? all[FILL_W-1:0] : prefix[FILL_W-1:0];
            m_last_reg   <= fits && s_last;
            draining_reg <= !fits;
            run_left_reg <= run - run_now;
        end

        if (take) begin
            pending_reg <= (emits ? {PENDING_W{1'b0}} : pending_reg)
                         + {{PENDING_W-SHIFT_W{1'b0}}, s_under_count};
        end

        if (rst) begin
            m_valid_reg  <= 1'b0;
            draining_reg <= 1'b0;
            pending_reg  <= {PENDING_W{1'b0}};
        end
    end

    assign m_bits  = m_bits_reg;
    assign m_count = m_count_reg;
    assign m_last  = m_last_reg;
    assign m_valid = m_valid_reg;

endmodule

`resetall
