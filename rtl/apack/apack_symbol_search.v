// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Finds the symbol whose slice of the interval holds the decoder's code, and the table row of it.
 *
 * Combinational: one multiplier a group boundary, SYMBOLS - 1 in all. The flat buses are apack_table's,
 * row 0 in the low bits. position is code - low, in 0..range-1; the symbol found satisfies
 * slice_lo <= position < slice_hi, the two ends scaled to the interval.
 * limit is the number of values in the group less one: an offset above it belongs to no value.
 * Example (COUNT_W 10): cum 0, 512, 1024, range 65536, position 40000 -> symbol 1, slice 32768..65536.
 */
module apack_symbol_search #(
    // bits of a value
    parameter VALUE_W = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS = 16,
    // bits of a cumulative count
    parameter COUNT_W = 10,
    // bits of the interval bounds
    parameter CODE_W  = 16,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W = $clog2(VALUE_W + 1),
    // bits of a symbol; leave at its default
    parameter SYMBOL_W = (SYMBOLS > 1) ? $clog2(SYMBOLS) : 1
) (
    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_limit,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire [CODE_W:0]                range,
    input  wire [CODE_W-1:0]              position,

    output wire [SYMBOL_W-1:0]            symbol,
    output wire [VALUE_W-1:0]             base,
    output wire [VALUE_W-1:0]             limit,
    output wire [WIDTH_W-1:0]             offset_w,
    output wire [CODE_W:0]                slice_lo,
    output wire [CODE_W:0]                slice_hi
);

    generate
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_symbol_search_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
    endgenerate

    localparam ROW_W = $clog2(SYMBOLS + 1);

    // Ends of the slices, with the 0 before the first; the last row's can only be the interval's own end.
    wire [(SYMBOLS+1)*(CODE_W+1)-1:0] slices;

    assign slices[0 +: CODE_W+1]                  = {CODE_W+1{1'b0}};
    assign slices[SYMBOLS*(CODE_W+1) +: CODE_W+1] = range;

    // From the top bit down: does the slice of row 0, 1, .. begin at or below the position? Slices
    // increase, so that the ones stand together at the top and the last of them is the symbol.
    wire [SYMBOLS-1:0] begun;

    assign begun[SYMBOLS-1] = 1'b1;

    genvar g;
    generate
        for (g = 1; g < SYMBOLS; g = g + 1) begin : g_slice
            wire [CODE_W:0] slice;

            apack_scale #(
                .COUNT_W (COUNT_W),
                .CODE_W  (CODE_W)
            ) scale_inst (
                .range (range),
                .cum   (row_cum[(g-1)*(COUNT_W+1) +: COUNT_W+1]),
                .slice (slice)
            );

            assign slices[g*(CODE_W+1) +: CODE_W+1] = slice;
            assign begun[SYMBOLS-1-g] = row_valid[g] && {1'b0, position} >= slice;
        end
    endgenerate

    wire [ROW_W-1:0] begun_count;
    wire [ROW_W-1:0] row = begun_count - {{ROW_W-1{1'b0}}, 1'b1};

    cell_leading_ones #(
        .IN_W (SYMBOLS)
    ) begun_inst (
        .bits  (begun),
        .count (begun_count)
    );

    assign symbol   = row[SYMBOL_W-1:0];
    assign base     = row_base[row*VALUE_W +: VALUE_W];
    assign limit    = row_limit[row*VALUE_W +: VALUE_W];
    assign offset_w = row_offset_w[row*WIDTH_W +: WIDTH_W];
    assign slice_lo = slices[row*(CODE_W+1) +: CODE_W+1];
    assign slice_hi = slices[begun_count*(CODE_W+1) +: CODE_W+1];

    // Row 0 always holds and needs no position; the last row's count can only be the total.
    wire unused = &{1'b0, position, row_valid[0], row_cum[(SYMBOLS-1)*(COUNT_W+1) +: COUNT_W+1]};

endmodule

`resetall
