// SPDX-License-Identifier: Apache-2.0
`resetall
`timescale 1ns / 1ps
`default_nettype none

/*
 * Registers of the compressor and of the decompressor, on AXI4-Lite: commands, status, counters, table rows.
 *
 * The map is the block of localparams below, and stands nowhere else: the benches and the documentation
 * read it from this file. All registers have 32 bits. An address that is not in the map answers SLVERR;
 * bytes without a strobe count as zeros for WO and W1C, and keep their value for RW. Requests stay until they
 * are taken, as AXI has it; one write and one read at a time are taken, whose answer comes in the next cycle.
 *
 * A START waits in a queue of one, shown by command_valid with command_values. command_take begins it: its bank
 * and BLOCK stand at front_* from then on. Up to two tensors run (busy: one or two, pair: two): the front one is
 * the newest, whose input comes; finish ends the oldest. The unit takes a command that is there while fewer than
 * two run, and finishes one that runs. run_abort is high for a cycle when ABORT is written while one runs. Rows
 * leave on row_* with one bit of row_valid for each bank, unless a tensor that runs or waits uses the bank.
 *
 * event_* set their bit of EVENTS in the cycle after. All that is counted belongs to the oldest tensor: a block
 * with count_block, damaged with a count_cause; cycles with the level of a stall, while one runs. A tensor's
 * counts move into a memory when it ends, where they hold while the next one runs: while they do, count_ready is
 * low, in which no tensor may finish, no block may be counted, and reads wait.
 *
 * A table whose rows were given up half-way is ended by a row with LAST, and found illegal; then the bank is
 * ready for another.
 */
module apack_registers #(
    // 1 in the decompressor, 0 in the compressor
    parameter DECOMPRESSOR = 0,
    // engines
    parameter ENGINES      = 1,
    // streams that take turns
    parameter STREAMS      = 4,
    // bits of a value
    parameter VALUE_W      = 8,
    // rows of the symbol table, 1..255
    parameter SYMBOLS      = 16,
    // bits of a cumulative count, at most 16
    parameter COUNT_W      = 10,
    // bits of the interval bounds, at most 32
    parameter CODE_W       = 16,
    // bits of a word, in memory
    parameter WORD_W       = 64,
    // values of a beat, 1..128
    parameter LANES        = 8,
    // most values of a block
    parameter BLOCK_VALUES = 4096,
    // damaged blocks leave as zeros if 1; if 0 only their last beat is marked
    parameter HOLD         = 0,
    // bits of a piece, 16 or 32, at most WORD_W
    parameter PIECE_W      = 16,
    // bits of a number of pieces
    parameter PIECES_W     = 12,
    // bits of a number of values; leave at its default
    parameter VALUES_W     = $clog2(BLOCK_VALUES + 1),
    // bits of a row number, 0..SYMBOLS; leave at its default
    parameter ROW_W        = $clog2(SYMBOLS + 1)
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire [7:0]             s_axil_awaddr,
    input  wire [2:0]             s_axil_awprot,
    input  wire                   s_axil_awvalid,
    output wire                   s_axil_awready,
    input  wire [31:0]            s_axil_wdata,
    input  wire [3:0]             s_axil_wstrb,
    input  wire                   s_axil_wvalid,
    output wire                   s_axil_wready,
    output wire [1:0]             s_axil_bresp,
    output wire                   s_axil_bvalid,
    input  wire                   s_axil_bready,
    input  wire [7:0]             s_axil_araddr,
    input  wire [2:0]             s_axil_arprot,
    input  wire                   s_axil_arvalid,
    output wire                   s_axil_arready,
    output wire [31:0]            s_axil_rdata,
    output wire [1:0]             s_axil_rresp,
    output wire                   s_axil_rvalid,
    input  wire                   s_axil_rready,

    output wire                   irq,

    output wire [1:0]             row_valid,
    output wire [COUNT_W+VALUE_W:0] row_data,
    output wire                   row_last,
    output wire                   table_clear,
    input  wire [1:0]             table_valid,
    input  wire [1:0]             table_illegal,
    input  wire [2*ROW_W-1:0]     table_illegal_row,

    output wire                   command_valid,
    input  wire                   command_take,
    output wire [47:0]            command_values,
    output wire                   front_bank,
    output wire [VALUES_W-1:0]    front_block,
    output wire                   busy,
    output wire                   pair,
    output wire                   run_abort,
    input  wire                   discard,
    input  wire                   finish,

    input  wire                   event_done,
    input  wire                   event_aborted,
    input  wire                   event_keep,
    input  wire                   event_memory_length,

    output wire                   count_ready,
    input  wire                   count_block,
    input  wire [VALUES_W-1:0]    count_values,
    input  wire [PIECES_W-1:0]    count_pieces,
    input  wire                   count_raw,
    input  wire [5:0]             count_cause,
    input  wire                   count_stall_input,
    input  wire                   count_stall_output,
    input  wire                   count_stall_engine
);

    // ---- register map ------------------------------------------------------------------------------

    localparam [7:0] ADDRESS_ID              = 8'h00;  // RO: "ACPK", lowest byte first
    localparam [7:0] ADDRESS_VERSION         = 8'h04;  // RO: what the unit is
    localparam       VERSION_CONTAINER       = 0;      // field of 16 bits: version of the container
    localparam       VERSION_DECOMPRESSOR    = 16;     // bit: 1 in the decompressor
    localparam       VERSION_HOLD            = 17;     // bit: 1 when damaged blocks leave as zeros
    localparam [7:0] ADDRESS_SHAPE           = 8'h08;  // RO: how the unit is built
    localparam       SHAPE_ENGINES           = 0;      // field of 8 bits: ENGINES
    localparam       SHAPE_STREAMS           = 8;      // field of 8 bits: STREAMS
    localparam       SHAPE_LANES             = 16;     // field of 8 bits: LANES
    localparam       SHAPE_WORD_BYTES        = 24;     // field of 8 bits: WORD_W / 8
    localparam [7:0] ADDRESS_CODER           = 8'h0C;  // RO: parameters of the coder
    localparam       CODER_VALUE_W           = 0;      // field of 8 bits: VALUE_W
    localparam       CODER_SYMBOLS           = 8;      // field of 8 bits: SYMBOLS
    localparam       CODER_COUNT_W           = 16;     // field of 8 bits: COUNT_W
    localparam       CODER_CODE_W            = 24;     // field of 8 bits: CODE_W
    localparam [7:0] ADDRESS_BLOCK_MAX       = 8'h10;  // RO: most values of a block, BLOCK_VALUES
    localparam [7:0] ADDRESS_CONTROL         = 8'h14;  // WO: commands
    localparam       CONTROL_START           = 0;      // bit: queue a tensor, which begins as soon as the input of the one before has ended
    localparam       CONTROL_ABORT           = 1;      // bit: drop the tensors that run
    localparam       CONTROL_BANK            = 8;      // bit: table bank of the tensor that START begins
    localparam [7:0] ADDRESS_STATUS          = 8'h18;  // RO: what goes on
    localparam       STATUS_BUSY             = 0;      // bit: a tensor runs, or two
    localparam       STATUS_QUEUED           = 1;      // bit: a START waits
    localparam       STATUS_BANK             = 2;      // bit: table bank of the oldest tensor that runs
    localparam       STATUS_DISCARD          = 3;      // bit: after an abort, input is dropped up to its tlast
    localparam       STATUS_TABLE0_VALID     = 8;      // bit: bank 0 holds a legal table
    localparam       STATUS_TABLE1_VALID     = 9;      // bit: bank 1 holds a legal table
    localparam       STATUS_TABLE0_ILLEGAL   = 10;     // bit: a table for bank 0 was illegal
    localparam       STATUS_TABLE1_ILLEGAL   = 11;     // bit: a table for bank 1 was illegal
    localparam [7:0] ADDRESS_EVENTS          = 8'h1C;  // W1C: what has happened; bits stay until 1 is written to them
    localparam       EVENTS_DONE             = 0;      // bit: a tensor is through
    localparam       EVENTS_ABORTED          = 1;      // bit: a tensor was dropped
    localparam       EVENTS_START_REFUSED    = 2;      // bit: START with a full queue, an illegal BLOCK or no table
    localparam       EVENTS_TABLE_ILLEGAL    = 3;      // bit: an illegal table; TABLE_ROW says where
    localparam       EVENTS_TABLE_REFUSED    = 4;      // bit: a row for a bank that is in use or queued
    localparam       EVENTS_KEEP             = 5;      // bit: a tkeep with a gap on the values, or values behind a short beat; what runs is dropped
    localparam       EVENTS_BLOCK_BAD        = 6;      // bit: a damaged block; BAD_BLOCK and BAD_CAUSE name the first
    localparam       EVENTS_MEMORY_LENGTH    = 7;      // bit: more or fewer memory words than the blocks' headers say
    localparam [7:0] ADDRESS_IRQ_ENABLE      = 8'h20;  // RW: events that raise irq, bits as in EVENTS
    localparam [7:0] ADDRESS_BLOCK           = 8'h24;  // RW: values of a block, a multiple of LANES; reset: BLOCK_MAX
    localparam [7:0] ADDRESS_VALUES_LO       = 8'h28;  // RW: values of the next tensor, bits 31..0; decompressor only
    localparam [7:0] ADDRESS_VALUES_HI       = 8'h2C;  // RW: values of the next tensor, bits 47..32; decompressor only
    localparam [7:0] ADDRESS_TABLE_BASE      = 8'h30;  // RW: lowest value of the group that TABLE_CUM writes
    localparam [7:0] ADDRESS_TABLE_CUM       = 8'h34;  // WO: writes the next row of a table
    localparam       TABLE_CUM_CUM           = 0;      // field of 17 bits: cumulative count at the group's end
    localparam       TABLE_CUM_BANK          = 30;     // bit: bank of the row
    localparam       TABLE_CUM_LAST          = 31;     // bit: the table's last row
    localparam [7:0] ADDRESS_TABLE_ROW       = 8'h38;  // RO: first wrong row of the latest illegal table
    localparam       TABLE_ROW_BANK0         = 0;      // field of 8 bits: of bank 0
    localparam       TABLE_ROW_BANK1         = 8;      // field of 8 bits: of bank 1
    localparam [7:0] ADDRESS_VALUES_DONE_LO  = 8'h40;  // RO: values of the blocks that have left, of the tensor that ended last, as all below
    localparam [7:0] ADDRESS_VALUES_DONE_HI  = 8'h44;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_BITS_LO         = 8'h48;  // RO: bits of the pieces of these blocks
    localparam [7:0] ADDRESS_BITS_HI         = 8'h4C;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_WORDS_LO        = 8'h50;  // RO: memory words of their headers and pieces
    localparam [7:0] ADDRESS_WORDS_HI        = 8'h54;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_CYCLES_LO       = 8'h58;  // RO: cycles while it was the oldest that ran
    localparam [7:0] ADDRESS_CYCLES_HI       = 8'h5C;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_STALL_INPUT_LO  = 8'h60;  // RO: cycles with room for input and none there
    localparam [7:0] ADDRESS_STALL_INPUT_HI  = 8'h64;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_STALL_OUTPUT_LO = 8'h68;  // RO: cycles in which an output beat was not taken
    localparam [7:0] ADDRESS_STALL_OUTPUT_HI = 8'h6C;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_STALL_ENGINE_LO = 8'h70;  // RO: cycles with input there and no room for it
    localparam [7:0] ADDRESS_STALL_ENGINE_HI = 8'h74;  // RO: bits 47..32 of the counter whose _LO was read last
    localparam [7:0] ADDRESS_BLOCKS          = 8'h78;  // RO: blocks that have left
    localparam [7:0] ADDRESS_RAW_BLOCKS      = 8'h7C;  // RO: blocks stored raw
    localparam [7:0] ADDRESS_BAD_BLOCKS      = 8'h80;  // RO: damaged blocks
    localparam [7:0] ADDRESS_BAD_BLOCK       = 8'h84;  // RO: number of the tensor's first damaged block
    localparam [7:0] ADDRESS_BAD_CAUSE       = 8'h88;  // RO: what is wrong with it
    localparam       BAD_CAUSE_HEADER        = 0;      // bit: its header is broken or missing
    localparam       BAD_CAUSE_TRUNCATED     = 1;      // bit: memory words are missing
    localparam       BAD_CAUSE_SHORT         = 2;      // bit: decoding takes more pieces than there are
    localparam       BAD_CAUSE_LEFT          = 3;      // bit: decoding leaves pieces
    localparam       BAD_CAUSE_OFFSET        = 4;      // bit: an offset is beyond its group
    localparam       BAD_CAUSE_CRC           = 5;      // bit: the CRC-32 of the values differs
    localparam [7:0] ADDRESS_TENSORS         = 8'h8C;  // RO: tensors that have ended since the reset, dropped ones included

    // ---- end of the register map -------------------------------------------------------------------

    localparam [31:0] ID          = 32'h4B504341;
    localparam [15:0] CONTAINER   = 16'd2;
    localparam        EVENTS      = 8;
    localparam        COUNTER_W   = 48;
    localparam [1:0]  OKAY        = 2'b00;
    localparam [1:0]  SLVERR      = 2'b10;
    localparam [31:0] BLOCK_MAX   = BLOCK_VALUES;
    localparam [31:0] BLOCK_STEP  = LANES - 1;

    localparam [7:0] ENGINES_FIELD = ENGINES[7:0];
    localparam [7:0] STREAMS_FIELD = STREAMS[7:0];
    localparam [7:0] LANES_FIELD   = LANES[7:0];
    localparam [7:0] VALUE_FIELD   = VALUE_W[7:0];
    localparam [7:0] SYMBOLS_FIELD = SYMBOLS[7:0];
    localparam [7:0] COUNT_FIELD   = COUNT_W[7:0];
    localparam [7:0] CODE_FIELD    = CODE_W[7:0];
    localparam [7:0] BYTES_FIELD   = WORD_W[10:3];

    generate
        if (DECOMPRESSOR != 0 && DECOMPRESSOR != 1) begin : g_check_decompressor
            apack_registers_needs_DECOMPRESSOR_of_0_or_1 illegal_parameter ();
        end
        if (SYMBOLS < 1 || SYMBOLS > 255) begin : g_check_symbols
            apack_registers_needs_SYMBOLS_of_1_to_255 illegal_parameter ();
        end
        if (COUNT_W > 16) begin : g_check_count_w
            apack_registers_needs_COUNT_W_of_at_most_16 illegal_parameter ();
        end
        if (CODE_W > 32) begin : g_check_code_w
            apack_registers_needs_CODE_W_of_at_most_32 illegal_parameter ();
        end
        if (LANES < 1 || LANES > 128) begin : g_check_lanes
            apack_registers_needs_LANES_of_1_to_128 illegal_parameter ();
        end
        if (HOLD != 0 && HOLD != 1) begin : g_check_hold
            apack_registers_needs_HOLD_of_0_or_1 illegal_parameter ();
        end
        if ((PIECE_W != 16 && PIECE_W != 32) || PIECE_W > WORD_W) begin : g_check_piece_w
            apack_registers_needs_PIECE_W_of_16_or_32_and_at_most_WORD_W illegal_parameter ();
        end
    endgenerate

    // ---- bus ---------------------------------------------------------------------------------------

    reg        write_ready_reg;
    reg        bvalid_reg;
    reg [1:0]  bresp_reg;
    reg        read_ready_reg;
    reg        rvalid_reg;
    reg [1:0]  rresp_reg;
    reg [31:0] rdata_reg;

    assign s_axil_awready = write_ready_reg;
    assign s_axil_wready  = write_ready_reg;
    assign s_axil_bvalid  = bvalid_reg;
    assign s_axil_bresp   = bresp_reg;
    assign s_axil_arready = read_ready_reg;
    assign s_axil_rvalid  = rvalid_reg;
    assign s_axil_rresp   = rresp_reg;
    assign s_axil_rdata   = rdata_reg;

    wire write = write_ready_reg && s_axil_awvalid && s_axil_wvalid;
    wire read  = read_ready_reg && s_axil_arvalid;

    wire [7:0]  write_address = {s_axil_awaddr[7:2], 2'b00};
    wire [7:0]  read_address  = {s_axil_araddr[7:2], 2'b00};
    wire [31:0] strobe        = {{8{s_axil_wstrb[3]}}, {8{s_axil_wstrb[2]}},
                                 {8{s_axil_wstrb[1]}}, {8{s_axil_wstrb[0]}}};
    wire [31:0] write_data    = s_axil_wdata & strobe;

    function mapped;
        input [7:0] address;
        begin
            mapped = (address <= ADDRESS_TABLE_ROW)
                || (address >= ADDRESS_VALUES_DONE_LO && address <= ADDRESS_TENSORS);
        end
    endfunction

    reg [31:0] read_data;

    always @(posedge clk) begin
        write_ready_reg <= s_axil_awvalid && s_axil_wvalid && !write_ready_reg && !bvalid_reg;
        read_ready_reg  <= s_axil_arvalid && !read_ready_reg && !rvalid_reg && count_ready;

        if (s_axil_bready) begin
            bvalid_reg <= 1'b0;
        end
        if (write) begin
            bvalid_reg <= 1'b1;
            bresp_reg  <= mapped(write_address) ? OKAY : SLVERR;
        end

        if (s_axil_rready) begin
            rvalid_reg <= 1'b0;
        end
        if (read) begin
            rvalid_reg <= 1'b1;
            rresp_reg  <= mapped(read_address) ? OKAY : SLVERR;
            rdata_reg  <= read_data;
        end

        if (rst) begin
            write_ready_reg <= 1'b0;
            read_ready_reg  <= 1'b0;
            bvalid_reg      <= 1'b0;
            rvalid_reg      <= 1'b0;
        end
    end

    // ---- settings and table rows -------------------------------------------------------------------

    reg [EVENTS-1:0]  irq_enable_reg;
    reg [31:0]        block_reg;
    reg [47:0]        values_reg;
    reg [31:0]        base_reg;

    always @(posedge clk) begin
        if (write && write_address == ADDRESS_IRQ_ENABLE) begin
            irq_enable_reg <= (irq_enable_reg & ~strobe[EVENTS-1:0]) | write_data[EVENTS-1:0];
        end
        if (write && write_address == ADDRESS_BLOCK) begin
            block_reg <= (block_reg & ~strobe) | write_data;
        end
        if (write && write_address == ADDRESS_VALUES_LO && DECOMPRESSOR != 0) begin
            values_reg[31:0] <= (values_reg[31:0] & ~strobe) | write_data;
        end
        if (write && write_address == ADDRESS_VALUES_HI && DECOMPRESSOR != 0) begin
            values_reg[47:32] <= (values_reg[47:32] & ~strobe[15:0]) | write_data[15:0];
        end
        if (write && write_address == ADDRESS_TABLE_BASE) begin
            base_reg <= (base_reg & ~strobe) | write_data;
        end

        if (rst) begin
            irq_enable_reg <= {EVENTS{1'b0}};
            block_reg      <= BLOCK_MAX;
            values_reg     <= 48'd0;
            base_reg       <= 32'd0;
        end
    end

    // ---- commands ----------------------------------------------------------------------------------

    reg        queued_reg;
    reg        queued_bank_reg;
    reg        busy_reg;
    reg        pair_reg;
    reg        front_bank_reg;
    reg        oldest_bank_reg;
    reg [47:0] queued_values_reg;

    reg [VALUES_W-1:0] queued_block_reg;
    reg [VALUES_W-1:0] front_block_reg;

    wire control = write && write_address == ADDRESS_CONTROL;
    wire start   = control && write_data[CONTROL_START];
    wire bank    = write_data[CONTROL_BANK];
    wire block_legal = block_reg != 32'd0 && block_reg <= BLOCK_MAX && (block_reg & BLOCK_STEP) == 32'd0;
    wire start_legal = !queued_reg && block_legal && table_valid[bank];

    wire row_write  = write && write_address == ADDRESS_TABLE_CUM && s_axil_wstrb != 4'd0;
    wire row_bank   = write_data[TABLE_CUM_BANK];
    wire row_in_use = (busy_reg && row_bank == oldest_bank_reg) || (pair_reg && row_bank == front_bank_reg)
                   || (queued_reg && row_bank == queued_bank_reg);

    // A number beyond the row's width is illegal whatever its low bits: a count of 0 is, in any row.
    wire [16:0]      cum     = write_data[TABLE_CUM_CUM +: 17];
    wire             fits    = (cum >> COUNT_W >> 1) == 17'd0 && (base_reg >> VALUE_W) == 32'd0;
    wire [COUNT_W:0] row_cum = cum[COUNT_W:0] & {COUNT_W+1{fits}};

    assign row_valid = {row_write && !row_in_use && row_bank, row_write && !row_in_use && !row_bank};
    assign row_data  = {row_cum, base_reg[VALUE_W-1:0]};
    assign row_last  = write_data[TABLE_CUM_LAST];

    assign command_valid  = queued_reg;
    assign command_values = queued_values_reg;
    assign front_bank     = front_bank_reg;
    assign front_block    = front_block_reg;
    assign busy           = busy_reg;
    assign pair           = pair_reg;
    assign run_abort      = control && write_data[CONTROL_ABORT] && busy_reg;

    wire stays = busy_reg && (pair_reg || !finish);     // a tensor that runs and does not end now

    always @(posedge clk) begin
        busy_reg <= stays || command_take;
        pair_reg <= (pair_reg && !finish) || (stays && command_take);

        if (finish) begin
            oldest_bank_reg <= front_bank_reg;
        end
        if (command_take) begin
            queued_reg      <= 1'b0;
            front_bank_reg  <= queued_bank_reg;
            front_block_reg <= queued_block_reg;
            if (!stays) begin
                oldest_bank_reg <= queued_bank_reg;
            end
        end

        if (start && start_legal) begin
            queued_reg        <= 1'b1;
            queued_bank_reg   <= bank;
            queued_block_reg  <= block_reg[VALUES_W-1:0];
            queued_values_reg <= values_reg;
        end

        if (rst) begin
            busy_reg        <= 1'b0;
            pair_reg        <= 1'b0;
            queued_reg      <= 1'b0;
            oldest_bank_reg <= 1'b0;
        end
    end

    // ---- events ------------------------------------------------------------------------------------

    reg [EVENTS-1:0]  events_reg;
    reg [EVENTS-1:0]  events_set;

    wire              events_write = write && write_address == ADDRESS_EVENTS;
    wire [EVENTS-1:0] events       = events_reg | ({{EVENTS-1{1'b0}}, |table_illegal} << EVENTS_TABLE_ILLEGAL);

    assign table_clear = events_write && write_data[EVENTS_TABLE_ILLEGAL];

    always @(*) begin
        events_set                       = {EVENTS{1'b0}};
        events_set[EVENTS_DONE]          = event_done;
        events_set[EVENTS_ABORTED]       = event_aborted;
        events_set[EVENTS_START_REFUSED] = start && !start_legal;
        events_set[EVENTS_TABLE_REFUSED] = row_write && row_in_use;
        events_set[EVENTS_KEEP]          = event_keep;
        events_set[EVENTS_BLOCK_BAD]     = count_block && count_cause != 6'd0;
        events_set[EVENTS_MEMORY_LENGTH] = event_memory_length;
    end

    reg irq_reg;

    assign irq = irq_reg;

    always @(posedge clk) begin
        events_reg <= (events_reg & ~(write_data[EVENTS-1:0] & {EVENTS{events_write}})) | events_set;
        irq_reg    <= |(events & irq_enable_reg);

        if (rst) begin
            events_reg <= {EVENTS{1'b0}};
            irq_reg    <= 1'b0;
        end
    end

    // ---- counters ----------------------------------------------------------------------------------

    // Each counter has a word in a memory and a sum of what has come since its last visit. The visits go round,
    // one a cycle: a sum is added to its word, and begins anew. When a tensor ends they go on with CYCLES, for one
    // round in which the totals move to the memory that is read, and the words become 0. What comes in every
    // cycle is delayed by as many cycles as its visit comes after that of CYCLES; no block comes meanwhile.
    localparam WAIT_W       = 4;                // a sum waits for less than 2^WAIT_W cycles
    localparam PARTS        = WORD_W / PIECE_W;
    localparam PART_W       = $clog2(PARTS);
    localparam HEADER_WORDS = (WORD_W < 64) ? 64 / WORD_W : 1;
    localparam WORDS_W      = PIECES_W + 3;
    localparam COUNTERS     = 11;

    localparam [3:0] VALUES_DONE  = 4'd0;       // words of the memories, as addresses go
    localparam [3:0] BITS         = 4'd1;
    localparam [3:0] WORDS        = 4'd2;
    localparam [3:0] CYCLES       = 4'd3;
    localparam [3:0] STALL_INPUT  = 4'd4;
    localparam [3:0] STALL_OUTPUT = 4'd5;
    localparam [3:0] STALL_ENGINE = 4'd6;
    localparam [3:0] BLOCKS       = 4'd7;
    localparam [3:0] RAW_BLOCKS   = 4'd8;
    localparam [3:0] BAD_BLOCKS   = 4'd9;
    localparam [3:0] BAD_BLOCK    = 4'd10;

    localparam [2:0] BLOCK_WORDS = HEADER_WORDS[2:0];
    localparam [2:0] ROUND_UP    = PARTS[2:0] - 3'd1;

    reg                step_end_reg;
    reg [VALUES_W-1:0] step_values_reg;
    reg [PIECES_W-1:0] step_pieces_reg;
    reg                step_block_reg;
    reg                step_raw_reg;
    reg                step_bad_reg;
    reg [5:0]          step_cause_reg;
    reg                step_busy_reg;
    reg [1:0]          step_stall_input_reg;    // the oldest bit is counted
    reg [2:0]          step_stall_output_reg;
    reg [3:0]          step_stall_engine_reg;

    always @(posedge clk) begin
        step_end_reg          <= finish;
        step_values_reg       <= count_values & {VALUES_W{count_block}};
        step_pieces_reg       <= count_pieces & {PIECES_W{count_block}};
        step_block_reg        <= count_block;
        step_raw_reg          <= count_block && count_raw;
        step_bad_reg          <= count_block && count_cause != 6'd0;
        step_cause_reg        <= count_cause;
        step_busy_reg         <= busy_reg;
        step_stall_input_reg  <= {step_stall_input_reg[0], busy_reg && count_stall_input};
        step_stall_output_reg <= {step_stall_output_reg[1:0], busy_reg && count_stall_output};
        step_stall_engine_reg <= {step_stall_engine_reg[2:0], busy_reg && count_stall_engine};

        if (rst) begin
            step_end_reg          <= 1'b0;
            step_values_reg       <= {VALUES_W{1'b0}};
            step_pieces_reg       <= {PIECES_W{1'b0}};
            step_block_reg        <= 1'b0;
            step_raw_reg          <= 1'b0;
            step_bad_reg          <= 1'b0;
            step_busy_reg         <= 1'b0;
            step_stall_input_reg  <= 2'd0;
            step_stall_output_reg <= 3'd0;
            step_stall_engine_reg <= 4'd0;
        end
    end

    // A block whose header was lost has neither pieces nor words.
    wire [WORDS_W-1:0] pieces_wide = {{WORDS_W-PIECES_W{1'b0}}, step_pieces_reg};
    wire [WORDS_W-1:0] step_words  = (step_pieces_reg == {PIECES_W{1'b0}}) ? {WORDS_W{1'b0}}
                                   : ((pieces_wide + {{WORDS_W-3{1'b0}}, ROUND_UP}) >> PART_W)
                                   + {{WORDS_W-3{1'b0}}, BLOCK_WORDS};

    reg [3:0] place_reg;            // of the visit
    reg       ending_reg;           // the round of a tensor's end
    reg       clear_reg;            // the round after a reset

    wire       visit = !step_end_reg;
    wire [3:0] next_place = step_end_reg ? CYCLES : (place_reg == BAD_BLOCK) ? VALUES_DONE : place_reg + 4'd1;

    assign count_ready = !step_end_reg && !ending_reg;

    always @(posedge clk) begin
        place_reg <= next_place;
        if (place_reg == WORDS) begin
            ending_reg <= 1'b0;
            clear_reg  <= 1'b0;
        end
        if (step_end_reg) begin
            ending_reg <= 1'b1;
        end

        if (rst) begin
            place_reg  <= CYCLES;
            ending_reg <= 1'b1;
            clear_reg  <= 1'b1;
        end
    end

    reg [VALUES_W+WAIT_W-1:0] sum_values_reg;
    reg [PIECES_W+WAIT_W-1:0] sum_pieces_reg;
    reg [WORDS_W+WAIT_W-1:0]  sum_words_reg;
    reg [WAIT_W-1:0]          sum_cycles_reg;
    reg [WAIT_W-1:0]          sum_stall_input_reg;
    reg [WAIT_W-1:0]          sum_stall_output_reg;
    reg [WAIT_W-1:0]          sum_stall_engine_reg;
    reg [WAIT_W-1:0]          sum_blocks_reg;
    reg [WAIT_W-1:0]          sum_raw_reg;
    reg [WAIT_W-1:0]          sum_bad_reg;

    // What a sum goes on from: nothing after its visit.
    wire [COUNTERS-1:0] keep = ~({{COUNTERS-1{1'b0}}, visit} << place_reg);

    always @(posedge clk) begin
        sum_values_reg       <= (sum_values_reg & {VALUES_W+WAIT_W{keep[VALUES_DONE]}})
                              + {{WAIT_W{1'b0}}, step_values_reg};
        sum_pieces_reg       <= (sum_pieces_reg & {PIECES_W+WAIT_W{keep[BITS]}}) + {{WAIT_W{1'b0}}, step_pieces_reg};
        sum_words_reg        <= (sum_words_reg & {WORDS_W+WAIT_W{keep[WORDS]}}) + {{WAIT_W{1'b0}}, step_words};
        sum_cycles_reg       <= (sum_cycles_reg & {WAIT_W{keep[CYCLES]}}) + {{WAIT_W-1{1'b0}}, step_busy_reg};
        sum_stall_input_reg  <= (sum_stall_input_reg & {WAIT_W{keep[STALL_INPUT]}})
                              + {{WAIT_W-1{1'b0}}, step_stall_input_reg[1]};
        sum_stall_output_reg <= (sum_stall_output_reg & {WAIT_W{keep[STALL_OUTPUT]}})
                              + {{WAIT_W-1{1'b0}}, step_stall_output_reg[2]};
        sum_stall_engine_reg <= (sum_stall_engine_reg & {WAIT_W{keep[STALL_ENGINE]}})
                              + {{WAIT_W-1{1'b0}}, step_stall_engine_reg[3]};
        sum_blocks_reg       <= (sum_blocks_reg & {WAIT_W{keep[BLOCKS]}}) + {{WAIT_W-1{1'b0}}, step_block_reg};
        sum_raw_reg          <= (sum_raw_reg & {WAIT_W{keep[RAW_BLOCKS]}}) + {{WAIT_W-1{1'b0}}, step_raw_reg};
        sum_bad_reg          <= (sum_bad_reg & {WAIT_W{keep[BAD_BLOCKS]}}) + {{WAIT_W-1{1'b0}}, step_bad_reg};

        if (rst) begin
            sum_values_reg       <= {VALUES_W+WAIT_W{1'b0}};
            sum_pieces_reg       <= {PIECES_W+WAIT_W{1'b0}};
            sum_words_reg        <= {WORDS_W+WAIT_W{1'b0}};
            sum_cycles_reg       <= {WAIT_W{1'b0}};
            sum_stall_input_reg  <= {WAIT_W{1'b0}};
            sum_stall_output_reg <= {WAIT_W{1'b0}};
            sum_stall_engine_reg <= {WAIT_W{1'b0}};
            sum_blocks_reg       <= {WAIT_W{1'b0}};
            sum_raw_reg          <= {WAIT_W{1'b0}};
            sum_bad_reg          <= {WAIT_W{1'b0}};
        end
    end

    reg [31:0] number_reg;          // of the block that leaves next
    reg [31:0] bad_block_reg;       // of the first damaged one
    reg [5:0]  bad_cause_reg;
    reg [31:0] tensors_reg;
    reg        tensors_carry_reg;   // into its upper bits, a cycle later: reads wait for longer after an end

    always @(posedge clk) begin
        number_reg                            <= number_reg + {31'd0, step_block_reg};
        {tensors_carry_reg, tensors_reg[7:0]} <= {1'b0, tensors_reg[7:0]} + {8'd0, step_end_reg};
        tensors_reg[31:8]                     <= tensors_reg[31:8] + {23'd0, tensors_carry_reg};

        if (step_bad_reg && bad_cause_reg == 6'd0) begin
            bad_block_reg <= number_reg;
            bad_cause_reg <= step_cause_reg;
        end

        if (rst || (ending_reg && !keep[BAD_BLOCK])) begin
            number_reg    <= 32'd0;
            bad_block_reg <= 32'd0;
            bad_cause_reg <= 6'd0;
        end
        if (rst) begin
            tensors_reg       <= 32'd0;
            tensors_carry_reg <= 1'b0;
        end
    end

    wire [COUNTER_W-1:0] word;
    wire [COUNTER_W-1:0] held_data;
    wire [3:0]           held_address;
    reg  [COUNTER_W-1:0] sum;

    always @(*) begin
        sum = {COUNTER_W{1'b0}};
        case (place_reg)
            VALUES_DONE:  sum[VALUES_W+WAIT_W-1:0]              = sum_values_reg;
            BITS:         sum[$clog2(PIECE_W) +: PIECES_W+WAIT_W] = sum_pieces_reg;
            WORDS:        sum[WORDS_W+WAIT_W-1:0]               = sum_words_reg;
            CYCLES:       sum[WAIT_W-1:0]                       = sum_cycles_reg;
            STALL_INPUT:  sum[WAIT_W-1:0]                       = sum_stall_input_reg;
            STALL_OUTPUT: sum[WAIT_W-1:0]                       = sum_stall_output_reg;
            STALL_ENGINE: sum[WAIT_W-1:0]                       = sum_stall_engine_reg;
            BLOCKS:       sum[WAIT_W-1:0]                       = sum_blocks_reg;
            RAW_BLOCKS:   sum[WAIT_W-1:0]                       = sum_raw_reg;
            default:      sum[WAIT_W-1:0]                       = sum_bad_reg;
        endcase
    end

    wire [COUNTER_W-1:0] total = (place_reg == BAD_BLOCK) ? {10'd0, bad_cause_reg, bad_block_reg}
                               : (word & {COUNTER_W{!clear_reg}}) + sum;

    cell_ram #(
        .DEPTH  (COUNTERS),
        .PARTS  (1),
        .PART_W (COUNTER_W)
    ) running_inst (
        .clk           (clk),
        .write_enable  (visit),
        .write_address (place_reg),
        .write_data    (total & {COUNTER_W{!ending_reg}}),
        .read_enable   (1'b1),
        .read_address  (next_place),
        .read_data     (word)
    );

    cell_ram #(
        .DEPTH  (COUNTERS),
        .PARTS  (1),
        .PART_W (COUNTER_W)
    ) held_inst (
        .clk           (clk),
        .write_enable  (visit && ending_reg),
        .write_address (place_reg),
        .write_data    (total),
        .read_enable   (1'b1),
        .read_address  (held_address),
        .read_data     (held_data)
    );

    // ---- reading -----------------------------------------------------------------------------------

    reg [15:0] high_reg;        // upper bits of the counter whose lower bits were read last
    reg [31:0] status;

    // Counters are words of the memory, in the order of their addresses; the causes lie above the block.
    wire [7:0]           counter_address = read_address - ADDRESS_VALUES_DONE_LO;
    wire                 counter_wide    = read_address < ADDRESS_BLOCKS;
    wire                 counter_read    = read_address >= ADDRESS_VALUES_DONE_LO && read_address < ADDRESS_TENSORS;
    wire                 counter_high    = counter_wide && counter_address[2];
    wire                 cause_read      = read_address == ADDRESS_BAD_CAUSE;

    assign held_address = counter_wide ? counter_address[6:3] : cause_read ? BAD_BLOCK : counter_address[5:2] + 4'd9;

    always @(*) begin
        status                        = 32'd0;
        status[STATUS_BUSY]           = busy_reg;
        status[STATUS_QUEUED]         = queued_reg;
        status[STATUS_BANK]           = oldest_bank_reg;
        status[STATUS_DISCARD]        = discard;
        status[STATUS_TABLE0_VALID]   = table_valid[0];
        status[STATUS_TABLE1_VALID]   = table_valid[1];
        status[STATUS_TABLE0_ILLEGAL] = table_illegal[0];
        status[STATUS_TABLE1_ILLEGAL] = table_illegal[1];
    end

    always @(*) begin
        read_data = 32'd0;
        case (read_address)
            ADDRESS_ID:         read_data = ID;
            ADDRESS_VERSION:    read_data = {14'd0, HOLD != 0, DECOMPRESSOR != 0, CONTAINER};
            ADDRESS_SHAPE:      read_data = {BYTES_FIELD, LANES_FIELD, STREAMS_FIELD, ENGINES_FIELD};
            ADDRESS_CODER:      read_data = {CODE_FIELD, COUNT_FIELD, SYMBOLS_FIELD, VALUE_FIELD};
            ADDRESS_BLOCK_MAX:  read_data = BLOCK_MAX;
            ADDRESS_STATUS:     read_data = status;
            ADDRESS_EVENTS:     read_data = {{32-EVENTS{1'b0}}, events};
            ADDRESS_IRQ_ENABLE: read_data = {{32-EVENTS{1'b0}}, irq_enable_reg};
            ADDRESS_BLOCK:      read_data = block_reg;
            ADDRESS_VALUES_LO:  read_data = values_reg[31:0];
            ADDRESS_VALUES_HI:  read_data = {16'd0, values_reg[47:32]};
            ADDRESS_TABLE_BASE: read_data = base_reg;
            ADDRESS_TABLE_ROW:  read_data = {16'd0,
                                             {8-ROW_W{1'b0}}, table_illegal_row[ROW_W +: ROW_W],
                                             {8-ROW_W{1'b0}}, table_illegal_row[0 +: ROW_W]};
            ADDRESS_TENSORS:    read_data = tensors_reg;
            default:            read_data = !counter_read ? 32'd0 : counter_high ? {16'd0, high_reg}
                                          : cause_read ? {16'd0, held_data[47:32]} : held_data[31:0];
        endcase
    end

    always @(posedge clk) begin
        if (read && counter_read && counter_wide && !counter_high) begin
            high_reg <= held_data[47:32];
        end

        if (rst) begin
            high_reg <= 16'd0;
        end
    end

    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot, s_axil_awaddr[1:0], s_axil_araddr[1:0],
                    counter_address[7], counter_address[1:0], cum, 1'b0};

endmodule

`resetall
