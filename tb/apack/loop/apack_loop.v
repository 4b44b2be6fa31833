// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Encoder and decoder with a memory between them, for tests.
 *
 * Values that enter on s_axis_value_* leave on m_axis_value_* unchanged. Store and forward: the decoder
 * starts a block when the encoder has ended it, so 2^FIFO_W words must hold either stream of a block.
 * Each unit has a table port of its own; a block is decoded with the decoder's table.
 */
module apack_loop #(
    // parameters of apack_encoder and apack_decoder
    parameter VALUE_W = 8,
    parameter SYMBOLS = 16,
    parameter COUNT_W = 10,
    parameter CODE_W  = 16,
    parameter WORD_W  = 32,
    parameter BLOCK_W = 24,
    // log2 of the words that each stream can wait in
    parameter FIFO_W  = 12,
    // bits of a word's bit count, 0..WORD_W; leave at its default
    parameter FILL_W  = $clog2(WORD_W + 1),
    // bits of a row number, 0..SYMBOLS; leave at its default
    parameter ROW_W   = $clog2(SYMBOLS + 1)
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire [COUNT_W+VALUE_W:0] s_axis_encoder_table_tdata,
    input  wire                     s_axis_encoder_table_tvalid,
    output wire                     s_axis_encoder_table_tready,
    input  wire                     s_axis_encoder_table_tlast,

    input  wire [COUNT_W+VALUE_W:0] s_axis_decoder_table_tdata,
    input  wire                     s_axis_decoder_table_tvalid,
    output wire                     s_axis_decoder_table_tready,
    input  wire                     s_axis_decoder_table_tlast,

    input  wire [VALUE_W-1:0]       s_axis_value_tdata,
    input  wire                     s_axis_value_tkeep,
    input  wire                     s_axis_value_tvalid,
    output wire                     s_axis_value_tready,
    input  wire                     s_axis_value_tlast,

    output wire [VALUE_W-1:0]       m_axis_value_tdata,
    output wire                     m_axis_value_tkeep,
    output wire                     m_axis_value_tuser,
    output wire                     m_axis_value_tvalid,
    input  wire                     m_axis_value_tready,
    output wire                     m_axis_value_tlast,

    input  wire                     status_clear,
    output wire                     status_encoder_table_valid,
    output wire                     status_decoder_table_valid,
    output wire                     status_table_illegal,
    output wire                     status_block_too_long,
    output wire                     status_code_early,
    output wire                     status_code_leftover,
    output wire                     status_offset_early,
    output wire                     status_offset_leftover,
    output wire                     status_offset_illegal,
    output wire                     status_busy
);

    wire encoder_table_illegal;
    wire decoder_table_illegal;
    wire encoder_busy;
    wire decoder_busy;

    wire [WORD_W-1:0]  code_in_tdata;
    wire [FILL_W-1:0]  code_in_tuser;
    wire               code_in_tvalid;
    wire               code_in_tready;
    wire               code_in_tlast;
    wire [WORD_W-1:0]  code_out_tdata;
    wire [FILL_W-1:0]  code_out_tuser;
    wire               code_out_tvalid;
    wire               code_out_tready;
    wire               code_out_tlast;

    wire [WORD_W-1:0]  offset_in_tdata;
    wire [FILL_W-1:0]  offset_in_tuser;
    wire               offset_in_tvalid;
    wire               offset_in_tready;
    wire               offset_in_tlast;
    wire [WORD_W-1:0]  offset_out_tdata;
    wire [FILL_W-1:0]  offset_out_tuser;
    wire               offset_out_tvalid;
    wire               offset_out_tready;
    wire               offset_out_tlast;

    wire [BLOCK_W-1:0] block_in_tdata;
    wire               block_in_tvalid;
    wire               block_in_tready;
    wire [BLOCK_W-1:0] block_out_tdata;
    wire               block_out_tvalid;
    wire               block_out_tready;

    assign status_table_illegal = encoder_table_illegal || decoder_table_illegal;
    assign status_busy          = encoder_busy || decoder_busy || block_out_tvalid;

    apack_encoder #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .WORD_W  (WORD_W),
        .BLOCK_W (BLOCK_W)
    ) encoder_inst (
        .clk                   (clk),
        .rst                   (rst),
        .s_axis_table_tdata    (s_axis_encoder_table_tdata),
        .s_axis_table_tvalid   (s_axis_encoder_table_tvalid),
        .s_axis_table_tready   (s_axis_encoder_table_tready),
        .s_axis_table_tlast    (s_axis_encoder_table_tlast),
        .s_axis_value_tdata    (s_axis_value_tdata),
        .s_axis_value_tkeep    (s_axis_value_tkeep),
        .s_axis_value_tvalid   (s_axis_value_tvalid),
        .s_axis_value_tready   (s_axis_value_tready),
        .s_axis_value_tlast    (s_axis_value_tlast),
        .m_axis_code_tdata     (code_in_tdata),
        .m_axis_code_tuser     (code_in_tuser),
        .m_axis_code_tvalid    (code_in_tvalid),
        .m_axis_code_tready    (code_in_tready),
        .m_axis_code_tlast     (code_in_tlast),
        .m_axis_offset_tdata   (offset_in_tdata),
        .m_axis_offset_tuser   (offset_in_tuser),
        .m_axis_offset_tvalid  (offset_in_tvalid),
        .m_axis_offset_tready  (offset_in_tready),
        .m_axis_offset_tlast   (offset_in_tlast),
        .m_axis_block_tdata    (block_in_tdata),
        .m_axis_block_tuser    (),
        .m_axis_block_tvalid   (block_in_tvalid),
        .m_axis_block_tready   (block_in_tready),
        .status_clear          (status_clear),
        .status_table_valid    (status_encoder_table_valid),
        .status_table_illegal  (encoder_table_illegal),
        .status_table_row      (),
        .status_block_too_long (status_block_too_long),
        .status_busy           (encoder_busy)
    );

    cell_fifo #(
        .DATA_W (WORD_W + FILL_W + 1),
        .FIFO_W (FIFO_W)
    ) code_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({code_in_tlast, code_in_tuser, code_in_tdata}),
        .s_valid (code_in_tvalid),
        .s_ready (code_in_tready),
        .m_data  ({code_out_tlast, code_out_tuser, code_out_tdata}),
        .m_valid (code_out_tvalid),
        .m_ready (code_out_tready)
    );

    cell_fifo #(
        .DATA_W (WORD_W + FILL_W + 1),
        .FIFO_W (FIFO_W)
    ) offset_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({offset_in_tlast, offset_in_tuser, offset_in_tdata}),
        .s_valid (offset_in_tvalid),
        .s_ready (offset_in_tready),
        .m_data  ({offset_out_tlast, offset_out_tuser, offset_out_tdata}),
        .m_valid (offset_out_tvalid),
        .m_ready (offset_out_tready)
    );

    cell_fifo #(
        .DATA_W (BLOCK_W),
        .FIFO_W (4)
    ) block_fifo_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  (block_in_tdata),
        .s_valid (block_in_tvalid),
        .s_ready (block_in_tready),
        .m_data  (block_out_tdata),
        .m_valid (block_out_tvalid),
        .m_ready (block_out_tready)
    );

    apack_decoder #(
        .VALUE_W (VALUE_W),
        .SYMBOLS (SYMBOLS),
        .COUNT_W (COUNT_W),
        .CODE_W  (CODE_W),
        .WORD_W  (WORD_W),
        .BLOCK_W (BLOCK_W)
    ) decoder_inst (
        .clk                    (clk),
        .rst                    (rst),
        .s_axis_table_tdata     (s_axis_decoder_table_tdata),
        .s_axis_table_tvalid    (s_axis_decoder_table_tvalid),
        .s_axis_table_tready    (s_axis_decoder_table_tready),
        .s_axis_table_tlast     (s_axis_decoder_table_tlast),
        .s_axis_block_tdata     (block_out_tdata),
        .s_axis_block_tvalid    (block_out_tvalid),
        .s_axis_block_tready    (block_out_tready),
        .s_axis_code_tdata      (code_out_tdata),
        .s_axis_code_tuser      (code_out_tuser),
        .s_axis_code_tvalid     (code_out_tvalid),
        .s_axis_code_tready     (code_out_tready),
        .s_axis_code_tlast      (code_out_tlast),
        .s_axis_offset_tdata    (offset_out_tdata),
        .s_axis_offset_tuser    (offset_out_tuser),
        .s_axis_offset_tvalid   (offset_out_tvalid),
        .s_axis_offset_tready   (offset_out_tready),
        .s_axis_offset_tlast    (offset_out_tlast),
        .m_axis_value_tdata     (m_axis_value_tdata),
        .m_axis_value_tkeep     (m_axis_value_tkeep),
        .m_axis_value_tuser     (m_axis_value_tuser),
        .m_axis_value_tvalid    (m_axis_value_tvalid),
        .m_axis_value_tready    (m_axis_value_tready),
        .m_axis_value_tlast     (m_axis_value_tlast),
        .status_clear           (status_clear),
        .status_table_valid     (status_decoder_table_valid),
        .status_table_illegal   (decoder_table_illegal),
        .status_table_row       (),
        .status_code_early      (status_code_early),
        .status_code_leftover   (status_code_leftover),
        .status_offset_early    (status_offset_early),
        .status_offset_leftover (status_offset_leftover),
        .status_offset_illegal  (status_offset_illegal),
        .status_busy            (decoder_busy)
    );

endmodule

`resetall
