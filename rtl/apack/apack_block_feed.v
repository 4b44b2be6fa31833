// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Holds the values of one block for each stream of an encoder engine, and feeds the engine's slots.
 *
 * Blocks come in beats of LANES values, lane 0 lowest, for the streams in turn: fill_ready says that stream
 * fill_stream has room for a whole block, of which the first beat, with fill_begin high, then makes it that
 * stream's. fill_count is the number of values in a beat, LANES in all but the beat with fill_last, where it may
 * be 0 if the block has values already. A block keeps its room until coded_valid or raw_valid names its
 * stream after its end: its code is stored, or it has been read.
 *
 * The engine's slot of stream s_stream takes m_valid, m_value and m_end in a cycle of enable, and the next
 * slot is that of the stream after, of stream 0 after a reset. A slot has a value, the end of the block after
 * its last value, or nothing when, in the cycle of enable before, the next value was not there yet. A block may
 * begin before all of it has come.
 *
 * look_count is the number of values of stream look_stream's block, look_crc the CRC-32 of those; both hold
 * from the block's end until the stream's next block begins. read_enable, in a cycle of enable only, turns
 * the next slot into an idle one, and read_data shows beat read_beat of stream read_stream's block in the next
 * cycle, and in no other; lane 0 is its lowest.
 */
module apack_block_feed #(
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a value, 2..16
    parameter VALUE_W      = 8,
    // values of a beat, a power of two
    parameter LANES        = 8,
    // most values of a block, a power of two and a multiple of LANES
    parameter BLOCK_VALUES = 4096,
    // bits of a stream's number; leave at its default
    parameter STREAM_W     = (STREAMS > 1) ? $clog2(STREAMS) : 1,
    // bits of a number of values, 0..LANES; leave at its default
    parameter LANES_W      = $clog2(LANES + 1),
    // bits of a number of values, 0..BLOCK_VALUES; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1),
    // bits of a beat's number; leave at its default
    parameter BEAT_W       = (BLOCK_VALUES > LANES) ? $clog2(BLOCK_VALUES / LANES) : 1
) (
    input  wire                     clk,
    input  wire                     rst,

    output wire                     fill_ready,
    output wire [STREAM_W-1:0]      fill_stream,
    output wire                     fill_begin,
    input  wire                     fill_valid,
    input  wire [LANES*VALUE_W-1:0] fill_data,
    input  wire [LANES_W-1:0]       fill_count,
    input  wire                     fill_last,

    input  wire                     enable,
    input  wire [STREAM_W-1:0]      s_stream,
    output wire                     m_valid,
    output wire [VALUE_W-1:0]       m_value,
    output wire                     m_end,

    input  wire [STREAM_W-1:0]      look_stream,
    output wire [VALUES_W-1:0]      look_count,
    output wire [31:0]              look_crc,
    input  wire                     coded_valid,
    input  wire [STREAM_W-1:0]      coded_stream,
    input  wire                     raw_valid,
    input  wire [STREAM_W-1:0]      raw_stream,

    input  wire                     read_enable,
    input  wire [STREAM_W-1:0]      read_stream,
    input  wire [BEAT_W-1:0]        read_beat,
    output wire [LANES*VALUE_W-1:0] read_data
);

    localparam BEATS  = BLOCK_VALUES / LANES;
    localparam LANE_W = $clog2(LANES);

    localparam [VALUES_W-1:0]  LANE_MASK = LANES[VALUES_W-1:0] - 1'b1;
    localparam [STREAM_W-1:0] LAST      = STREAMS[STREAM_W-1:0] - 1'b1;

    generate
        if (VALUE_W < 2 || VALUE_W > 16) begin : g_check_value_w
            apack_block_feed_needs_VALUE_W_of_2_to_16 illegal_parameter ();
        end
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_block_feed_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_block_feed_needs_BLOCK_VALUES_a_power_of_two_of_at_least_LANES illegal_parameter ();
        end
    endgenerate

    // Of each stream's block: it has begun, all of it is here, its end has been sent.
    reg [STREAMS-1:0]         held_reg;
    reg [STREAMS-1:0]         complete_reg;
    reg [STREAMS-1:0]         ended_reg;
    // values that are here, next value to send, CRC of the values sent
    reg [STREAMS*VALUES_W-1:0] filled_reg;
    reg [STREAMS*VALUES_W-1:0] sent_reg;
    reg [STREAMS*32-1:0]      crc_reg;

    // ---- fill --------------------------------------------------------------------------------------

    reg [STREAM_W-1:0] fill_stream_reg;
    reg                filling_reg;

    assign fill_stream = fill_stream_reg;
    assign fill_ready  = !held_reg[fill_stream_reg];
    assign fill_begin  = fill_valid && !filling_reg;

    wire [VALUES_W-1:0] filled      = filling_reg ? filled_reg[fill_stream_reg*VALUES_W +: VALUES_W]
                                   : {VALUES_W{1'b0}};
    wire [VALUES_W-1:0] next_filled = filled + {{VALUES_W-LANES_W{1'b0}}, fill_count};
    wire [VALUES_W-1:0] fill_beat   = filled >> LANE_W;

    // ---- which slot comes next ---------------------------------------------------------------------

    wire [STREAM_W-1:0] next_stream = (s_stream == LAST) ? {STREAM_W{1'b0}} : s_stream + 1'b1;
    wire [VALUES_W-1:0]  sent        = sent_reg[next_stream*VALUES_W +: VALUES_W];
    wire                behind      = sent != filled_reg[next_stream*VALUES_W +: VALUES_W];
    wire                due         = held_reg[next_stream] && !read_enable;
    wire                value_due   = due && behind;
    wire                end_due     = due && !behind && complete_reg[next_stream] && !ended_reg[next_stream];

    wire [VALUES_W-1:0]  sent_beat   = sent >> LANE_W;

    reg                 valid_reg;
    reg                 end_reg;
    reg                 first_reg;
    reg [VALUES_W-1:0]   lane_reg;

    always @(posedge clk) begin
        if (enable) begin
            valid_reg <= value_due || end_due;
            end_reg   <= end_due;
            first_reg <= sent == {VALUES_W{1'b0}};
            lane_reg  <= sent & LANE_MASK;
        end

        if (rst) begin
            valid_reg <= 1'b0;
        end
    end

    assign m_valid = valid_reg;
    assign m_end   = end_reg;
    assign m_value = read_data[lane_reg*VALUE_W +: VALUE_W];

    always @(posedge clk) begin
        if (fill_valid) begin
            filling_reg                                     <= !fill_last;
            filled_reg[fill_stream_reg*VALUES_W +: VALUES_W]  <= next_filled;
            complete_reg[fill_stream_reg]                   <= fill_last;
            held_reg[fill_stream_reg]                       <= 1'b1;
        end
        if (fill_valid && fill_last) begin
            fill_stream_reg <= (fill_stream_reg == LAST) ? {STREAM_W{1'b0}} : fill_stream_reg + 1'b1;
        end
        if (enable && value_due) begin
            sent_reg[next_stream*VALUES_W +: VALUES_W] <= sent + 1'b1;
        end
        if (enable && end_due) begin
            ended_reg[next_stream] <= 1'b1;
        end
        if (fill_begin) begin
            sent_reg[fill_stream_reg*VALUES_W +: VALUES_W] <= {VALUES_W{1'b0}};
            ended_reg[fill_stream_reg]                   <= 1'b0;
        end
        if (coded_valid) begin
            held_reg[coded_stream] <= 1'b0;
        end
        if (raw_valid) begin
            held_reg[raw_stream] <= 1'b0;
        end

        if (rst) begin
            filling_reg     <= 1'b0;
            fill_stream_reg <= {STREAM_W{1'b0}};
            held_reg        <= {STREAMS{1'b0}};
        end
    end

    // ---- values ------------------------------------------------------------------------------------

    cell_region_ram #(
        .REGIONS (STREAMS),
        .WORDS   (BEATS),
        .PARTS   (1),
        .PART_W  (LANES * VALUE_W)
    ) value_ram_inst (
        .clk          (clk),
        .write_enable (fill_valid && |fill_count),
        .write_region (fill_stream_reg),
        .write_word   (fill_beat[BEAT_W-1:0]),
        .write_data   (fill_data),
        .read_enable  (enable),
        .read_region  (read_enable ? read_stream : next_stream),
        .read_word    (read_enable ? read_beat : sent_beat[BEAT_W-1:0]),
        .read_data    (read_data)
    );

    // ---- CRC ---------------------------------------------------------------------------------------

    wire [31:0] crc_before = first_reg ? 32'hFFFFFFFF : crc_reg[s_stream*32 +: 32];
    wire [31:0] crc_after;

    cell_crc32 #(.DATA_W (VALUE_W)) crc_inst (
        .crc  (crc_before),
        .data (m_value),
        .next (crc_after)
    );

    always @(posedge clk) begin
        if (enable && valid_reg && !end_reg) begin
            crc_reg[s_stream*32 +: 32] <= crc_after;
        end
    end

    assign look_count = filled_reg[look_stream*VALUES_W +: VALUES_W];
    assign look_crc   = ~crc_reg[look_stream*32 +: 32];

endmodule

`resetall
