// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Unpacks a bit stream from words, first bit from the most significant place.
 *
 * Words are taken on s_axis_*: tuser is the number of valid bits of a word (0..WORD_W, above: WORD_W),
 * tlast ends the stream; further words wait until restart. m_bits shows the next OUT_W bits, left-aligned,
 * zeros past what has arrived; m_available says how many bits have arrived and not been removed. While
 * m_remove is high, m_remove_count bits (0..OUT_W) are removed each cycle; removing more than are there
 * removes those that are. m_ended is high once the stream's last word has been taken.
 * As long as words come, OUT_W bits are available in every cycle if WORD_W >= 2 * OUT_W - 1.
 *
 * discard throws away what has arrived and all that comes up to the end of the stream; m_leftover tells
 * whether that was any bit at all, and is complete once m_ended is high in a cycle after discard rose.
 * restart (one cycle, with discard) makes ready for the next stream.
 * Example (WORD_W 8, OUT_W 4): word 0xB1 -> m_bits 1011, available 8; remove 3 -> m_bits 1000, available 5.
 */
module cell_bit_unpacker #(
    // most bits that leave, at most WORD_W
    parameter OUT_W       = 16,
    // bits of a word
    parameter WORD_W      = 32,
    // bits of a count of removed bits, 0..OUT_W; leave at its default
    parameter OUT_COUNT_W = $clog2(OUT_W + 1),
    // bits of a bit count, 0..WORD_W; leave at its default
    parameter FILL_W      = $clog2(WORD_W + 1)
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire [WORD_W-1:0]      s_axis_tdata,
    input  wire [FILL_W-1:0]      s_axis_tuser,
    input  wire                   s_axis_tvalid,
    output wire                   s_axis_tready,
    input  wire                   s_axis_tlast,

    output wire [OUT_W-1:0]       m_bits,
    output wire [FILL_W:0]        m_available,
    output wire                   m_ended,
    input  wire                   m_remove,
    input  wire [OUT_COUNT_W-1:0] m_remove_count,

    input  wire                   discard,
    output wire                   m_leftover,
    input  wire                   restart
);

    localparam [FILL_W-1:0] WORD     = WORD_W[FILL_W-1:0];
    localparam [WORD_W-1:0] ALL_ONES = {WORD_W{1'b1}};

    generate
        if (OUT_W > WORD_W) begin : g_check
            cell_bit_unpacker_needs_OUT_W_of_at_most_WORD_W illegal_parameter ();
        end
    endgenerate

    // Two words, left-aligned; a new one is taken while at least one is free.
    reg [2*WORD_W-1:0] held_reg;
    reg [FILL_W:0]     fill_reg;
    reg                ended_reg;
    reg                leftover_reg;

    assign s_axis_tready = !ended_reg && (discard || fill_reg <= {1'b0, WORD});

    wire take = s_axis_tvalid && s_axis_tready;

    // where WORD_W is 2^n - 1, no tuser is above it
    wire [FILL_W-1:0]  word_count = (s_axis_tuser > WORD) ? WORD : s_axis_tuser;
    wire [WORD_W-1:0]  word       = s_axis_tdata & ~(ALL_ONES >> word_count);

    wire [FILL_W:0]     remove_count = m_remove ? {{FILL_W+1-OUT_COUNT_W{1'b0}}, m_remove_count}
                                                : {FILL_W+1{1'b0}};
    wire [FILL_W:0]     kept_count   = (remove_count < fill_reg) ? fill_reg - remove_count
                                                                 : {FILL_W+1{1'b0}};
    wire [2*WORD_W-1:0] kept         = held_reg << remove_count;
    wire [2*WORD_W-1:0] joined       = kept | ({word, {WORD_W{1'b0}}} >> kept_count);

    always @(posedge clk) begin
        if (take) begin
            ended_reg <= s_axis_tlast;
        end

        if (discard) begin
            held_reg     <= {2*WORD_W{1'b0}};
            fill_reg     <= {FILL_W+1{1'b0}};
            leftover_reg <= leftover_reg || (fill_reg != {FILL_W+1{1'b0}})
                         || (take && word_count != {FILL_W{1'b0}});
        end else begin
            held_reg     <= take ? joined : kept;
            fill_reg     <= take ? kept_count + {1'b0, word_count} : kept_count;
        end

        if (restart || rst) begin
            held_reg     <= {2*WORD_W{1'b0}};
            fill_reg     <= {FILL_W+1{1'b0}};
            ended_reg    <= 1'b0;
            leftover_reg <= 1'b0;
        end
    end

    assign m_bits      = held_reg[2*WORD_W-1 -: OUT_W];
    assign m_available = fill_reg;
    assign m_ended     = ended_reg;
    assign m_leftover  = leftover_reg || (fill_reg != {FILL_W+1{1'b0}});

endmodule

`resetall
