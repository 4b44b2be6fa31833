// Sources of apack_compressor, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt -F rtl/apack/apack_compressor.f
//   cd rtl/apack && iverilog -g2005 -c apack_compressor.f -s apack_compressor -o apack_compressor.vvp
apack_crc.v
apack_ram.v
apack_skid.v
apack_carry_save.v
apack_registers.v
apack_table.v
apack_gearbox.v
apack_read_buffer.v
apack_ring.v
apack_cut.v
apack_shift_end.v
apack_leading_ones.v
apack_row_select.v
apack_block_ram.v
apack_stream_packer.v
apack_stream_pending.v
apack_interval_loop.v
apack_symbol_lookup.v
apack_block_feed.v
apack_block_store.v
apack_encoder_engine.v
apack_encoder_channel.v
apack_compressor.v
