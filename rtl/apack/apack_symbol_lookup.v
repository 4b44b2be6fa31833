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

    output reg  [SYMBOL_W-1:0]            symbol,
    output wire [VALUE_W-1:0]             offset,
    output reg  [WIDTH_W-1:0]             offset_w,
    output reg  [COUNT_W:0]               cum_lo,
    output reg  [COUNT_W:0]               cum_hi
);

    // Bases increase, so the last row that is not above the value is its group.
    reg [VALUE_W-1:0] base;
    integer           i;

    always @* begin
        symbol   = {SYMBOL_W{1'b0}};
        base     = {VALUE_W{1'b0}};
        offset_w = row_offset_w[0 +: WIDTH_W];
        cum_lo   = {COUNT_W+1{1'b0}};
        cum_hi   = row_cum[0 +: COUNT_W+1];
        for (i = 1; i < SYMBOLS; i = i + 1) begin
            if (row_valid[i] && value >= row_base[i*VALUE_W +: VALUE_W]) begin
                symbol   = i[SYMBOL_W-1:0];
                base     = row_base[i*VALUE_W +: VALUE_W];
                offset_w = row_offset_w[i*WIDTH_W +: WIDTH_W];
                cum_lo   = row_cum[(i-1)*(COUNT_W+1) +: COUNT_W+1];
                cum_hi   = row_cum[i*(COUNT_W+1) +: COUNT_W+1];
            end
        end
    end

    assign offset = value - base;

    // Row 0 always holds and starts at 0.
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = &{1'b0, row_valid[0], row_base[VALUE_W-1:0]};
    /* verilator lint_on UNUSEDSIGNAL */

endmodule

`resetall
