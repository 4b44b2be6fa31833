// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * State of streams that take turns: the head is that of the stream whose turn it is.
 *
 * In a cycle with enable high, head is replaced by next; with turn high as well, the next stream's state
 * comes to the head, and next goes to the end of the ring. Reset clears the state of all streams.
 * Example (STREAMS 2): states 5, at the head, and 6; next 7 with turn high -> 6 at the head, 7 behind it.
 */
module cell_ring #(
    // streams that take turns
    parameter STREAMS = 4,
    // bits of a stream's state
    parameter STATE_W = 8
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               enable,
    input  wire               turn,
    input  wire [STATE_W-1:0] next,
    output wire [STATE_W-1:0] head
);

    reg [STREAMS*STATE_W-1:0] ring_reg;

    assign head = ring_reg[0 +: STATE_W];

    generate
        if (STREAMS == 1) begin : g_one
            always @(posedge clk) begin
                if (enable) begin
                    ring_reg <= next;
                end
                if (rst) begin
                    ring_reg <= {STATE_W{1'b0}};
                end
            end

            wire unused = &{1'b0, turn};
        end else begin : g_many
            always @(posedge clk) begin
                if (enable && turn) begin
                    ring_reg <= {next, ring_reg[STREAMS*STATE_W-1:STATE_W]};
                end else if (enable) begin
                    ring_reg[0 +: STATE_W] <= next;
                end
                if (rst) begin
                    ring_reg <= {STREAMS*STATE_W{1'b0}};
                end
            end
        end
    endgenerate

endmodule

`resetall
