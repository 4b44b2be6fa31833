// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What the slots of a decoder engine do: for each stream's block FIRST, VALUE for each value, CLEAR.
 *
 * In every cycle a slot begins, of one stream after the other: slot_stream names it, slot_ready says whether it
 * may take bits, and slot_kind what it does (see apack_decoder_engine). A slot of a stream without a block, or
 * that is not ready, is IDLE; CLEAR needs no bits.
 *
 * A block waits with s_valid for stream s_stream; it is taken (s_take) in a slot of that stream in which the
 * stream has no block, and begins in the stream's next slot. A raw block is RAW for each value, then CLEAR; one
 * that is skipped is CLEAR alone. s_count is at least 1. Between a stream's CLEAR and its next block is a slot
 * at least, so that the CLEAR has taken effect in the engine.
 */
module apack_slot_sequence #(
    // streams that take turns
    parameter STREAMS  = 4,
    // bits of a block's number of values
    parameter BLOCK_W  = 13,
    // bits of a stream's number; leave at its default
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                s_valid,
    input  wire [STREAM_W-1:0] s_stream,
    input  wire [BLOCK_W-1:0]  s_count,
    input  wire                s_raw,
    input  wire                s_skip,
    output wire                s_take,

    input  wire [STREAM_W-1:0] slot_stream,
    input  wire                slot_ready,
    output wire [2:0]          slot_kind
);

    // the engine's kinds of slots
    localparam [2:0] IDLE  = 3'd0;
    localparam [2:0] CLEAR = 3'd1;
    localparam [2:0] FIRST = 3'd2;
    localparam [2:0] VALUE = 3'd3;
    localparam [2:0] RAW   = 3'd4;

    localparam STATE_W = 3 + BLOCK_W;

    localparam [BLOCK_W-1:0] ONE = 1;

    wire [2:0]         kind;        // of the slot that the stream at turn is for
    wire [BLOCK_W-1:0] left;        // values from this slot on
    reg  [2:0]         next_kind;
    reg  [BLOCK_W-1:0] next_left;

    assign s_take    = s_valid && kind == IDLE && s_stream == slot_stream;
    assign slot_kind = (slot_ready || kind == CLEAR) ? kind : IDLE;

    always @(*) begin
        next_kind = kind;
        next_left = left;
        if (s_take) begin
            next_kind = s_skip ? CLEAR : s_raw ? RAW : FIRST;
            next_left = s_count;
        end else if (kind == CLEAR) begin
            next_kind = IDLE;
        end else if (slot_ready && kind == FIRST) begin
            next_kind = VALUE;
        end else if (slot_ready && kind != IDLE) begin
            next_kind = (left == ONE) ? CLEAR : kind;
            next_left = left - ONE;
        end
    end

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (STATE_W)
    ) ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (1'b1),
        .turn   (1'b1),
        .next   ({next_kind, next_left}),
        .head   ({kind, left})
    );

endmodule

`resetall
