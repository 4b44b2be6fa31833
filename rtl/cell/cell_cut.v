// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * A place where a pipeline may be cut: a register if CUT is 1, a wire if it is 0.
 *
 * The register takes d in cycles with enable high. It has no reset: flags that need one have their own.
 * Example (CUT 1): d 5 with enable high -> q 5 from the next cycle on, until another d comes with enable.
 */
module cell_cut #(
    // a register if 1, a wire if 0
    parameter CUT    = 1,
    // bits of data
    parameter DATA_W = 1
) (
    input  wire              clk,
    input  wire              enable,
    input  wire [DATA_W-1:0] d,
    output wire [DATA_W-1:0] q
);

    generate
        if (CUT != 0 && CUT != 1) begin : g_check_cut
            cell_cut_needs_CUT_of_0_or_1 illegal_parameter ();
        end
    endgenerate

    generate
        if (CUT != 0) begin : g_register
            reg [DATA_W-1:0] q_reg;

            always @(posedge clk) begin
                if (enable) begin
                    q_reg <= d;
                end
            end

            assign q = q_reg;
        end else begin : g_wire
            assign q = d;

            wire unused = &{1'b0, clk, enable};
        end
    endgenerate

endmodule

`resetall
