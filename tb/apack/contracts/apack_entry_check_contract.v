// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_entry_check may expect: blocks of 1 to BLOCK_VALUES values.
 */
module apack_entry_check_contract #(
    parameter BLOCK_VALUES = 4096,
    parameter BLOCK_W      = $clog2(BLOCK_VALUES + 1)
) (
    input  wire [BLOCK_W-1:0] s_block,
    output wire               kept
);

    localparam [BLOCK_W-1:0] MOST = BLOCK_VALUES[BLOCK_W-1:0];

    assign kept = s_block != {BLOCK_W{1'b0}} && s_block <= MOST;

endmodule

`resetall
