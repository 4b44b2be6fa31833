// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_slot_sequence may expect: blocks of at least one value.
 */
module apack_slot_sequence_contract #(
    parameter BLOCK_W = 13
) (
    input  wire               s_valid,
    input  wire [BLOCK_W-1:0] s_count,
    output wire               kept
);

    assign kept = !(s_valid && s_count == {BLOCK_W{1'b0}});

endmodule

`resetall
