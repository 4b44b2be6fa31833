// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Memory with one write port and one read port, written in parts.
 *
 * A word has PARTS parts; part i is bits i*PART_W and up. A cycle with write_enable[i] high writes part i.
 * read_data holds the word of the latest cycle with read_enable high, from the next cycle on. A word that
 * is written in the cycle of its reading may read old, new or mixed: do not.
 * Example (PARTS 2, PART_W 4): 0xAB with write_enable 01 into a word 0xCD -> 0xCB.
 */
module cell_ram #(
    // words of the RAM
    parameter DEPTH     = 1024,
    // parts of a word
    parameter PARTS     = 4,
    // bits of a part
    parameter PART_W    = 16,
    // bits of an address; leave at its default
    parameter ADDRESS_W = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire                    clk,

    input  wire [PARTS-1:0]        write_enable,
    input  wire [ADDRESS_W-1:0]    write_address,
    input  wire [PARTS*PART_W-1:0] write_data,

    input  wire                    read_enable,
    input  wire [ADDRESS_W-1:0]    read_address,
    output wire [PARTS*PART_W-1:0] read_data
);

    reg [PARTS*PART_W-1:0] word_mem [0:DEPTH-1];
    reg [PARTS*PART_W-1:0] read_data_reg;

    assign read_data = read_data_reg;

    always @(posedge clk) begin : b_access
        integer i;

        for (i = 0; i < PARTS; i = i + 1) begin
            if (write_enable[i]) begin
                word_mem[write_address][i*PART_W +: PART_W] <= write_data[i*PART_W +: PART_W];
            end
        end
        if (read_enable) begin
            read_data_reg <= word_mem[read_address];
        end
    end

endmodule

`resetall
