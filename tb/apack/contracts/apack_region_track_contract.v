// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_region_track may expect: streams that there are.
 */
module apack_region_track_contract #(
    parameter STREAMS  = 4,
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire [STREAM_W-1:0] s_stream,
    output wire                kept
);

    localparam [STREAM_W-1:0] LAST = STREAMS[STREAM_W-1:0] - 1'b1;

    assign kept = s_stream <= LAST;

endmodule

`resetall
