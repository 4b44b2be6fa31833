// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Scales a cumulative count to the current interval: (range * cum) >> COUNT_W.
 *
 * Combinational. `range` is at most 2^CODE_W and `cum` at most 2^COUNT_W, so the result is at most
 * `range`; cum = 2^COUNT_W returns `range` itself.
 * Example (CODE_W 16, COUNT_W 10): range 65536, cum 512 -> 32768.
 */
module apack_scale #(
    // bits of a cumulative count; 2^COUNT_W is the total of a table
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16
) (
    input  wire [CODE_W:0]  range,
    input  wire [COUNT_W:0] cum,
    output wire [CODE_W:0]  slice
);

    localparam PRODUCT_W = CODE_W + COUNT_W + 1;

    // The fraction below the binary point is dropped on purpose.
    wire [PRODUCT_W-1:0] product = {{COUNT_W{1'b0}}, range} * {{CODE_W{1'b0}}, cum};

    assign slice = product[PRODUCT_W-1:COUNT_W];

endmodule

`resetall
