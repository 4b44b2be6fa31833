// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The slots of a decoder engine, block by block: which kind of slot begins in each cycle.
 *
 * s_begin brings a block of s_count values, 1 or more, s_raw if it is stored verbatim, when all slots of the
 * one before have begun; its slots begin in the next cycle at the earliest. A coded block has STREAMS slots
 * FIRST, then a slot VALUE for each value; a raw one has a slot RAW for each. A slot begins in a cycle in which
 * s_full says that all pieces are there that it may need and, of a value's slot, s_room that there is room for
 * the value. Otherwise it is idle, and the slot waits: for the next cycle if its block is raw or it is the
 * first of its block, else for its stream's next turn, STREAMS cycles later. m_kind is the engine's s_kind;
 * m_valued says that a value's slot begins, and m_last that it is the block's last.
 * Example (STREAMS 2): a block of one value, s_full low in the third cycle -> FIRST FIRST IDLE IDLE VALUE.
 */
module apack_slot_sequence #(
    // streams that take turns: 1, 2, 4 or 8
    parameter STREAMS      = 4,
    // most values of a block
    parameter BLOCK_VALUES = 4096,
    // bits of a number of values; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1)
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                s_begin,
    input  wire [VALUES_W-1:0] s_count,
    input  wire                s_raw,

    input  wire                s_full,
    input  wire                s_room,

    output wire [1:0]          m_kind,
    output wire                m_valued,
    output wire                m_last
);

    localparam [1:0] IDLE  = 2'd0;
    localparam [1:0] FIRST = 2'd1;
    localparam [1:0] VALUE = 2'd2;
    localparam [1:0] RAW   = 2'd3;

    localparam TURN_W = $clog2(STREAMS + 1);
    localparam ROUND  = STREAMS - 1;

    localparam [VALUES_W-1:0] ONE = {{VALUES_W-1{1'b0}}, 1'b1};

    reg [VALUES_W-1:0] left_reg;        // values whose slots are to begin
    reg [TURN_W-1:0]   first_reg;       // slots FIRST that are to begin
    reg                raw_reg;
    reg [TURN_W-1:0]   wait_reg;        // cycles until the turn of the next slot

    wire first = first_reg != {TURN_W{1'b0}};
    wire go    = left_reg != {VALUES_W{1'b0}} && wait_reg == {TURN_W{1'b0}} && s_full && (first || s_room);

    assign m_kind   = !go ? IDLE : raw_reg ? RAW : first ? FIRST : VALUE;
    assign m_valued = go && !first;
    assign m_last   = left_reg == ONE;

    always @(posedge clk) begin
        if (wait_reg != {TURN_W{1'b0}}) begin
            wait_reg <= wait_reg - 1'b1;
        end else if (!go && !raw_reg && first_reg != STREAMS[TURN_W-1:0]) begin
            wait_reg <= ROUND[TURN_W-1:0];
        end
        if (go && first) begin
            first_reg <= first_reg - 1'b1;
        end
        if (m_valued) begin
            left_reg <= left_reg - 1'b1;
        end
        if (s_begin) begin
            left_reg  <= s_count;
            first_reg <= s_raw ? {TURN_W{1'b0}} : STREAMS[TURN_W-1:0];
            raw_reg   <= s_raw;
            wait_reg  <= {TURN_W{1'b0}};
        end

        if (rst) begin
            left_reg <= {VALUES_W{1'b0}};
        end
    end

endmodule

`resetall
