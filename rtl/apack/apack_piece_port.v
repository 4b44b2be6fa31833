// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Offers the pieces of several streams to a port of the decoder engine, on which the streams take turns.
 *
 * s_valid and s_data are each stream's oldest piece, stream 0 in the low bits. In every cycle port_stream names
 * a stream, each in its turn; while no stream has a piece yet, it may name anything. That stream's piece is on
 * port_data if port_valid is high, and is taken if port_ready is high too: s_take tells the stream so, and
 * s_clear that port_clear is meant for it. With more than one stream the piece is chosen a cycle ahead, as
 * s_valid and s_data are in the cycle before the stream's turn, for nobody but the stream at turn can take its
 * piece. A reset drops what was chosen.
 */
module apack_piece_port #(
    // streams that take turns
    parameter STREAMS  = 4,
    // bits of a piece
    parameter PIECE_W  = 16,
    // bits of a stream's number; leave at its default
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                       clk,
    input  wire                       rst,

    input  wire [STREAMS-1:0]         s_valid,
    input  wire [STREAMS*PIECE_W-1:0] s_data,
    output wire [STREAMS-1:0]         s_take,
    output wire [STREAMS-1:0]         s_clear,

    input  wire [STREAM_W-1:0]        port_stream,
    input  wire                       port_clear,
    input  wire                       port_ready,
    output wire                       port_valid,
    output wire [PIECE_W-1:0]         port_data
);

    localparam [STREAM_W-1:0] LAST = STREAMS[STREAM_W-1:0] - 1'b1;

    wire [STREAM_W-1:0] next_stream = (port_stream == LAST) ? {STREAM_W{1'b0}} : port_stream + 1'b1;
    wire [STREAMS-1:0]  at_turn;
    wire [STREAMS-1:0]  at_next;
    wire [PIECE_W-1:0]  next_data;
    wire                next_valid = |(s_valid & at_next);

    assign s_take  = at_turn & {STREAMS{port_ready && port_valid}};
    assign s_clear = at_turn & {STREAMS{port_clear}};

    genvar i;
    generate
        for (i = 0; i < STREAMS; i = i + 1) begin : g_stream
            assign at_turn[i] = port_stream == i[STREAM_W-1:0];
            assign at_next[i] = next_stream == i[STREAM_W-1:0];
        end
    endgenerate

    cell_onehot_mux #(
        .INPUTS (STREAMS),
        .DATA_W (PIECE_W)
    ) data_select_inst (
        .data   (s_data),
        .select (at_next),
        .chosen (next_data)
    );

    cell_cut_reset #(.CUT ((STREAMS > 1) ? 1 : 0), .DATA_W (1 + PIECE_W)) ahead_cut_inst (
        .clk (clk),
        .rst (rst),
        .d   ({next_valid, next_data}),
        .q   ({port_valid, port_data})
    );

endmodule

`resetall
