// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_slot_sequence may expect: blocks of at least one value.
 */
module apack_slot_sequence_contract #(
    parameter VALUES_W = 13
) (
    input  wire                s_begin,
    input  wire [VALUES_W-1:0] s_count,
    output wire                kept
);

    assign kept = !(s_begin && s_count == {VALUES_W{1'b0}});

endmodule

`resetall
