`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Selects one of several rows by a one-hot vector: hit[i] high gives row i, none gives 0.
 *
 * Combinational. Row 0 is in the low bits of rows. Two bits high give the bitwise or of two rows.
 * Example: rows 5, 6, 7 and hit 010 -> 6.
 */
module apack_row_select #(
    // rows that enter
    parameter ROWS  = 16,
    // bits of a row
    parameter ROW_W = 8
) (
    input  wire [ROWS*ROW_W-1:0] rows,
    input  wire [ROWS-1:0]       hit,
    output reg  [ROW_W-1:0]      row
);

    always @(*) begin : b_select
        integer i;

        row = {ROW_W{1'b0}};
        for (i = 0; i < ROWS; i = i + 1) begin
            row = row | (rows[i*ROW_W +: ROW_W] & {ROW_W{hit[i]}});
        end
    end

endmodule

`resetall
