// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * A memory of regions of WORDS words each, otherwise cell_ram: one write port in parts, one read port whose
 * word shows from the next cycle on.
 * Example (WORDS 3): word 2 of region 1 is word 5 of the memory.
 */
module cell_region_ram #(
    // regions
    parameter REGIONS        = 5,
    // words of a region
    parameter WORDS          = 512,
    // parts of a word
    parameter PARTS          = 4,
    // bits of a part
    parameter PART_W         = 16,
    // bits of a region's number; leave at its default
    parameter REGION_W       = (REGIONS > 1) ? $clog2(REGIONS) : 1,
    // bits of a word's number in its region; leave at its default
    parameter WORD_ADDRESS_W = (WORDS > 1) ? $clog2(WORDS) : 1
) (
    input  wire                      clk,

    input  wire [PARTS-1:0]          write_enable,
    input  wire [REGION_W-1:0]       write_region,
    input  wire [WORD_ADDRESS_W-1:0] write_word,
    input  wire [PARTS*PART_W-1:0]   write_data,

    input  wire                      read_enable,
    input  wire [REGION_W-1:0]       read_region,
    input  wire [WORD_ADDRESS_W-1:0] read_word,
    output wire [PARTS*PART_W-1:0]   read_data
);

    localparam DEPTH     = REGIONS * WORDS;
    localparam ADDRESS_W = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    localparam SUM_W     = REGION_W + WORD_ADDRESS_W + 1;

    localparam [SUM_W-1:0] STEP = WORDS[SUM_W-1:0];

    wire [SUM_W-1:0] write_sum = {{WORD_ADDRESS_W+1{1'b0}}, write_region} * STEP + {{REGION_W+1{1'b0}}, write_word};
    wire [SUM_W-1:0] read_sum  = {{WORD_ADDRESS_W+1{1'b0}}, read_region} * STEP + {{REGION_W+1{1'b0}}, read_word};

    cell_ram #(
        .DEPTH  (DEPTH),
        .PARTS  (PARTS),
        .PART_W (PART_W)
    ) ram_inst (
        .clk           (clk),
        .write_enable  (write_enable),
        .write_address (write_sum[ADDRESS_W-1:0]),
        .write_data    (write_data),
        .read_enable   (read_enable),
        .read_address  (read_sum[ADDRESS_W-1:0]),
        .read_data     (read_data)
    );

endmodule

`resetall
