// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_block_reader may expect: a tensor of at least one value begins while none is under way, its blocks
 * have a legal number of values, which stays, and words are not over before they begin.
 */
module apack_block_reader_contract #(
    parameter BLOCK_VALUES = 4096,
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1)
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                begin_valid,
    input  wire [47:0]         begin_values,
    input  wire [VALUES_W-1:0] block_values,
    input  wire                s_word_ended,
    input  wire                m_busy,
    output wire                kept
);

    localparam [VALUES_W-1:0] MOST = BLOCK_VALUES[VALUES_W-1:0];

    reg [VALUES_W-1:0] block_values_reg;
    reg                begun_reg;

    assign kept = block_values != {VALUES_W{1'b0}} && block_values <= MOST
        && !(begin_valid && (m_busy || begin_values == 48'd0))
        && !(m_busy && !begun_reg && block_values != block_values_reg)
        && !(begun_reg && s_word_ended);

    always @(posedge clk) begin
        block_values_reg <= block_values;
        begun_reg        <= begin_valid && !rst;
    end

endmodule

`resetall
