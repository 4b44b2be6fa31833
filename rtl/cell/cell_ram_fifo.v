// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * FIFO of DEPTH beats in a RAM, with two more behind it: a beat that enters shows three cycles later.
 *
 * s_ready is high while there is room in the RAM; it does not follow m_ready within a cycle. m_valid is high
 * while a beat shows on m_data. A beat passes every cycle, also through a full RAM that is being read. Beats
 * leave the RAM by themselves as long as one of the two places behind it is free. A reset empties the FIFO.
 * Example (DEPTH 3): beats 1 to 5 enter while m_ready is low, 1 shows, s_ready falls; m_ready -> 2.
 */
module cell_ram_fifo #(
    // bits of data, a beat
    parameter DATA_W = 8,
    // words of the RAM, a beat in each, at least 2
    parameter DEPTH  = 16
) (
    input  wire              clk,
    input  wire              rst,

    input  wire [DATA_W-1:0] s_data,
    input  wire              s_valid,
    output wire              s_ready,

    output wire [DATA_W-1:0] m_data,
    output wire              m_valid,
    input  wire              m_ready
);

    localparam ADDRESS_W = $clog2(DEPTH);
    localparam LEVEL_W   = $clog2(DEPTH + 1);
    localparam LAST      = DEPTH - 1;

    generate
        if (DEPTH < 2) begin : g_check_depth
            cell_ram_fifo_needs_DEPTH_of_at_least_2 illegal_parameter ();
        end
    endgenerate

    reg  [ADDRESS_W-1:0] write_reg;
    reg  [ADDRESS_W-1:0] read_reg;
    reg  [LEVEL_W-1:0]   level_reg;     // beats in the RAM
    reg                  asked_reg;     // one of them comes out of it in this cycle

    wire                 room;
    wire                 write = s_valid && s_ready;
    wire                 read  = level_reg != {LEVEL_W{1'b0}} && room;
    wire [DATA_W-1:0]    read_data;

    assign s_ready = level_reg != DEPTH[LEVEL_W-1:0];

    always @(posedge clk) begin
        if (write) begin
            write_reg <= (write_reg == LAST[ADDRESS_W-1:0]) ? {ADDRESS_W{1'b0}} : write_reg + 1'b1;
        end
        if (read) begin
            read_reg <= (read_reg == LAST[ADDRESS_W-1:0]) ? {ADDRESS_W{1'b0}} : read_reg + 1'b1;
        end
        level_reg <= level_reg + {{LEVEL_W-1{1'b0}}, write} - {{LEVEL_W-1{1'b0}}, read};
        asked_reg <= read;

        if (rst) begin
            write_reg <= {ADDRESS_W{1'b0}};
            read_reg  <= {ADDRESS_W{1'b0}};
            level_reg <= {LEVEL_W{1'b0}};
            asked_reg <= 1'b0;
        end
    end

    cell_ram #(
        .DEPTH  (DEPTH),
        .PARTS  (1),
        .PART_W (DATA_W)
    ) ram_inst (
        .clk           (clk),
        .write_enable  (write),
        .write_address (write_reg),
        .write_data    (s_data),
        .read_enable   (read),
        .read_address  (read_reg),
        .read_data     (read_data)
    );

    cell_read_buffer #(
        .DATA_W (DATA_W)
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
