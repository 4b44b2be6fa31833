// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Distance from the decoder's code to the beginning of a row's slice, as two rows still to be added.
 *
 * Combinational: range * cum - (position + 1) * 2^COUNT_W, modulo 2^SUM_W, as the sum of two rows. The sum is
 * negative (top bit set) if and only if the slice begins at or below the code; without its COUNT_W low bits
 * it is the distance less one. range_3 is 3 * range, so that two bits of cum select one multiple.
 * Example (COUNT_W 10): range 65536, cum 512, position 40000 -> 33554432 - 40961024 = -7406592.
 */
module apack_distance #(
    // bits of a cumulative count
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of a row; leave at its default
    parameter SUM_W   = CODE_W + COUNT_W + 1
) (
    input  wire [CODE_W:0]    range,
    input  wire [CODE_W+1:0]  range_3,
    input  wire [COUNT_W-1:0] cum,
    input  wire [CODE_W-1:0]  position,
    output wire [2*SUM_W-1:0] pair
);

    localparam DIGITS   = (COUNT_W + 1) / 2;     // base 4
    localparam TRIPLE_W = CODE_W + 2;

    wire [2*DIGITS-1:0] bits = {{2*DIGITS-COUNT_W{1'b0}}, cum};
    wire [TRIPLE_W-1:0] one  = {1'b0, range};
    wire [TRIPLE_W-1:0] two  = {range, 1'b0};

    reg [(DIGITS+1)*SUM_W-1:0] rows;
    reg [TRIPLE_W-1:0]         multiple;
    always @(*) begin : b_multiples
        integer i;

        multiple = {TRIPLE_W{1'b0}};
        for (i = 0; i < DIGITS; i = i + 1) begin
            case (bits[2*i +: 2])
                2'd0:    multiple = {TRIPLE_W{1'b0}};
                2'd1:    multiple = one;
                2'd2:    multiple = two;
                default: multiple = range_3;
            endcase
            rows[i*SUM_W +: SUM_W] = {{SUM_W-TRIPLE_W{1'b0}}, multiple} << (2 * i);
        end
        rows[DIGITS*SUM_W +: SUM_W] = {1'b1, ~position, {COUNT_W{1'b0}}};
    end

    cell_carry_save #(
        .ROWS      (DIGITS + 1),
        .LEFT_ROWS (2),
        .DATA_W    (SUM_W)
    ) carry_save_inst (
        .rows (rows),
        .left (pair)
    );

endmodule

`resetall
