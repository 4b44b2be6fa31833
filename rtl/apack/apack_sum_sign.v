`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The top bit of the sum of two rows, modulo 2^ROW_W.
 *
 * Combinational; synthesis keeps the carry chain and drops the other bits of the sum.
 * Example (ROW_W 4): 0111 and 0001 -> 1.
 */
module apack_sum_sign #(
    // bits of a row
    parameter ROW_W = 8
) (
    input  wire [2*ROW_W-1:0] pair,
    output wire               sign
);

    wire [ROW_W-1:0] sum = pair[0 +: ROW_W] + pair[ROW_W +: ROW_W];

    assign sign = sum[ROW_W-1];

endmodule

`resetall
