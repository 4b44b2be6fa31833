// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * The blocks that wait for an engine, in order, each with the stream and the region that are its own.
 *
 * Block k belongs to stream k mod STREAMS and to region k mod (STREAMS + 1). No more than STREAMS + 1 blocks
 * may wait. m_take removes the block shown, if m_valid; the next shows two cycles later.
 */
module apack_block_queue #(
    // streams that take turns
    parameter STREAMS  = 4,
    // bits of data, what is known of a block
    parameter DATA_W   = 8,
    // bits of a region's number; leave at its default
    parameter REGION_W = $clog2(STREAMS + 1),
    // bits of a stream's number; leave at its default
    parameter STREAM_W = (STREAMS > 1) ? $clog2(STREAMS) : 1
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                s_valid,
    input  wire [DATA_W-1:0]   s_data,
    output wire [REGION_W-1:0] s_region,

    output wire                m_valid,
    output wire [DATA_W-1:0]   m_data,
    output wire [REGION_W-1:0] m_region,
    output wire [STREAM_W-1:0] m_stream,
    input  wire                m_take
);

    localparam [REGION_W-1:0] LAST_REGION = STREAMS[REGION_W-1:0];
    localparam [STREAM_W-1:0] LAST_STREAM = STREAMS[STREAM_W-1:0] - 1'b1;

    reg [DATA_W-1:0]   data_mem [0:STREAMS];
    reg [REGION_W-1:0] in_reg;
    reg [REGION_W-1:0] out_reg;
    reg [REGION_W:0]   waiting_reg;     // in the memory

    reg                m_valid_reg;
    reg [DATA_W-1:0]   m_data_reg;
    reg [REGION_W-1:0] m_region_reg;
    reg [STREAM_W-1:0] m_stream_reg;

    assign s_region = in_reg;
    assign m_valid  = m_valid_reg;
    assign m_data   = m_data_reg;
    assign m_region = m_region_reg;
    assign m_stream = m_stream_reg;

    wire show = !m_valid_reg && waiting_reg != {REGION_W+1{1'b0}};

    always @(posedge clk) begin
        waiting_reg <= waiting_reg + {{REGION_W{1'b0}}, s_valid} - {{REGION_W{1'b0}}, show};

        if (s_valid) begin
            in_reg <= (in_reg == LAST_REGION) ? {REGION_W{1'b0}} : in_reg + 1'b1;
        end
        if (show) begin
            out_reg     <= (out_reg == LAST_REGION) ? {REGION_W{1'b0}} : out_reg + 1'b1;
            m_valid_reg <= 1'b1;
        end
        if (m_take) begin
            m_valid_reg  <= 1'b0;
            m_stream_reg <= (m_stream_reg == LAST_STREAM) ? {STREAM_W{1'b0}} : m_stream_reg + 1'b1;
        end

        if (rst) begin
            waiting_reg  <= {REGION_W+1{1'b0}};
            in_reg       <= {REGION_W{1'b0}};
            out_reg      <= {REGION_W{1'b0}};
            m_valid_reg  <= 1'b0;
            m_stream_reg <= {STREAM_W{1'b0}};
        end
    end

    always @(posedge clk) begin
        if (s_valid) begin
            data_mem[in_reg] <= s_data;
        end
        if (show) begin
            m_data_reg   <= data_mem[out_reg];
            m_region_reg <= out_reg;
        end
    end

endmodule

`resetall
