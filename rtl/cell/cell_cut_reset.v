// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * A place where a pipeline may be cut: a register that a reset clears if CUT is 1, a wire if it is 0.
 *
 * Example (CUT 1): d 5 -> q 5 in the next cycle; a reset -> q 0.
 */
module cell_cut_reset #(
    // a register if 1, a wire if 0
    parameter CUT    = 1,
    // bits of data
    parameter DATA_W = 1
) (
    input  wire              clk,
    input  wire              rst,
    input  wire [DATA_W-1:0] d,
    output wire [DATA_W-1:0] q
);

    generate
        if (CUT != 0 && CUT != 1) begin : g_check_cut
            cell_cut_reset_needs_CUT_of_0_or_1 illegal_parameter ();
        end
    endgenerate

    generate
        if (CUT != 0) begin : g_register
            reg [DATA_W-1:0] q_reg;

            always @(posedge clk) begin
                q_reg <= rst ? {DATA_W{1'b0}} : d;
            end

            assign q = q_reg;
        end else begin : g_wire
            assign q = d;

            wire unused = &{1'b0, clk, rst};
        end
    endgenerate

endmodule

`resetall
