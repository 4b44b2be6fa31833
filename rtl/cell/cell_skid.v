// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Register slice of a valid/ready stream: no combinational path from either side to the other.
 *
 * Two beats deep, so that one passes every cycle. Both valid and both ready come from registers.
 * Example: 5 and 6 come while m_ready is low -> s_ready falls, 5 stands at m_data; m_ready -> 6.
 */
module cell_skid #(
    // bits of data, a beat
    parameter DATA_W = 8
) (
    input  wire              clk,
    input  wire              rst,

    input  wire [DATA_W-1:0] s_data,
    input  wire              s_valid,
    output wire              s_ready,

    output wire [DATA_W-1:0] m_data,
    output wire              m_valid,
    input  wire              m_ready
);

    reg [DATA_W-1:0] m_data_reg;
    reg              m_valid_reg;
    reg [DATA_W-1:0] held_data_reg;
    reg              held_valid_reg;
    reg              open_reg;          // low in reset, so that nothing is taken then

    assign s_ready = open_reg && !held_valid_reg;
    assign m_data  = m_data_reg;
    assign m_valid = m_valid_reg;

    wire take = s_valid && s_ready;
    wire move = m_ready || !m_valid_reg;

    always @(posedge clk) begin
        open_reg <= 1'b1;

        if (move) begin
            m_data_reg     <= held_valid_reg ? held_data_reg : s_data;
            m_valid_reg    <= held_valid_reg || take;
            held_valid_reg <= 1'b0;
        end else if (take) begin
            held_valid_reg <= 1'b1;
        end

        if (take) begin
            held_data_reg <= s_data;
        end

        if (rst) begin
            open_reg       <= 1'b0;
            m_valid_reg    <= 1'b0;
            held_valid_reg <= 1'b0;
        end
    end

endmodule

`resetall
