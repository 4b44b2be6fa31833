// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Values of a file through two of toy_invert, without a Python call a clock edge.
 *
 * Not synthesizable. values.txt in the working directory has the values in hexadecimal; stored.txt
 * and back.txt get what leaves the first and the second unit. With OUTER_CLOCK the clock comes from
 * outside.
 */
module toy_loop #(
    // bits of a value
    parameter VALUE_W = 8
) (
`ifdef OUTER_CLOCK
    input wire clk
`endif
);

`ifndef OUTER_CLOCK
    reg clk = 1'b0;
    always #5 clk = !clk;
`endif

    reg                rst = 1'b1;
    reg  [VALUE_W-1:0] value;
    reg                valid = 1'b0;
    wire [VALUE_W-1:0] stored;
    wire               stored_valid;
    wire [VALUE_W-1:0] back;
    wire               back_valid;

    toy_invert #(.VALUE_W(VALUE_W)) compressor_inst (
        .clk     (clk),
        .rst     (rst),
        .s_value (value),
        .s_valid (valid),
        .m_value (stored),
        .m_valid (stored_valid)
    );

    toy_invert #(.VALUE_W(VALUE_W)) decompressor_inst (
        .clk     (clk),
        .rst     (rst),
        .s_value (stored),
        .s_valid (stored_valid),
        .m_value (back),
        .m_valid (back_valid)
    );

    integer values_file;
    integer stored_file;
    integer back_file;
    integer wave_cycles;
    integer left = 3;   // cycles after the last value
    integer cycles = 0;

    initial begin
        if ($value$plusargs("wave_cycles=%d", wave_cycles)) begin
            $dumpfile("waves.fst");
            $dumpvars(0, toy_loop);
        end
        values_file = $fopen("values.txt", "r");
        stored_file = $fopen("stored.txt", "w");
        back_file   = $fopen("back.txt", "w");
    end

    always @(negedge clk) begin
        cycles = cycles + 1;
        if (cycles > 2) begin
            rst   = 1'b0;
            valid = $fscanf(values_file, "%h", value) == 1;
            left  = valid ? left : left - 1;
            if (stored_valid) $fdisplay(stored_file, "%h", stored);
            if (back_valid) $fdisplay(back_file, "%h", back);
            if (left == 0) begin
                $display("bulk: cycles=%0d", cycles);
                $finish;
            end
        end
    end

endmodule

`resetall
