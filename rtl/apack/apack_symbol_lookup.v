`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Finds the symbol (group) of a value and the table row that belongs to it.
 *
 * Combinational: one comparator a group. The flat buses are apack_table's, row 0 in the low bits. Rows at
 * and above the number of groups have row_valid = 0 and are ignored; row_valid[0] must be set.
 * offset is value - base, right-aligned, of which offset_w bits count (0 for a group of one value).
 * Example: bases 0, 4, 240 -> value 7 gives symbol 1, offset 3, offset_w 8.
 */
module apack_symbol_lookup #(
    // bits of a value
    parameter VALUE_W = 8,
    // rows of the table
    parameter SYMBOLS = 16,
    // bits of a cumulative count
    parameter COUNT_W = 10,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W = $clog2(VALUE_W + 1),
    // bits of a symbol; leave at its default
    parameter SYMBOL_W = (SYMBOLS > 1) ? $clog2(SYMBOLS) : 1
) (
    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,

    input  wire [VALUE_W-1:0]             value,

    output wire [SYMBOL_W-1:0]            symbol,
    output wire [VALUE_W-1:0]             offset,
    output wire [WIDTH_W-1:0]             offset_w,
    output wire [COUNT_W:0]               cum_lo,
    output wire [COUNT_W:0]               cum_hi
);

    localparam ROW_W = $clog2(SYMBOLS + 1);

    // From the top bit down: does group 0, 1, .. begin at or below the value? Bases increase, so that the
    // ones stand together at the top and the last of them is the symbol. Group 0 always begins there.
    wire [SYMBOLS-1:0] begun;

    assign begun[SYMBOLS-1] = 1'b1;

    genvar g;
    generate
        for (g = 1; g < SYMBOLS; g = g + 1) begin : g_begun
            assign begun[SYMBOLS-1-g] = row_valid[g] && value >= row_base[g*VALUE_W +: VALUE_W];
        end
    endgenerate

    wire [ROW_W-1:0] begun_count;
    wire [ROW_W-1:0] row = begun_count - {{ROW_W-1{1'b0}}, 1'b1};

    apack_leading_ones #(
        .IN_W (SYMBOLS)
    ) begun_inst (
        .bits  (begun),
        .count (begun_count)
    );

    // cumulative counts with the 0 before row 0
    wire [(SYMBOLS+1)*(COUNT_W+1)-1:0] cum = {row_cum, {COUNT_W+1{1'b0}}};

    assign symbol   = row[SYMBOL_W-1:0];
    assign offset_w = row_offset_w[row*WIDTH_W +: WIDTH_W];
    assign cum_lo   = cum[row*(COUNT_W+1) +: COUNT_W+1];
    assign cum_hi   = row_cum[row*(COUNT_W+1) +: COUNT_W+1];
    assign offset   = value - row_base[row*VALUE_W +: VALUE_W];

    // Row 0 always holds.
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = &{1'b0, row_valid[0]};
    /* verilator lint_on UNUSEDSIGNAL */

endmodule

`resetall
