// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_registers may expect: requests that stay until they are taken, as AXI has it, and a unit that
 * takes a command which is there while fewer than two tensors run, and that ends tensors and counts blocks only
 * while there is one and count_ready is high.
 */
module apack_registers_contract (
    input  wire clk,
    input  wire rst,
    input  wire s_axil_awvalid,
    input  wire s_axil_awready,
    input  wire s_axil_wvalid,
    input  wire s_axil_wready,
    input  wire s_axil_arvalid,
    input  wire s_axil_arready,
    input  wire command_valid,
    input  wire command_take,
    input  wire busy,
    input  wire pair,
    input  wire finish,
    input  wire count_ready,
    input  wire count_block,
    output wire kept
);

    reg [2:0] waits_reg;

    assign kept = (waits_reg & ~{s_axil_awvalid, s_axil_wvalid, s_axil_arvalid}) == 3'd0
        && !(command_take && (!command_valid || pair)) && !((finish || count_block) && !(busy && count_ready));

    always @(posedge clk) begin
        waits_reg <= {s_axil_awvalid && !s_axil_awready, s_axil_wvalid && !s_axil_wready,
                      s_axil_arvalid && !s_axil_arready};

        if (rst) begin
            waits_reg <= 3'd0;
        end
    end

endmodule

`resetall
