`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * How many shifts renormalise an interval: leading bits that are decided, and pending ones after them.
 *
 * Combinational, without shifting in between (apack_renorm gives the two counts apart). The shifts end
 * above the first bit below the topmost difference that is not 1 in low and 0 in high; an interval of one
 * code takes CODE_W shifts.
 * Example (CODE_W 4): low 0100, high 0110 -> 2; low 0111, high 1000 -> 3; low 0000, high 1000 -> 0.
 */
module apack_shift_count #(
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W = $clog2(CODE_W + 1)
) (
    input  wire [CODE_W-1:0]  low,
    input  wire [CODE_W-1:0]  high,
    output wire [SHIFT_W-1:0] count
);

    reg [CODE_W-1:0] differed;      // there is a difference at or above this bit
    integer          k;

    always @* begin
        differed = low ^ high;
        for (k = 1; k < CODE_W; k = k * 2) begin
            differed = differed | (differed >> k);
        end
    end

    wire [CODE_W-1:0] ends = {differed[CODE_W-1:1] & ~(low[CODE_W-2:0] & ~high[CODE_W-2:0]), differed[0]};

    apack_leading_ones #(
        .IN_W (CODE_W)
    ) ends_inst (
        .bits  (~ends),
        .count (count)
    );

endmodule

`resetall
