// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * What is wrong with a decoded block: the CRC of its values beside what the engine and the words told.
 *
 * The block's values come on s_value_*, s_value_illegal with one whose offset points beyond its group,
 * s_value_last with the block's last. s_over comes once a block, before, with or after its last value and
 * before the next block's first, with s_cause, what else is known of it: bit 0 HEADER, bit 1 TRUNCATED,
 * bit 2 SHORT, bit 3 LEFT; and with s_crc, the CRC-32 that its values should have. When both have come,
 * m_valid is high for a cycle, with m_cause: s_cause, bit 4 OFFSET, bit 5 CRC. A block with HEADER has no
 * other cause. The next block's first value comes after m_valid, or in the same cycle.
 * Example (VALUE_W 8): one value 0, s_crc 0xD202EF8D, s_cause 0 -> m_cause 0.
 */
module apack_block_check #(
    // bits of a value
    parameter VALUE_W = 8
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               s_value_valid,
    input  wire [VALUE_W-1:0] s_value,
    input  wire               s_value_illegal,
    input  wire               s_value_last,

    input  wire               s_over,
    input  wire [3:0]         s_cause,
    input  wire [31:0]        s_crc,

    output wire               m_valid,
    output wire [5:0]         m_cause
);

    reg [31:0] crc_reg;
    reg        beyond_reg;      // an offset points beyond its group
    reg        done_reg;        // all values have come
    reg        over_reg;
    reg [3:0]  cause_reg;
    reg [31:0] wanted_reg;

    wire [31:0] start = crc_reg | {32{m_valid}};
    wire [31:0] next;

    cell_crc32 #(
        .DATA_W (VALUE_W)
    ) crc_inst (
        .crc  (start),
        .data (s_value),
        .next (next)
    );

    assign m_valid = done_reg && over_reg;
    assign m_cause = {crc_reg != ~wanted_reg && !cause_reg[0], beyond_reg && !cause_reg[0],
                      cause_reg[3:1] & {3{!cause_reg[0]}}, cause_reg[0]};

    always @(posedge clk) begin
        crc_reg    <= s_value_valid ? next : start;
        beyond_reg <= (beyond_reg && !m_valid) || (s_value_valid && s_value_illegal);

        if (m_valid) begin
            done_reg <= 1'b0;
            over_reg <= 1'b0;
        end
        if (s_value_valid && s_value_last) begin
            done_reg <= 1'b1;
        end
        if (s_over) begin
            over_reg   <= 1'b1;
            cause_reg  <= s_cause;
            wanted_reg <= s_crc;
        end

        if (rst) begin
            crc_reg    <= {32{1'b1}};
            beyond_reg <= 1'b0;
            done_reg   <= 1'b0;
            over_reg   <= 1'b0;
        end
    end

endmodule

`resetall
