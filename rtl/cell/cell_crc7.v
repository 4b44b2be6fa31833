// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * CRC-7 of a number, first bit most significant: polynomial x^7 + x^3 + 1, from 0, not inverted.
 *
 * Example (DATA_W 8): 0x01 -> 0x09, 0x02 -> 0x12, 0x80 -> 0x41.
 */
module cell_crc7 #(
    // bits of data
    parameter DATA_W = 25
) (
    input  wire [DATA_W-1:0] data,
    output wire [6:0]        crc
);

    localparam [6:0] POLYNOMIAL = 7'h09;

    function [6:0] remainder;
        input [DATA_W-1:0] message;
        integer k;
        begin
            remainder = 7'd0;
            for (k = DATA_W - 1; k >= 0; k = k - 1) begin
                remainder = {remainder[5:0], 1'b0} ^ (POLYNOMIAL & {7{remainder[6] ^ message[k]}});
            end
        end
    endfunction

    assign crc = remainder(data);

endmodule

`resetall
