// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * One step of the CRC-32 of a sequence of values: zlib's, polynomial 0x04C11DB7, reflected.
 *
 * A value of up to 8 bits counts as one byte, a longer one as two, low byte first; missing bits are 0.
 * A CRC starts from all ones, and is inverted at the end.
 * Example (DATA_W 8): from 0xFFFFFFFF, value 0x00 -> 0x2DFD1072, the inverse of zlib.crc32(b"\0").
 */
module cell_crc32 #(
    // bits of data, a value, 1..16
    parameter DATA_W = 8
) (
    input  wire [31:0]       crc,
    input  wire [DATA_W-1:0] data,
    output wire [31:0]       next
);

    generate
        if (DATA_W < 1 || DATA_W > 16) begin : g_check_data_w
            cell_crc32_needs_DATA_W_of_1_to_16 illegal_parameter ();
        end
    endgenerate

    localparam BITS = (DATA_W > 8) ? 16 : 8;

    // x^32 + x^26 + ... + 1, lowest power at the top
    localparam [31:0] POLYNOMIAL = 32'hEDB88320;

    function [31:0] step;
        input [31:0]       start;
        input [DATA_W-1:0] message;
        integer k;
        begin
            step = start;
            for (k = 0; k < DATA_W; k = k + 1) begin
                step[k] = start[k] ^ message[k];
            end
            for (k = 0; k < BITS; k = k + 1) begin
                step = (step >> 1) ^ (POLYNOMIAL & {32{step[0]}});
            end
        end
    endfunction

    assign next = step(crc, data);

endmodule

`resetall
