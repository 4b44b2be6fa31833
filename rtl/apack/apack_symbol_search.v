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
    // rows of the table
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

    output reg  [SYMBOL_W-1:0]            symbol,
    output reg  [VALUE_W-1:0]             base,
    output reg  [VALUE_W-1:0]             limit,
    output reg  [WIDTH_W-1:0]             offset_w,
    output reg  [CODE_W:0]                slice_lo,
    output reg  [CODE_W:0]                slice_hi
);

    // slice_end[i]: the end of symbol i's slice; the last row's can only be the interval's own end
    wire [SYMBOLS*(CODE_W+1)-1:0] slice_end;

    assign slice_end[(SYMBOLS-1)*(CODE_W+1) +: CODE_W+1] = range;

    genvar g;
    generate
        for (g = 0; g < SYMBOLS - 1; g = g + 1) begin : g_scale
            apack_scale #(
                .COUNT_W (COUNT_W),
                .CODE_W  (CODE_W)
            ) scale_inst (
                .range (range),
                .cum   (row_cum[g*(COUNT_W+1) +: COUNT_W+1]),
                .slice (slice_end[g*(CODE_W+1) +: CODE_W+1])
            );
        end
    endgenerate

    // Slices increase, so the last row whose slice begins at or below the position is the symbol.
    integer i;

    always @* begin
        symbol   = {SYMBOL_W{1'b0}};
        base     = {VALUE_W{1'b0}};
        limit    = row_limit[0 +: VALUE_W];
        offset_w = row_offset_w[0 +: WIDTH_W];
        slice_lo = {CODE_W+1{1'b0}};
        slice_hi = slice_end[0 +: CODE_W+1];
        for (i = 1; i < SYMBOLS; i = i + 1) begin
            if (row_valid[i] && {1'b0, position} >= slice_end[(i-1)*(CODE_W+1) +: CODE_W+1]) begin
                symbol   = i[SYMBOL_W-1:0];
                base     = row_base[i*VALUE_W +: VALUE_W];
                limit    = row_limit[i*VALUE_W +: VALUE_W];
                offset_w = row_offset_w[i*WIDTH_W +: WIDTH_W];
                slice_lo = slice_end[(i-1)*(CODE_W+1) +: CODE_W+1];
                slice_hi = slice_end[i*(CODE_W+1) +: CODE_W+1];
            end
        end
    end

    // Row 0 always holds and starts at 0; the last row's count can only be the total.
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = &{1'b0, row_valid[0], row_base[VALUE_W-1:0],
                    row_cum[(SYMBOLS-1)*(COUNT_W+1) +: COUNT_W+1]};
    /* verilator lint_on UNUSEDSIGNAL */

endmodule

`resetall
