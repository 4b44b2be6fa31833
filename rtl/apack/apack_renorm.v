// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Renormalises the interval: all shifts of one value in one step.
 *
 * Combinational. First the leading bits that low and high share are shifted out (lead_count of them, they
 * are known code bits and stand left-aligned in lead_bits), then the run of 01../10.. under the top bit is
 * removed (under_count shifts, each owes one pending bit). lead_count + under_count <= CODE_W.
 * Afterwards next_high - next_low + 1 is above a quarter of 2^CODE_W.
 * Example (CODE_W 4): low 0100, high 0110 -> lead_count 2, lead_bits 01xx; the rest 00../10.. has no
 * run: under_count 0, next 0000..1011. low 0111, high 1000 -> lead_count 0, under_count 3, next 0000..1111.
 */
module apack_renorm #(
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W = $clog2(CODE_W + 1)
) (
    input  wire [CODE_W-1:0]  low,
    input  wire [CODE_W-1:0]  high,
    output wire [SHIFT_W-1:0] lead_count,
    output wire [CODE_W-1:0]  lead_bits,
    output wire [SHIFT_W-1:0] under_count,
    output wire [CODE_W-1:0]  next_low,
    output wire [CODE_W-1:0]  next_high
);

    localparam [CODE_W-1:0] ALL_ONES = {CODE_W{1'b1}};

    cell_leading_ones #(
        .IN_W (CODE_W)
    ) lead_inst (
        .bits  (~(low ^ high)),
        .count (lead_count)
    );

    assign lead_bits = low;

    wire [CODE_W-1:0] lead_low  = low << lead_count;
    wire [CODE_W-1:0] lead_high = (high << lead_count) | ~(ALL_ONES << lead_count);

    // the run of low = 1, high = 0 under the top bit
    wire [CODE_W-1:0] straddle = lead_low & ~lead_high;

    cell_leading_ones #(
        .IN_W  (CODE_W - 1),
        .OUT_W (SHIFT_W)
    ) under_inst (
        .bits  (straddle[CODE_W-2:0]),
        .count (under_count)
    );

    // The run is removed from under the top bit, which stays 0 in low and 1 in high.
    wire [CODE_W-1:0] under_low  = lead_low << under_count;
    wire [CODE_W-1:0] under_high = (lead_high << under_count) | ~(ALL_ONES << under_count);

    assign next_low  = {1'b0, under_low[CODE_W-2:0]};
    assign next_high = {1'b1, under_high[CODE_W-2:0]};

    // straddle's top bit can never be set: the top bits differ as 0 and 1, or the interval is full.
    wire unused = &{1'b0, straddle[CODE_W-1], under_low[CODE_W-1], under_high[CODE_W-1]};

endmodule

`resetall
