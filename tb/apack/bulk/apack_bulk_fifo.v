`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * FIFO of 2^FIFO_W entries for the bulk round trip: a memory between encoder and decoder.
 */
module apack_bulk_fifo #(
    // bits of an entry
    parameter DATA_W = 32,
    // log2 of the number of entries
    parameter FIFO_W = 16
) (
    input  wire              clk,
    input  wire              rst,

    input  wire [DATA_W-1:0] s_tdata,
    input  wire              s_tvalid,
    output wire              s_tready,

    output wire [DATA_W-1:0] m_tdata,
    output wire              m_tvalid,
    input  wire              m_tready
);

    reg [DATA_W-1:0] entries [0:(1<<FIFO_W)-1];
    reg [FIFO_W:0]   write_reg;
    reg [FIFO_W:0]   read_reg;

    wire [FIFO_W:0] level = write_reg - read_reg;   // wraps as the two counters do

    assign s_tready = !level[FIFO_W];
    assign m_tvalid = write_reg != read_reg;
    assign m_tdata  = entries[read_reg[FIFO_W-1:0]];

    always @(posedge clk) begin
        if (s_tvalid && s_tready) begin
            entries[write_reg[FIFO_W-1:0]] <= s_tdata;
            write_reg                      <= write_reg + 1'b1;
        end
        if (m_tvalid && m_tready) begin
            read_reg <= read_reg + 1'b1;
        end
        if (rst) begin
            write_reg <= 0;
            read_reg  <= 0;
        end
    end

endmodule

`resetall
