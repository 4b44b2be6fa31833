`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Memory with one write port and one read port, written in lanes.
 *
 * A word has LANES lanes; lane i is bits i*LANE_W and up. A cycle with write_enable[i] high writes lane i.
 * read_data holds the word of the latest cycle with read_enable high, from the next cycle on. A word that
 * is written in the cycle of its reading may read old, new or mixed: do not.
 */
module cell_ram #(
    // words
    parameter DEPTH     = 1024,
    // lanes of a word
    parameter LANES     = 4,
    // bits of a lane
    parameter LANE_W    = 16,
    // bits of an address; leave at its default
    parameter ADDRESS_W = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire                    clk,

    input  wire [LANES-1:0]        write_enable,
    input  wire [ADDRESS_W-1:0]    write_address,
    input  wire [LANES*LANE_W-1:0] write_data,

    input  wire                    read_enable,
    input  wire [ADDRESS_W-1:0]    read_address,
    output wire [LANES*LANE_W-1:0] read_data
);

    reg [LANES*LANE_W-1:0] word_mem [0:DEPTH-1];
    reg [LANES*LANE_W-1:0] read_data_reg;

    assign read_data = read_data_reg;

    always @(posedge clk) begin : b_access
        integer i;

        for (i = 0; i < LANES; i = i + 1) begin
            if (write_enable[i]) begin
                word_mem[write_address][i*LANE_W +: LANE_W] <= write_data[i*LANE_W +: LANE_W];
            end
        end
        if (read_enable) begin
            read_data_reg <= word_mem[read_address];
        end
    end

endmodule

`resetall
