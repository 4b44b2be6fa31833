// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_piece_port may expect: a stream that there is at turn, unless no stream has a piece.
 */
module apack_piece_port_contract #(
    parameter STREAMS  = 4,
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire [STREAMS-1:0]  s_valid,
    input  wire [STREAM_W-1:0] port_stream,
    input  wire                port_clear,
    output wire                kept
);

    localparam [STREAM_W-1:0] LAST = STREAMS[STREAM_W-1:0] - 1'b1;

    assign kept = port_stream <= LAST || !(|s_valid || port_clear);

endmodule

`resetall
