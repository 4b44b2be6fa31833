// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What apack_piece_lane may expect: grants of what it wants, and no piece taken that it does not show.
 */
module apack_piece_lane_contract (
    input  wire m_want,
    input  wire m_valid,
    input  wire s_grant,
    input  wire s_take,
    output wire kept
);

    assign kept = !(s_grant && !m_want) && !(s_take && !m_valid);

endmodule

`resetall
