// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Where the shifts end that renormalise an interval: leading bits that are decided, pending ones after them.
 *
 * Combinational, without shifting in between. There are as many shifts as zeros above the first one of ends,
 * which stands above the first bit below the topmost difference that is not 1 in low and 0 in high; an interval
 * of one code has no ones, and takes CODE_W shifts. Bit k of ends, for any two bounds: they differ in bit k or
 * above, and bit k - 1, if there is one, is not 1 in low and 0 in high.
 * Example (CODE_W 4): low 0100, high 0110 -> 2 zeros; low 0111, high 1000 -> 3; low 0000, high 1000 -> 0.
 */
module apack_shift_end #(
    // bits of the interval bounds
    parameter CODE_W = 16
) (
    input  wire [CODE_W-1:0] low,
    input  wire [CODE_W-1:0] high,
    output wire [CODE_W-1:0] ends
);

    reg [CODE_W-1:0] differed;      // there is a difference at or above this bit
    always @(*) begin : b_spread
        integer k;

        differed = low ^ high;
        for (k = 1; k < CODE_W; k = k * 2) begin
            differed = differed | (differed >> k);
        end
    end

    assign ends = {differed[CODE_W-1:1] & ~(low[CODE_W-2:0] & ~high[CODE_W-2:0]), differed[0]};

endmodule

`resetall
