// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Narrows the coder's interval to the slice of one symbol, before renormalisation.
 *
 * Combinational. low..high is the interval before the value (low <= high, and high - low + 1 above a
 * quarter of 2^CODE_W, which renormalisation guarantees); cum_lo and cum_hi are the cumulative counts at
 * the two ends of the symbol, 0 <= cum_lo < cum_hi <= 2^COUNT_W.
 * Example (CODE_W 16, COUNT_W 10): 0..65535 with cum 0..512 -> 0..32767.
 */
module apack_interval #(
    // bits of a cumulative count
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16
) (
    input  wire [CODE_W-1:0] low,
    input  wire [CODE_W-1:0] high,
    input  wire [COUNT_W:0]  cum_lo,
    input  wire [COUNT_W:0]  cum_hi,
    output wire [CODE_W-1:0] next_low,
    output wire [CODE_W-1:0] next_high
);

    localparam [CODE_W-1:0] ONE = 1;

    wire [CODE_W:0] range = {1'b0, high - low} + {1'b0, ONE};

    // slice_hi reaches 2^CODE_W only for the full interval, where its top bit wraps away:
    // 0 + 2^CODE_W - 1 is the highest bound.
    wire [CODE_W:0] slice_lo;
    wire [CODE_W:0] slice_hi;

    apack_scale #(
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) scale_lo_inst (
        .range (range),
        .cum   (cum_lo),
        .slice (slice_lo)
    );

    apack_scale #(
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W)
    ) scale_hi_inst (
        .range (range),
        .cum   (cum_hi),
        .slice (slice_hi)
    );

    assign next_low  = low + slice_lo[CODE_W-1:0];
    assign next_high = low + slice_hi[CODE_W-1:0] - ONE;

endmodule

`resetall
