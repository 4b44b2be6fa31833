// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Selects one of several words by a one-hot vector: select[i] high gives word i, none gives 0.
 *
 * Combinational. Word 0 is in the low bits of data. Two bits high give the bitwise or of two words.
 * Example: words 5, 6, 7 and select 010 -> 6.
 */
module cell_onehot_mux #(
    // words to select from
    parameter INPUTS = 16,
    // bits of data, a word
    parameter DATA_W = 8
) (
    input  wire [INPUTS*DATA_W-1:0] data,
    input  wire [INPUTS-1:0]        select,
    output reg  [DATA_W-1:0]        chosen
);

    always @(*) begin : b_select
        integer i;

        chosen = {DATA_W{1'b0}};
        for (i = 0; i < INPUTS; i = i + 1) begin
            chosen = chosen | (data[i*DATA_W +: DATA_W] & {DATA_W{select[i]}});
        end
    end

endmodule

`resetall
