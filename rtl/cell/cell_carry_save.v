// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Adds rows without carrying: LEFT_ROWS rows leave whose sum is that of the ROWS rows that came, modulo
 * 2^DATA_W.
 *
 * Combinational. Each level turns three rows into two with full adders side by side, as long as more than
 * LEFT_ROWS rows are there; 2 is the usual end, more leave work for another instance behind a register.
 * LEFT_ROWS may be any count that this passes through: 13 9 6 4 3 2 from 13 rows, for example.
 * Example (3 rows to 2): 3, 5, 6 -> 0, 14.
 */
module cell_carry_save #(
    // rows that enter
    parameter ROWS      = 3,
    // rows that are left
    parameter LEFT_ROWS = 2,
    // bits of data, a row
    parameter DATA_W    = 8
) (
    input  wire [ROWS*DATA_W-1:0]      rows,
    output wire [LEFT_ROWS*DATA_W-1:0] left
);

    // rows above level n
    function integer rows_at;
        input integer level;
        integer k;
        begin
            rows_at = ROWS;
            for (k = 0; k < level; k = k + 1) begin
                rows_at = rows_at - rows_at / 3;
            end
        end
    endfunction

    function integer levels_to;
        input integer rows_left;
        begin
            levels_to = 0;
            while (rows_at(levels_to) > rows_left && rows_at(levels_to) > 2) begin
                levels_to = levels_to + 1;
            end
        end
    endfunction

    localparam LEVELS = levels_to(LEFT_ROWS);

    generate
        if (rows_at(LEVELS) != LEFT_ROWS) begin : g_check
            cell_carry_save_cannot_end_at_LEFT_ROWS illegal_parameter ();
        end
    endgenerate

    // A statement for each level, not a net for each row: event-driven simulators take ten times as long
    // for slices of a bus of nets.
    genvar n;
    generate
        for (n = 0; n < LEVELS; n = n + 1) begin : g_level
            localparam COUNT = rows_at(n);
            localparam NEXT  = rows_at(n + 1);

            wire [COUNT*DATA_W-1:0] from;
            reg  [NEXT*DATA_W-1:0]  to;
            reg  [DATA_W-1:0]       a;
            reg  [DATA_W-1:0]       b;
            reg  [DATA_W-1:0]       c;

            if (n == 0) begin : g_first
                assign from = rows;
            end else begin : g_next
                assign from = g_level[n-1].to;
            end

            always @(*) begin : b_add
                integer i;

                a = {DATA_W{1'b0}};
                b = {DATA_W{1'b0}};
                c = {DATA_W{1'b0}};
                for (i = 0; i < COUNT / 3; i = i + 1) begin
                    a = from[3*i*DATA_W     +: DATA_W];
                    b = from[(3*i+1)*DATA_W +: DATA_W];
                    c = from[(3*i+2)*DATA_W +: DATA_W];
                    to[2*i*DATA_W     +: DATA_W] = a ^ b ^ c;
                    to[(2*i+1)*DATA_W +: DATA_W] = ((a & b) | (a & c) | (b & c)) << 1;
                end
                for (i = 0; i < COUNT % 3; i = i + 1) begin
                    to[(2*(COUNT/3)+i)*DATA_W +: DATA_W] = from[(3*(COUNT/3)+i)*DATA_W +: DATA_W];
                end
            end
        end

        if (LEVELS == 0) begin : g_none
            assign left = rows;
        end else begin : g_left
            assign left = g_level[LEVELS-1].to;
        end
    endgenerate

endmodule

`resetall
