// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Symbol table of one tensor: loads, checks and holds it.
 *
 * A table arrives row by row, row 0 first, tlast with the last row. tdata is {cum, base}: base is the
 * lowest value of group i, cum the cumulative count at its end, cum[i+1]. (cum[0] is 0 and not sent.)
 * Rows are taken while load_enable is high. From the first row on table_valid is low; it rises in the
 * cycle after the last row when the table is legal:
 *   1 to SYMBOLS rows; base 0 in row 0, strictly increasing after; cum strictly increasing from 0,
 *   2^COUNT_W in the last row.
 * Otherwise table_valid stays low, table_illegal is set until status_clear, and table_illegal_row names
 * the first wrong row of the latest illegal table (SYMBOLS: one row too many; meaningful while
 * table_illegal is set). A later legal table is taken as ever.
 *
 * The row buses hold row 0 in the low bits. row_offset_w[i] = ceil(log2(values in group i)),
 * row_limit[i] = values in group i less one. They are meaningful while table_valid is high.
 * Example (VALUE_W 8): bases 0, 4, 5 -> limits 3, 0, 250, offset widths 2, 0, 8.
 */
module apack_table #(
    // bits of a value
    parameter VALUE_W = 8,
    // rows of the symbol table, at least 1
    parameter SYMBOLS = 16,
    // bits of a cumulative count
    parameter COUNT_W = 10,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W = $clog2(VALUE_W + 1),
    // bits of a row number, 0..SYMBOLS; leave at its default
    parameter ROW_W   = $clog2(SYMBOLS + 1)
) (
    input  wire                           clk,
    input  wire                           rst,

    input  wire                           load_enable,
    input  wire                           status_clear,

    input  wire [COUNT_W+VALUE_W:0]       s_axis_table_tdata,
    input  wire                           s_axis_table_tvalid,
    output wire                           s_axis_table_tready,
    input  wire                           s_axis_table_tlast,

    output wire                           table_valid,
    output wire                           table_illegal,
    output wire [ROW_W-1:0]               table_illegal_row,

    output wire [SYMBOLS-1:0]             row_valid,
    output wire [SYMBOLS*VALUE_W-1:0]     row_base,
    output wire [SYMBOLS*VALUE_W-1:0]     row_limit,
    output wire [SYMBOLS*WIDTH_W-1:0]     row_offset_w,
    output wire [SYMBOLS*(COUNT_W+1)-1:0] row_cum
);

    generate
        if (SYMBOLS < 1) begin : g_check_symbols
            apack_table_needs_SYMBOLS_of_at_least_1 illegal_parameter ();
        end
    endgenerate

    localparam [COUNT_W:0]   TOTAL    = {1'b1, {COUNT_W{1'b0}}};
    localparam [ROW_W-1:0]   ROWS     = SYMBOLS[ROW_W-1:0];
    localparam [VALUE_W-1:0] ONE      = 1;

    // number of bits needed to write limit, which is ceil(log2(limit + 1))
    function [WIDTH_W-1:0] bit_length;
        input [VALUE_W-1:0] limit;
        integer k;
        begin
            bit_length = {WIDTH_W{1'b0}};
            for (k = 0; k < VALUE_W; k = k + 1) begin
                if (limit[k]) begin
                    bit_length = k[WIDTH_W-1:0] + {{WIDTH_W-1{1'b0}}, 1'b1};
                end
            end
        end
    endfunction

    reg                           valid_reg;
    reg                           illegal_reg;
    reg [ROW_W-1:0]               illegal_row_reg;

    reg [ROW_W-1:0]               row_reg;        // number of the row that comes next
    reg                           wrong_reg;      // an earlier row of this table is wrong
    reg [VALUE_W-1:0]             last_base_reg;
    reg [COUNT_W:0]               last_cum_reg;

    reg [SYMBOLS-1:0]             row_valid_reg;
    reg [SYMBOLS*VALUE_W-1:0]     base_reg;
    reg [SYMBOLS*VALUE_W-1:0]     limit_reg;
    reg [SYMBOLS*WIDTH_W-1:0]     offset_w_reg;
    reg [SYMBOLS*(COUNT_W+1)-1:0] cum_reg;

    assign s_axis_table_tready = load_enable;

    wire               row_take = s_axis_table_tvalid && s_axis_table_tready;
    wire [VALUE_W-1:0] base     = s_axis_table_tdata[VALUE_W-1:0];
    wire [COUNT_W:0]   cum      = s_axis_table_tdata[VALUE_W +: COUNT_W+1];
    wire               first    = row_reg == {ROW_W{1'b0}};

    wire base_wrong  = first ? (base != {VALUE_W{1'b0}}) : (base <= last_base_reg);
    wire cum_wrong   = (cum <= last_cum_reg) || (s_axis_table_tlast ? (cum != TOTAL) : (cum >= TOTAL));
    wire row_wrong   = base_wrong || cum_wrong || (row_reg == ROWS);
    wire table_wrong = row_wrong || wrong_reg;

    // The row that comes closes the group before it; the last row also closes its own.
    wire [VALUE_W-1:0] before_limit = base - last_base_reg - ONE;
    wire [VALUE_W-1:0] own_limit    = ~base;

    always @(posedge clk) begin
        if (status_clear) begin
            illegal_reg <= 1'b0;
        end

        if (row_take) begin
            valid_reg     <= s_axis_table_tlast && !table_wrong;
            wrong_reg     <= s_axis_table_tlast ? 1'b0 : table_wrong;
            last_base_reg <= base;
            last_cum_reg  <= s_axis_table_tlast ? {COUNT_W+1{1'b0}} : cum;

            if (s_axis_table_tlast) begin
                row_reg <= {ROW_W{1'b0}};
            end else if (row_reg != ROWS) begin
                row_reg <= row_reg + {{ROW_W-1{1'b0}}, 1'b1};
            end

            if (row_wrong && !wrong_reg) begin
                illegal_reg     <= 1'b1;
                illegal_row_reg <= row_reg;
            end
        end

        if (rst) begin
            valid_reg       <= 1'b0;
            illegal_reg     <= 1'b0;
            illegal_row_reg <= {ROW_W{1'b0}};
            row_reg         <= {ROW_W{1'b0}};
            wrong_reg       <= 1'b0;
            last_cum_reg    <= {COUNT_W+1{1'b0}};
        end
    end

    always @(posedge clk) begin : b_rows
        integer i;

        if (row_take) begin
            for (i = 0; i < SYMBOLS; i = i + 1) begin
                if (row_reg == i[ROW_W-1:0]) begin
                    row_valid_reg[i]                          <= 1'b1;
                    base_reg[i*VALUE_W +: VALUE_W]            <= base;
                    limit_reg[i*VALUE_W +: VALUE_W]           <= own_limit;
                    offset_w_reg[i*WIDTH_W +: WIDTH_W]        <= bit_length(own_limit);
                    cum_reg[i*(COUNT_W+1) +: COUNT_W+1]       <= cum;
                end else if (first) begin
                    row_valid_reg[i]                          <= 1'b0;
                end
                if (row_reg == i[ROW_W-1:0] + {{ROW_W-1{1'b0}}, 1'b1}) begin
                    limit_reg[i*VALUE_W +: VALUE_W]           <= before_limit;
                    offset_w_reg[i*WIDTH_W +: WIDTH_W]        <= bit_length(before_limit);
                end
            end
        end
    end

    assign table_valid       = valid_reg;
    assign table_illegal     = illegal_reg;
    assign table_illegal_row = illegal_row_reg;

    assign row_valid    = row_valid_reg;
    assign row_base     = base_reg;
    assign row_limit    = limit_reg;
    assign row_offset_w = offset_w_reg;
    assign row_cum      = cum_reg;

endmodule

`resetall
