// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Finds the symbol (group) of a value and the table row that belongs to it.
 *
 * Combinational: one comparator a group. The flat buses are apack_table's, row 0 in the low bits. Rows at
 * and above the number of groups have row_valid = 0 and are ignored; the others are those of a legal table,
 * or the outputs mean nothing: row 0 is valid, bases increase from 0, counts increase to 2^COUNT_W.
 * offset is value - base, right-aligned, of which offset_w bits count (0 for a group of one value).
 * Example: bases 0, 4, 240 -> value 7 gives symbol 1, offset 3, offset_w 8.
 */
module apack_symbol_lookup #(
    // bits of a value
    parameter VALUE_W = 8,
    // rows of the symbol table, at least 1
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

    generate
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_symbol_lookup_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
    endgenerate

    localparam RECORD_W = SYMBOL_W + VALUE_W + WIDTH_W + 2 * (COUNT_W + 1);

    // begun[i]: group i begins at or below the value. Bases increase, so that the ones stand together from
    // row 0 on, and the last of them is the group.
    wire [SYMBOLS:0]            begun;
    wire [SYMBOLS*RECORD_W-1:0] records;

    assign begun[0]       = 1'b1;
    assign begun[SYMBOLS] = 1'b0;

    // cumulative counts with the 0 before row 0
    wire [(SYMBOLS+1)*(COUNT_W+1)-1:0] cum = {row_cum, {COUNT_W+1{1'b0}}};

    genvar g;
    generate
        for (g = 0; g < SYMBOLS; g = g + 1) begin : g_row
            assign records[g*RECORD_W +: RECORD_W] = {
                g[SYMBOL_W-1:0],
                row_base[g*VALUE_W +: VALUE_W],
                row_offset_w[g*WIDTH_W +: WIDTH_W],
                cum[g*(COUNT_W+1) +: 2*(COUNT_W+1)]
            };
        end
        for (g = 1; g < SYMBOLS; g = g + 1) begin : g_begun
            assign begun[g] = row_valid[g] && value >= row_base[g*VALUE_W +: VALUE_W];
        end
    endgenerate

    wire [VALUE_W-1:0] base;

    cell_onehot_mux #(
        .INPUTS (SYMBOLS),
        .DATA_W (RECORD_W)
    ) select_inst (
        .data   (records),
        .select (begun[SYMBOLS-1:0] & ~begun[SYMBOLS:1]),
        .chosen ({symbol, base, offset_w, cum_hi, cum_lo})
    );

    assign offset = value - base;

    // Row 0 always holds.
    wire unused = &{1'b0, row_valid[0]};

endmodule

`resetall
