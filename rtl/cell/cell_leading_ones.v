// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Counts the ones at the top of a word, down to its first zero.
 *
 * Combinational, by halving: $clog2(IN_W + 1) steps.
 * Example (IN_W 8): 11101111 -> 3, 01111111 -> 0, 11111111 -> 8.
 */
module cell_leading_ones #(
    // most bits that enter, all of them
    parameter IN_W   = 16,
    // most bits that leave, a count of 0..IN_W; leave at its default
    parameter OUT_W  = $clog2(IN_W + 1)
) (
    input  wire [IN_W-1:0]  bits,
    output reg  [OUT_W-1:0] count
);

    // padded with zeros to a power of two above IN_W, so that the count always ends within the word
    localparam PADDED_W = 1 << OUT_W;

    reg [PADDED_W-1:0] left;
    always @(*) begin : b_halves
        integer i;

        left = {bits, {PADDED_W-IN_W{1'b0}}};
        for (i = OUT_W - 1; i >= 0; i = i - 1) begin
            count[i] = (~left >> (PADDED_W - (1 << i))) == {PADDED_W{1'b0}};
            if (count[i]) begin
                left = left << (1 << i);
            end
        end
    end

endmodule

`resetall
