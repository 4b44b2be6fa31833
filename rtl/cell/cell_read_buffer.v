// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Two beats of room behind a memory that answers a cycle after it was asked.
 *
 * room says that what is asked for in this cycle will find a place in the next one, when it stands on
 * s_data with s_valid. A beat passes every cycle. room follows m_ready in the same cycle.
 * Example: 5 and 6 come while m_ready is low -> 5 stands at m_data and room is low; m_ready -> 6, room.
 */
module cell_read_buffer #(
    // bits of data, a beat
    parameter DATA_W = 8
) (
    input  wire              clk,
    input  wire              rst,

    output wire              room,
    input  wire              s_valid,
    input  wire [DATA_W-1:0] s_data,

    output wire              m_valid,
    output wire [DATA_W-1:0] m_data,
    input  wire              m_ready
);

    reg              m_valid_reg;
    reg [DATA_W-1:0] m_data_reg;
    reg              held_valid_reg;
    reg [DATA_W-1:0] held_data_reg;

    assign m_valid = m_valid_reg;
    assign m_data  = m_data_reg;

    wire take = m_valid_reg && m_ready;
    wire move = m_ready || !m_valid_reg;
    wire full = m_valid_reg && (held_valid_reg || s_valid);

    assign room = !full || take;

    always @(posedge clk) begin
        if (move) begin
            m_valid_reg    <= held_valid_reg || s_valid;
            m_data_reg     <= held_valid_reg ? held_data_reg : s_data;
            held_valid_reg <= held_valid_reg && s_valid;
        end else if (s_valid) begin
            held_valid_reg <= 1'b1;
        end

        if (s_valid) begin
            held_data_reg <= s_data;
        end

        if (rst) begin
            m_valid_reg    <= 1'b0;
            held_valid_reg <= 1'b0;
        end
    end

endmodule

`resetall
