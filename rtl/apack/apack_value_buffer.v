// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Values become beats of LANES values, and wait in a RAM for their turn; a block begins a beat of its own.
 *
 * A value that comes later on s_valid is announced first, by s_open, with s_open_last if it is its block's
 * last; s_open may be high while m_room is. Values come in the order in which they were announced, s_last
 * with a block's last. A beat shows on m_data, value 0 lowest, once its last value has come; lanes behind a
 * block's end mean nothing. Room is counted in beats: DEPTH of them, each from the announcement of its first
 * value to its leaving the RAM, which it does by itself when one of the two places behind it is free.
 * Example (LANES 2): values 1, 2, 3 with s_last, 4 -> beats {2, 1}, then {?, 3}; {?, 4} waits for a value.
 */
module apack_value_buffer #(
    // bits of a value
    parameter VALUE_W = 8,
    // values of a beat, a power of two
    parameter LANES   = 8,
    // words of the RAM, a beat in each, at least 2
    parameter DEPTH   = 4
) (
    input  wire                     clk,
    input  wire                     rst,

    output wire                     m_room,
    input  wire                     s_open,
    input  wire                     s_open_last,

    input  wire                     s_valid,
    input  wire [VALUE_W-1:0]       s_value,
    input  wire                     s_last,

    output wire                     m_valid,
    output wire [LANES*VALUE_W-1:0] m_data,
    input  wire                     m_ready
);

    localparam LANE_W    = (LANES > 1) ? $clog2(LANES) : 1;
    localparam ADDRESS_W = $clog2(DEPTH);
    localparam LEVEL_W   = $clog2(DEPTH + 1);

    localparam LAST_LANE = LANES - 1;
    localparam LAST_BEAT = DEPTH - 1;

    generate
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_value_buffer_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (DEPTH < 2) begin : g_check_depth
            apack_value_buffer_needs_DEPTH_of_at_least_2 illegal_parameter ();
        end
    endgenerate

    // ---- room ----------------------------------------------------------------------------------------

    reg [LANE_W-1:0]  open_lane_reg;    // of the next value that is announced
    reg [LEVEL_W-1:0] free_reg;         // beats that nothing is announced for

    wire read;
    wire open_beat = s_open && open_lane_reg == {LANE_W{1'b0}};
    wire open_ends = s_open_last || open_lane_reg == LAST_LANE[LANE_W-1:0];

    assign m_room = open_lane_reg != {LANE_W{1'b0}} || free_reg != {LEVEL_W{1'b0}};

    always @(posedge clk) begin
        if (s_open) begin
            open_lane_reg <= open_ends ? {LANE_W{1'b0}} : open_lane_reg + 1'b1;
        end
        free_reg <= free_reg + {{LEVEL_W-1{1'b0}}, read} - {{LEVEL_W-1{1'b0}}, open_beat};

        if (rst) begin
            open_lane_reg <= {LANE_W{1'b0}};
            free_reg      <= DEPTH[LEVEL_W-1:0];
        end
    end

    // ---- beats -----------------------------------------------------------------------------------------

    reg [LANE_W-1:0]    lane_reg;
    reg [ADDRESS_W-1:0] write_reg;
    reg [ADDRESS_W-1:0] read_reg;
    reg [LEVEL_W-1:0]   level_reg;      // whole beats
    reg                 asked_reg;      // one of them comes out of the RAM in this cycle

    wire                     room;
    wire                     whole = s_valid && (s_last || lane_reg == LAST_LANE[LANE_W-1:0]);
    wire [LANES-1:0]         enable = {{LANES-1{1'b0}}, s_valid} << lane_reg;
    wire [LANES*VALUE_W-1:0] read_data;

    assign read = level_reg != {LEVEL_W{1'b0}} && room;

    always @(posedge clk) begin
        if (s_valid) begin
            lane_reg <= whole ? {LANE_W{1'b0}} : lane_reg + 1'b1;
        end
        if (whole) begin
            write_reg <= (write_reg == LAST_BEAT[ADDRESS_W-1:0]) ? {ADDRESS_W{1'b0}} : write_reg + 1'b1;
        end
        if (read) begin
            read_reg <= (read_reg == LAST_BEAT[ADDRESS_W-1:0]) ? {ADDRESS_W{1'b0}} : read_reg + 1'b1;
        end
        level_reg <= level_reg + {{LEVEL_W-1{1'b0}}, whole} - {{LEVEL_W-1{1'b0}}, read};
        asked_reg <= read;

        if (rst) begin
            lane_reg  <= {LANE_W{1'b0}};
            write_reg <= {ADDRESS_W{1'b0}};
            read_reg  <= {ADDRESS_W{1'b0}};
            level_reg <= {LEVEL_W{1'b0}};
            asked_reg <= 1'b0;
        end
    end

    cell_ram #(
        .DEPTH  (DEPTH),
        .PARTS  (LANES),
        .PART_W (VALUE_W)
    ) ram_inst (
        .clk           (clk),
        .write_enable  (enable),
        .write_address (write_reg),
        .write_data    ({LANES{s_value}}),
        .read_enable   (read),
        .read_address  (read_reg),
        .read_data     (read_data)
    );

    cell_read_buffer #(
        .DATA_W (LANES * VALUE_W)
    ) buffer_inst (
        .clk     (clk),
        .rst     (rst),
        .room    (room),
        .s_valid (asked_reg),
        .s_data  (read_data),
        .m_valid (m_valid),
        .m_data  (m_data),
        .m_ready (m_ready)
    );

endmodule

`resetall
