`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Adds rows without carrying: LEFT_ROWS rows leave whose sum is that of the ROWS rows that came, modulo
 * 2^ROW_W.
 *
 * Combinational. Each level turns three rows into two with full adders side by side, as long as more than
 * LEFT_ROWS rows are there; 2 is the usual end, more leave work for another instance behind a register.
 * LEFT_ROWS may be any count that this passes through: 13 9 6 4 3 2 from 13 rows, for example.
 * Example (3 rows to 2): 3, 5, 6 -> 0, 14.
 */
module apack_carry_save #(
    // rows to add
    parameter ROWS      = 3,
    // rows that are left
    parameter LEFT_ROWS = 2,
    // bits of a row
    parameter ROW_W     = 8
) (
    input  wire [ROWS*ROW_W-1:0]      rows,
    output wire [LEFT_ROWS*ROW_W-1:0] left
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

    // rows of all levels above level n
    function integer start_of;
        input integer level;
        integer k;
        begin
            start_of = 0;
            for (k = 0; k < level; k = k + 1) begin
                start_of = start_of + rows_at(k);
            end
        end
    endfunction

    function integer levels_to;
        input integer rows_left;
        begin
            levels_to = 0;
            while (rows_at(levels_to) > rows_left) begin
                levels_to = levels_to + 1;
            end
        end
    endfunction

    localparam LEVELS = levels_to(LEFT_ROWS);

    generate
        if (rows_at(LEVELS) != LEFT_ROWS) begin : g_check
            apack_carry_save_cannot_end_at_LEFT_ROWS illegal_parameter ();
        end
    endgenerate

    // Every level reads the one above it: slices of one bus, and no loop.
    wire [start_of(LEVELS+1)*ROW_W-1:0] all;

    assign all[0 +: ROWS*ROW_W] = rows;

    genvar n;
    genvar i;
    generate
        for (n = 0; n < LEVELS; n = n + 1) begin : g_level
            for (i = 0; i < rows_at(n) / 3; i = i + 1) begin : g_add
                wire [ROW_W-1:0] a = all[(start_of(n)+3*i)*ROW_W   +: ROW_W];
                wire [ROW_W-1:0] b = all[(start_of(n)+3*i+1)*ROW_W +: ROW_W];
                wire [ROW_W-1:0] c = all[(start_of(n)+3*i+2)*ROW_W +: ROW_W];

                assign all[(start_of(n+1)+2*i)*ROW_W   +: ROW_W] = a ^ b ^ c;
                assign all[(start_of(n+1)+2*i+1)*ROW_W +: ROW_W] = ((a & b) | (a & c) | (b & c)) << 1;
            end
            for (i = 0; i < rows_at(n) % 3; i = i + 1) begin : g_keep
                assign all[(start_of(n+1)+2*(rows_at(n)/3)+i)*ROW_W +: ROW_W]
                     = all[(start_of(n)+3*(rows_at(n)/3)+i)*ROW_W +: ROW_W];
            end
        end
    endgenerate

    assign left = all[start_of(LEVELS)*ROW_W +: LEFT_ROWS*ROW_W];

endmodule

`resetall
