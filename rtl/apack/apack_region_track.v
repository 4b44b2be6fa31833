// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Which of STREAMS + 1 regions each of STREAMS streams is at work in, when blocks go round both in order.
 *
 * Block k belongs to stream k mod STREAMS and to region k mod (STREAMS + 1), so that a stream begins in the
 * region of its own number, and its next block is one region down. m_region is that of s_stream; s_advance
 * moves it on, from the next cycle on.
 */
module apack_region_track #(
    // streams that take turns
    parameter STREAMS  = 4,
    // bits of a region's number; leave at its default
    parameter REGION_W = $clog2(STREAMS + 1),
    // bits of a stream's number; leave at its default
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                clk,
    input  wire                rst,

    input  wire [STREAM_W-1:0] s_stream,
    input  wire                s_advance,
    output wire [REGION_W-1:0] m_region
);

    localparam [REGION_W-1:0] LAST = STREAMS[REGION_W-1:0];

    reg  [STREAMS*REGION_W-1:0] region_reg;
    wire [STREAMS-1:0]          hit;
    wire [REGION_W-1:0]         next = (m_region == {REGION_W{1'b0}}) ? LAST : m_region - 1'b1;

    genvar i;
    generate
        for (i = 0; i < STREAMS; i = i + 1) begin : g_stream
            assign hit[i] = s_stream == i[STREAM_W-1:0];

            always @(posedge clk) begin
                if (s_advance && hit[i]) begin
                    region_reg[i*REGION_W +: REGION_W] <= next;
                end
                if (rst) begin
                    region_reg[i*REGION_W +: REGION_W] <= i[REGION_W-1:0];
                end
            end
        end
    endgenerate

    cell_onehot_mux #(
        .INPUTS (STREAMS),
        .DATA_W (REGION_W)
    ) region_select_inst (
        .data   (region_reg),
        .select (hit),
        .chosen (m_region)
    );

endmodule

`resetall
