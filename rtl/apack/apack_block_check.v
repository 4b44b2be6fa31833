// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Checks each block that leaves a decoder engine against what is known of it: code bits, offset bits, CRC.
 *
 * s_block_* note what a block in region s_block_region must come to, before its first slot and after the
 * verdicts of the region's block before. The streams take turns on two sides, as in the engine: on the code side
 * a slot tells how many code bits it used up, 0 if it is idle, on the value side it may bring a value (s_valid),
 * how many offset bits that took, and whether its offset lies beyond its group. s_*_clear ends the block of the
 * stream at turn, what else is on its side then means nothing; s_*_region is the region of that stream.
 *
 * A block's verdicts leave two cycles after the CLEAR of their side, with its region: m_code_done with
 * m_code_bad (not its shifts and 2 bits; a raw block uses none), m_value_done with m_offset_bad (not the sum
 * of the widths, or an offset beyond its group) and m_crc_bad. They mean something with their m_*_done only.
 */
module apack_block_check #(
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a value
    parameter VALUE_W      = 8,
    // bits of the interval bounds
    parameter CODE_W       = 16,
    // most values of a block
    parameter BLOCK_VALUES = 4096,
    // bits of a block's number of bits
    parameter BITS_W       = 16,
    // bits of an offset width, 0..VALUE_W; leave at its default
    parameter WIDTH_W      = $clog2(VALUE_W + 1),
    // bits of a shift count, 0..CODE_W; leave at its default
    parameter SHIFT_W      = $clog2(CODE_W + 1),
    // bits of a region's number; leave at its default
    parameter REGION_W     = $clog2(STREAMS + 1)
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                s_block_valid,
    input  wire [REGION_W-1:0] s_block_region,
    input  wire [BITS_W-1:0]   s_block_code_bits,
    input  wire [BITS_W-1:0]   s_block_offset_bits,
    input  wire [31:0]         s_block_crc,

    input  wire [REGION_W-1:0] s_code_region,
    input  wire [SHIFT_W-1:0]  s_code_count,
    input  wire                s_code_clear,

    input  wire [REGION_W-1:0] s_value_region,
    input  wire                s_value_valid,
    input  wire [VALUE_W-1:0]  s_value,
    input  wire                s_value_illegal,
    input  wire [WIDTH_W-1:0]  s_value_offset_count,
    input  wire                s_value_clear,

    output wire                m_code_done,
    output wire [REGION_W-1:0] m_code_region,
    output wire                m_code_bad,

    output wire                m_value_done,
    output wire [REGION_W-1:0] m_value_region,
    output wire                m_offset_bad,
    output wire                m_crc_bad
);

    // Wide enough for what a block can use up at worst, so that no count wraps to a right one.
    localparam CODE_SUM_W   = $clog2((BLOCK_VALUES + 1) * CODE_W + 1);
    localparam OFFSET_SUM_W = $clog2(BLOCK_VALUES * VALUE_W + 1);
    localparam COMPARE_W    = ((CODE_SUM_W > BITS_W) ? CODE_SUM_W : BITS_W) + 1;

    localparam [COMPARE_W-1:0] TWO    = 2;
    localparam [COMPARE_W-1:0] BEYOND = CODE_W[COMPARE_W-1:0] - TWO;    // bits used up behind the stream's end

    reg [BITS_W-1:0] code_bits_mem [0:STREAMS];
    reg [BITS_W-1:0] offset_bits_mem [0:STREAMS];
    reg [31:0]       crc_mem [0:STREAMS];

    always @(posedge clk) begin
        if (s_block_valid) begin
            code_bits_mem[s_block_region]   <= s_block_code_bits;
            offset_bits_mem[s_block_region] <= s_block_offset_bits;
            crc_mem[s_block_region]         <= s_block_crc;
        end
    end

    // ---- code side -----------------------------------------------------------------------------------

    wire [CODE_SUM_W-1:0] code_sum;
    wire [CODE_SUM_W-1:0] next_code_sum = code_sum + {{CODE_SUM_W-SHIFT_W{1'b0}}, s_code_count};

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (CODE_SUM_W)
    ) code_ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (1'b1),
        .turn   (1'b1),
        .next   (next_code_sum & {CODE_SUM_W{!s_code_clear}}),
        .head   (code_sum)
    );

    reg                  code_end_reg;
    reg [REGION_W-1:0]   code_end_region_reg;
    reg [CODE_SUM_W-1:0] code_end_sum_reg;
    reg                  m_code_done_reg;
    reg [REGION_W-1:0]   m_code_region_reg;
    reg                  m_code_bad_reg;

    wire [BITS_W-1:0]    code_bits = code_bits_mem[code_end_region_reg];
    wire [COMPARE_W-1:0] code_due  = (code_bits == {BITS_W{1'b0}}) ? {COMPARE_W{1'b0}}
                                   : {{COMPARE_W-BITS_W{1'b0}}, code_bits} + BEYOND;

    always @(posedge clk) begin
        code_end_reg        <= s_code_clear && !rst;
        code_end_region_reg <= s_code_region;
        code_end_sum_reg    <= code_sum;

        m_code_done_reg     <= code_end_reg && !rst;
        m_code_region_reg   <= code_end_region_reg;
        m_code_bad_reg      <= {{COMPARE_W-CODE_SUM_W{1'b0}}, code_end_sum_reg} != code_due;
    end

    assign m_code_done   = m_code_done_reg;
    assign m_code_region = m_code_region_reg;
    assign m_code_bad    = m_code_bad_reg;

    // ---- value side ----------------------------------------------------------------------------------

    localparam VALUE_STATE_W = 1 + OFFSET_SUM_W + 32;

    // A cleared state is that of a block without values: the CRC stands inverted, as it ends.
    wire                    illegal;
    wire [OFFSET_SUM_W-1:0] offset_sum;
    wire [31:0]             crc;
    wire [31:0]             crc_step;

    cell_crc32 #(
        .DATA_W (VALUE_W)
    ) crc_inst (
        .crc  (~crc),
        .data (s_value),
        .next (crc_step)
    );

    wire [VALUE_STATE_W-1:0] value_state = {
        illegal || s_value_illegal,
        offset_sum + {{OFFSET_SUM_W-WIDTH_W{1'b0}}, s_value_offset_count},
        ~crc_step
    };
    reg  [VALUE_STATE_W-1:0] next_value_state;

    always @(*) begin
        if (s_value_clear) begin
            next_value_state = {VALUE_STATE_W{1'b0}};
        end else if (s_value_valid) begin
            next_value_state = value_state;
        end else begin
            next_value_state = {illegal, offset_sum, crc};
        end
    end

    cell_ring #(
        .STREAMS (STREAMS),
        .STATE_W (VALUE_STATE_W)
    ) value_ring_inst (
        .clk    (clk),
        .rst    (rst),
        .enable (1'b1),
        .turn   (1'b1),
        .next   (next_value_state),
        .head   ({illegal, offset_sum, crc})
    );

    reg                    value_end_reg;
    reg [REGION_W-1:0]     value_end_region_reg;
    reg                    value_end_illegal_reg;
    reg [OFFSET_SUM_W-1:0] value_end_sum_reg;
    reg [31:0]             value_end_crc_reg;
    reg                    m_value_done_reg;
    reg [REGION_W-1:0]     m_value_region_reg;
    reg                    m_offset_bad_reg;
    reg                    m_crc_bad_reg;

    wire [BITS_W-1:0] offset_bits = offset_bits_mem[value_end_region_reg];

    always @(posedge clk) begin
        value_end_reg         <= s_value_clear && !rst;
        value_end_region_reg  <= s_value_region;
        value_end_illegal_reg <= illegal;
        value_end_sum_reg     <= offset_sum;
        value_end_crc_reg     <= crc;

        m_value_done_reg      <= value_end_reg && !rst;
        m_value_region_reg    <= value_end_region_reg;
        m_offset_bad_reg      <= value_end_illegal_reg
                              || {{COMPARE_W-OFFSET_SUM_W{1'b0}}, value_end_sum_reg}
                              != {{COMPARE_W-BITS_W{1'b0}}, offset_bits};
        m_crc_bad_reg         <= value_end_crc_reg != crc_mem[value_end_region_reg];
    end

    assign m_value_done   = m_value_done_reg;
    assign m_value_region = m_value_region_reg;
    assign m_offset_bad   = m_offset_bad_reg;
    assign m_crc_bad      = m_crc_bad_reg;

endmodule

`resetall
