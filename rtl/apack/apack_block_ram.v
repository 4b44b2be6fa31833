`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * A memory of regions of WORDS words each, otherwise apack_ram: one write port in lanes, one read port whose
 * word shows from the next cycle on.
 */
module apack_block_ram #(
    // regions
    parameter REGIONS   = 5,
    // words of a region
    parameter WORDS     = 512,
    // lanes of a word
    parameter LANES     = 4,
    // bits of a lane
    parameter LANE_W    = 16,
    // bits of a region's number; leave at its default
    parameter REGION_W  = (REGIONS > 1) ? $clog2(REGIONS) : 1,
    // bits of a word's number in its region; leave at its default
    parameter WORD_W    = (WORDS > 1) ? $clog2(WORDS) : 1
) (
    input  wire                    clk,

    input  wire [LANES-1:0]        write_enable,
    input  wire [REGION_W-1:0]     write_region,
    input  wire [WORD_W-1:0]       write_word,
    input  wire [LANES*LANE_W-1:0] write_data,

    input  wire                    read_enable,
    input  wire [REGION_W-1:0]     read_region,
    input  wire [WORD_W-1:0]       read_word,
    output wire [LANES*LANE_W-1:0] read_data
);

    localparam DEPTH     = REGIONS * WORDS;
    localparam ADDRESS_W = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    localparam SUM_W     = REGION_W + WORD_W + 1;

    localparam [SUM_W-1:0] STEP = WORDS[SUM_W-1:0];

    wire [SUM_W-1:0] write_sum = {{WORD_W+1{1'b0}}, write_region} * STEP + {{REGION_W+1{1'b0}}, write_word};
    wire [SUM_W-1:0] read_sum  = {{WORD_W+1{1'b0}}, read_region} * STEP + {{REGION_W+1{1'b0}}, read_word};

    apack_ram #(
        .DEPTH  (DEPTH),
        .LANES  (LANES),
        .LANE_W (LANE_W)
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
