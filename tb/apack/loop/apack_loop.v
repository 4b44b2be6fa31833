// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Compressor and decompressor with a memory between them, for tests.
 *
 * Values that enter on s_axis_values_* leave on m_axis_values_* unchanged, tensor by tensor, as the two register
 * buses say; each unit has tables of its own. The memory holds 2^FIFO_W words, read in the order of writing.
 * m_axis_memory_* shows the words as they are written: tready is an output, too.
 */
module apack_loop #(
    // parameters of apack_compressor and apack_decompressor
    parameter ENGINES      = 1,
    parameter STREAMS      = 4,
    parameter VALUE_W      = 8,
    parameter SYMBOLS      = 16,
    parameter COUNT_W      = 10,
    parameter CODE_W       = 16,
    parameter WORD_W       = 64,
    parameter LANES        = 8,
    parameter BLOCK_VALUES = 4096,
    // parameter of apack_decompressor
    parameter HOLD         = 0,
    // log2 of the words between compressor and decompressor
    parameter FIFO_W       = 12,
    // bytes of a value on its port; leave at its default
    parameter VALUE_BYTES  = (VALUE_W > 8) ? 2 : 1
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire [7:0]                       s_axil_compressor_awaddr,
    input  wire [2:0]                       s_axil_compressor_awprot,
    input  wire                             s_axil_compressor_awvalid,
    output wire                             s_axil_compressor_awready,
    input  wire [31:0]                      s_axil_compressor_wdata,
    input  wire [3:0]                       s_axil_compressor_wstrb,
    input  wire                             s_axil_compressor_wvalid,
    output wire                             s_axil_compressor_wready,
    output wire [1:0]                       s_axil_compressor_bresp,
    output wire                             s_axil_compressor_bvalid,
    input  wire                             s_axil_compressor_bready,
    input  wire [7:0]                       s_axil_compressor_araddr,
    input  wire [2:0]                       s_axil_compressor_arprot,
    input  wire                             s_axil_compressor_arvalid,
    output wire                             s_axil_compressor_arready,
    output wire [31:0]                      s_axil_compressor_rdata,
    output wire [1:0]                       s_axil_compressor_rresp,
    output wire                             s_axil_compressor_rvalid,
    input  wire                             s_axil_compressor_rready,
    output wire                             compressor_irq,

    input  wire [7:0]                       s_axil_decompressor_awaddr,
    input  wire [2:0]                       s_axil_decompressor_awprot,
    input  wire                             s_axil_decompressor_awvalid,
    output wire                             s_axil_decompressor_awready,
    input  wire [31:0]                      s_axil_decompressor_wdata,
    input  wire [3:0]                       s_axil_decompressor_wstrb,
    input  wire                             s_axil_decompressor_wvalid,
    output wire                             s_axil_decompressor_wready,
    output wire [1:0]                       s_axil_decompressor_bresp,
    output wire                             s_axil_decompressor_bvalid,
    input  wire                             s_axil_decompressor_bready,
    input  wire [7:0]                       s_axil_decompressor_araddr,
    input  wire [2:0]                       s_axil_decompressor_arprot,
    input  wire                             s_axil_decompressor_arvalid,
    output wire                             s_axil_decompressor_arready,
    output wire [31:0]                      s_axil_decompressor_rdata,
    output wire [1:0]                       s_axil_decompressor_rresp,
    output wire                             s_axil_decompressor_rvalid,
    input  wire                             s_axil_decompressor_rready,
    output wire                             decompressor_irq,

    input  wire [8*VALUE_BYTES*LANES-1:0]   s_axis_values_tdata,
    input  wire [VALUE_BYTES*LANES-1:0]     s_axis_values_tkeep,
    input  wire                             s_axis_values_tvalid,
    output wire                             s_axis_values_tready,
    input  wire                             s_axis_values_tlast,

    output wire [WORD_W-1:0]                m_axis_memory_tdata,
    output wire [WORD_W/8-1:0]              m_axis_memory_tkeep,
    output wire                             m_axis_memory_tvalid,
    output wire                             m_axis_memory_tready,
    output wire                             m_axis_memory_tlast,

    output wire [8*VALUE_BYTES*LANES-1:0]   m_axis_values_tdata,
    output wire [VALUE_BYTES*LANES-1:0]     m_axis_values_tkeep,
    output wire                             m_axis_values_tvalid,
    input  wire                             m_axis_values_tready,
    output wire                             m_axis_values_tlast,
    output wire                             m_axis_values_tuser
);

    wire [WORD_W-1:0]   back_tdata;
    wire [WORD_W/8-1:0] back_tkeep;
    wire                back_tvalid;
    wire                back_tready;
    wire                back_tlast;

    apack_compressor #(
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES)
    ) compressor_inst (
        .clk                  (clk),
        .rst                  (rst),
        .irq                  (compressor_irq),
        .s_axil_awaddr        (s_axil_compressor_awaddr),
        .s_axil_awprot        (s_axil_compressor_awprot),
        .s_axil_awvalid       (s_axil_compressor_awvalid),
        .s_axil_awready       (s_axil_compressor_awready),
        .s_axil_wdata         (s_axil_compressor_wdata),
        .s_axil_wstrb         (s_axil_compressor_wstrb),
        .s_axil_wvalid        (s_axil_compressor_wvalid),
        .s_axil_wready        (s_axil_compressor_wready),
        .s_axil_bresp         (s_axil_compressor_bresp),
        .s_axil_bvalid        (s_axil_compressor_bvalid),
        .s_axil_bready        (s_axil_compressor_bready),
        .s_axil_araddr        (s_axil_compressor_araddr),
        .s_axil_arprot        (s_axil_compressor_arprot),
        .s_axil_arvalid       (s_axil_compressor_arvalid),
        .s_axil_arready       (s_axil_compressor_arready),
        .s_axil_rdata         (s_axil_compressor_rdata),
        .s_axil_rresp         (s_axil_compressor_rresp),
        .s_axil_rvalid        (s_axil_compressor_rvalid),
        .s_axil_rready        (s_axil_compressor_rready),
        .s_axis_values_tdata  (s_axis_values_tdata),
        .s_axis_values_tkeep  (s_axis_values_tkeep),
        .s_axis_values_tvalid (s_axis_values_tvalid),
        .s_axis_values_tready (s_axis_values_tready),
        .s_axis_values_tlast  (s_axis_values_tlast),
        .m_axis_memory_tdata  (m_axis_memory_tdata),
        .m_axis_memory_tkeep  (m_axis_memory_tkeep),
        .m_axis_memory_tvalid (m_axis_memory_tvalid),
        .m_axis_memory_tready (m_axis_memory_tready),
        .m_axis_memory_tlast  (m_axis_memory_tlast)
    );

    cell_fifo #(
        .DATA_W (WORD_W + WORD_W / 8 + 1),
        .FIFO_W (FIFO_W)
    ) memory_inst (
        .clk     (clk),
        .rst     (rst),
        .s_data  ({m_axis_memory_tlast, m_axis_memory_tkeep, m_axis_memory_tdata}),
        .s_valid (m_axis_memory_tvalid),
        .s_ready (m_axis_memory_tready),
        .m_data  ({back_tlast, back_tkeep, back_tdata}),
        .m_valid (back_tvalid),
        .m_ready (back_tready)
    );

    apack_decompressor #(
        .ENGINES      (ENGINES),
        .STREAMS      (STREAMS),
        .VALUE_W      (VALUE_W),
        .SYMBOLS      (SYMBOLS),
        .COUNT_W      (COUNT_W),
        .CODE_W       (CODE_W),
        .WORD_W       (WORD_W),
        .LANES        (LANES),
        .BLOCK_VALUES (BLOCK_VALUES),
        .HOLD         (HOLD)
    ) decompressor_inst (
        .clk                  (clk),
        .rst                  (rst),
        .irq                  (decompressor_irq),
        .s_axil_awaddr        (s_axil_decompressor_awaddr),
        .s_axil_awprot        (s_axil_decompressor_awprot),
        .s_axil_awvalid       (s_axil_decompressor_awvalid),
        .s_axil_awready       (s_axil_decompressor_awready),
        .s_axil_wdata         (s_axil_decompressor_wdata),
        .s_axil_wstrb         (s_axil_decompressor_wstrb),
        .s_axil_wvalid        (s_axil_decompressor_wvalid),
        .s_axil_wready        (s_axil_decompressor_wready),
        .s_axil_bresp         (s_axil_decompressor_bresp),
        .s_axil_bvalid        (s_axil_decompressor_bvalid),
        .s_axil_bready        (s_axil_decompressor_bready),
        .s_axil_araddr        (s_axil_decompressor_araddr),
        .s_axil_arprot        (s_axil_decompressor_arprot),
        .s_axil_arvalid       (s_axil_decompressor_arvalid),
        .s_axil_arready       (s_axil_decompressor_arready),
        .s_axil_rdata         (s_axil_decompressor_rdata),
        .s_axil_rresp         (s_axil_decompressor_rresp),
        .s_axil_rvalid        (s_axil_decompressor_rvalid),
        .s_axil_rready        (s_axil_decompressor_rready),
        .s_axis_memory_tdata  (back_tdata),
        .s_axis_memory_tkeep  (back_tkeep),
        .s_axis_memory_tvalid (back_tvalid),
        .s_axis_memory_tready (back_tready),
        .s_axis_memory_tlast  (back_tlast),
        .m_axis_values_tdata  (m_axis_values_tdata),
        .m_axis_values_tkeep  (m_axis_values_tkeep),
        .m_axis_values_tvalid (m_axis_values_tvalid),
        .m_axis_values_tready (m_axis_values_tready),
        .m_axis_values_tlast  (m_axis_values_tlast),
        .m_axis_values_tuser  (m_axis_values_tuser)
    );

endmodule

`resetall
