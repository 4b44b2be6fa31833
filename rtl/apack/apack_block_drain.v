// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Puts out the decoded blocks of an engine in order, as beats of LANES values, once they are checked.
 *
 * s_block_* announce a block in a region of the value memory, its number of values, 1..BLOCK_VALUES, and what
 * is wrong with it so far (see apack_decoder_channel for the causes). Blocks go round the regions in order, the
 * first after a reset is in region 0. A block leaves when both s_*_done, one of each in any cycle after its
 * announcement, have come for its region. Of a block with a cause all beats hold zeros; if it was to be skipped
 * (LENGTH, TRUNCATED), verdicts about its values are none. m_free is high in the cycle of a block's last read:
 * its region is free from the next cycle on.
 *
 * A region has BLOCK_VALUES / LANES words. Each word of a block is read once, in order; read_data must be the
 * word from the next cycle on, and hold still until the next read. The first read of a block is two cycles
 * after the later of its verdicts or the end of the block before; then one follows in every cycle, except while
 * three beats wait at the output. A beat shows two cycles after its read, or when those before it have left.
 *
 * A block has one beat for each LANES values, m_last with the last; there, lanes behind the block's end mean
 * nothing. m_cause goes with every beat. m_ready reaches only registers.
 */
module apack_block_drain #(
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a value
    parameter VALUE_W      = 8,
    // values of a beat, a power of two
    parameter LANES        = 8,
    // most values of a block, a power of two and a multiple of LANES
    parameter BLOCK_VALUES = 4096,
    // bits of a block's number of values; leave at its default
    parameter BLOCK_W      = $clog2(BLOCK_VALUES + 1),
    // bits of an address, in the value memory; leave at its default
    parameter ADDRESS_W    = $clog2((STREAMS + 1) * (BLOCK_VALUES / LANES)),
    // bits of a region's number; leave at its default
    parameter REGION_W     = $clog2(STREAMS + 1)
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire                     s_block_valid,
    input  wire [REGION_W-1:0]      s_block_region,
    input  wire [BLOCK_W-1:0]       s_block_count,
    input  wire [5:0]               s_block_cause,

    input  wire                     s_code_done,
    input  wire [REGION_W-1:0]      s_code_region,
    input  wire                     s_code_bad,
    input  wire                     s_value_done,
    input  wire [REGION_W-1:0]      s_value_region,
    input  wire                     s_offset_bad,
    input  wire                     s_crc_bad,

    output wire                     read_enable,
    output wire [ADDRESS_W-1:0]     read_address,
    input  wire [LANES*VALUE_W-1:0] read_data,

    output wire                     m_free,

    output wire [LANES*VALUE_W-1:0] m_data,
    output wire [5:0]               m_cause,
    output wire                     m_last,
    output wire                     m_valid,
    input  wire                     m_ready
);

    generate
        if (LANES < 1 || (LANES & (LANES - 1)) != 0) begin : g_check_lanes
            apack_block_drain_needs_LANES_a_power_of_two illegal_parameter ();
        end
        if (BLOCK_VALUES < LANES || (BLOCK_VALUES & (BLOCK_VALUES - 1)) != 0) begin : g_check_block
            apack_block_drain_needs_BLOCK_VALUES_a_power_of_two_of_at_least_LANES illegal_parameter ();
        end
    endgenerate

    localparam LENGTH    = 0;
    localparam CODE      = 1;
    localparam OFFSET    = 2;
    localparam CRC       = 4;
    localparam TRUNCATED = 5;

    localparam BEATS  = BLOCK_VALUES / LANES;
    localparam DATA_W = LANES * VALUE_W;

    localparam [BLOCK_W-1:0]   BEAT        = LANES[BLOCK_W-1:0];
    localparam [REGION_W-1:0]  LAST_REGION = STREAMS[REGION_W-1:0];
    localparam [ADDRESS_W-1:0] REGION      = BEATS[ADDRESS_W-1:0];

    // ---- of each region: how many values, what is wrong, which verdicts are there ----------------------

    reg [BLOCK_W-1:0] count_mem [0:STREAMS];
    reg [5:0]         cause_mem [0:STREAMS];
    reg [STREAMS:0]   code_done_reg;
    reg [STREAMS:0]   value_done_reg;
    reg [STREAMS:0]   code_bad_reg;
    reg [STREAMS:0]   offset_bad_reg;
    reg [STREAMS:0]   crc_bad_reg;

    reg [REGION_W-1:0] region_reg;      // of the oldest block

    always @(posedge clk) begin
        if (s_block_valid) begin
            count_mem[s_block_region] <= s_block_count;
            cause_mem[s_block_region] <= s_block_cause;
        end
    end

    always @(posedge clk) begin : b_regions
        integer i;

        for (i = 0; i <= STREAMS; i = i + 1) begin
            if (s_code_done && s_code_region == i[REGION_W-1:0]) begin
                code_done_reg[i] <= 1'b1;
                code_bad_reg[i]  <= s_code_bad;
            end
            if (s_value_done && s_value_region == i[REGION_W-1:0]) begin
                value_done_reg[i] <= 1'b1;
                offset_bad_reg[i] <= s_offset_bad;
                crc_bad_reg[i]    <= s_crc_bad;
            end
            if (rst || (m_free && region_reg == i[REGION_W-1:0])) begin
                code_done_reg[i]  <= 1'b0;
                value_done_reg[i] <= 1'b0;
            end
        end
    end

    // ---- the oldest block ----------------------------------------------------------------------------

    reg                 reading_reg;
    reg                 damaged_reg;
    reg [5:0]           cause_reg;
    reg [BLOCK_W-1:0]   left_reg;       // values to be read
    reg [ADDRESS_W-1:0] address_reg;

    wire [5:0] cause   = cause_mem[region_reg];
    wire       skipped = cause[LENGTH] || cause[TRUNCATED];
    reg  [5:0] found;

    always @(*) begin
        found         = 6'd0;
        found[CODE]   = code_bad_reg[region_reg] && !skipped;
        found[OFFSET] = offset_bad_reg[region_reg] && !skipped;
        found[CRC]    = crc_bad_reg[region_reg] && !skipped;
    end

    reg       held_valid_reg;       // the memory's output holds a beat
    reg       held_last_reg;
    reg       held_damaged_reg;
    reg [5:0] held_cause_reg;

    wire held_ready;
    wire [BLOCK_W:0] after = {1'b0, left_reg} - {1'b0, BEAT};     // values left behind this beat

    wire move      = held_ready || !held_valid_reg;
    wire read_last = after[BLOCK_W] || after == {BLOCK_W+1{1'b0}};

    assign read_enable  = reading_reg && move;
    assign read_address = address_reg;
    assign m_free       = read_enable && read_last;

    always @(posedge clk) begin
        if (!reading_reg) begin
            reading_reg <= code_done_reg[region_reg] && value_done_reg[region_reg];
            left_reg    <= count_mem[region_reg];
            cause_reg   <= cause | found;
            damaged_reg <= (cause | found) != 6'd0;
            address_reg <= {{ADDRESS_W-REGION_W{1'b0}}, region_reg} * REGION;
        end else if (move) begin
            reading_reg <= !read_last;
            left_reg    <= after[BLOCK_W-1:0];
            address_reg <= address_reg + 1'b1;
        end

        if (m_free) begin
            region_reg <= (region_reg == LAST_REGION) ? {REGION_W{1'b0}} : region_reg + 1'b1;
        end

        if (move) begin
            held_valid_reg   <= reading_reg;
            held_last_reg    <= read_last;
            held_cause_reg   <= cause_reg;
            held_damaged_reg <= damaged_reg;
        end

        if (rst) begin
            region_reg     <= {REGION_W{1'b0}};
            reading_reg    <= 1'b0;
            held_valid_reg <= 1'b0;
        end
    end

    cell_skid #(
        .DATA_W (DATA_W + 7)
    ) skid_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({read_data & {DATA_W{!held_damaged_reg}}, held_cause_reg, held_last_reg}),
        .s_valid (held_valid_reg),
        .s_ready (held_ready),
        .m_data  ({m_data, m_cause, m_last}),
        .m_valid (m_valid),
        .m_ready (m_ready)
    );

endmodule

`resetall
