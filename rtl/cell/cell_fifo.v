// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * FIFO of 2^FIFO_W beats: a beat that enters stands at the other side in the next cycle at the earliest.
 *
 * s_ready is high while there is room, m_valid while there is a beat; neither follows the other side within
 * a cycle, so that a full FIFO takes a beat one cycle after one has left. m_data is read from the memory in
 * the same cycle, which suits a small memory or a simulation. A reset empties it.
 * Example (FIFO_W 1): beats 5 and 6 enter, s_ready falls; 5 stands at m_data until m_ready, then 6.
 */
module cell_fifo #(
    // bits of data, a beat
    parameter DATA_W = 8,
    // log2 of the number of beats, at least 1
    parameter FIFO_W = 4
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

    generate
        if (FIFO_W < 1) begin : g_check
            cell_fifo_needs_FIFO_W_of_at_least_1 illegal_parameter ();
        end
    endgenerate

    reg [DATA_W-1:0] beats [0:(1<<FIFO_W)-1];
    reg [FIFO_W:0]   write_reg;
    reg [FIFO_W:0]   read_reg;

    wire [FIFO_W:0] level = write_reg - read_reg;   // wraps as the two counters do

    assign s_ready = !level[FIFO_W];
    assign m_valid = write_reg != read_reg;
    assign m_data  = beats[read_reg[FIFO_W-1:0]];

    always @(posedge clk) begin
        if (s_valid && s_ready) begin
            beats[write_reg[FIFO_W-1:0]] <= s_data;
            write_reg                    <= write_reg + 1'b1;
        end
        if (m_valid && m_ready) begin
            read_reg <= read_reg + 1'b1;
        end
        if (rst) begin
            write_reg <= {FIFO_W+1{1'b0}};
            read_reg  <= {FIFO_W+1{1'b0}};
        end
    end

endmodule

`resetall
