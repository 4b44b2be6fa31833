// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Inverts values, one in each cycle: two of them in a row are a codec that saves nothing.
 *
 * Example (VALUE_W 4): 0101 -> 1010.
 */
module toy_invert #(
    // bits of a value
    parameter VALUE_W = 8
) (
    input  wire               clk,
    input  wire               rst,

    input  wire [VALUE_W-1:0] s_value,
    input  wire               s_valid,

    output wire [VALUE_W-1:0] m_value,
    output wire               m_valid
);

    reg [VALUE_W-1:0] m_value_reg;
    reg               m_valid_reg;

    assign m_value = m_value_reg;
    assign m_valid = m_valid_reg;

    always @(posedge clk) begin
        m_value_reg <= ~s_value;
        m_valid_reg <= s_valid;

        if (rst) begin
            m_valid_reg <= 1'b0;
        end
    end

endmodule

`resetall
