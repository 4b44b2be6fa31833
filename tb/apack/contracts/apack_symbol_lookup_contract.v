// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_symbol_lookup may expect: the rows of a legal table, as apack_table holds them.
 */
module apack_symbol_lookup_contract #(
    parameter VALUE_W  = 8,
    parameter SYMBOLS  = 16,
    parameter COUNT_W  = 10
) (
    input  wire [SYMBOLS-1:0]             row_valid,
    input  wire [SYMBOLS*VALUE_W-1:0]     row_base,
    input  wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum,
    output reg                            kept
);

    localparam [COUNT_W:0] TOTAL = {1'b1, {COUNT_W{1'b0}}};

    always @(*) begin : b_rows
        integer g;

        kept = row_valid[0] && row_base[VALUE_W-1:0] == {VALUE_W{1'b0}}
            && row_cum[COUNT_W:0] != {COUNT_W+1{1'b0}};
        for (g = 0; g < SYMBOLS; g = g + 1) begin
            if (row_valid[g] && row_cum[g*(COUNT_W+1) +: COUNT_W+1] > TOTAL) begin
                kept = 1'b0;
            end
            if (g == SYMBOLS - 1 && row_valid[g] && row_cum[g*(COUNT_W+1) +: COUNT_W+1] != TOTAL) begin
                kept = 1'b0;
            end
        end
        for (g = 1; g < SYMBOLS; g = g + 1) begin
            if (row_valid[g] && !(row_valid[g-1]
                    && row_base[g*VALUE_W +: VALUE_W] > row_base[(g-1)*VALUE_W +: VALUE_W]
                    && row_cum[g*(COUNT_W+1) +: COUNT_W+1] > row_cum[(g-1)*(COUNT_W+1) +: COUNT_W+1])) begin
                kept = 1'b0;
            end
            if (!row_valid[g] && row_valid[g-1] && row_cum[(g-1)*(COUNT_W+1) +: COUNT_W+1] != TOTAL) begin
                kept = 1'b0;
            end
        end
    end

endmodule

`resetall
