// SPDX-License-Identifier: Apache-2.0
// Sources of apack_compressor, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt rtl/cell/lint_waivers.vlt -F rtl/apack/apack_compressor.f
//   cd rtl/apack && iverilog -g2005 -c apack_compressor.f -s apack_compressor -o apack_compressor.vvp
apack_table.v
../cell/cell_skid.v
../cell/cell_gearbox.v
../cell/cell_crc32.v
../cell/cell_ram.v
../cell/cell_crc7.v
../cell/cell_ring.v
../cell/cell_carry_save.v
../cell/cell_cut.v
apack_shift_end.v
../cell/cell_leading_ones.v
../cell/cell_onehot_mux.v
../cell/cell_read_buffer.v
apack_piece_store.v
apack_registers.v
apack_stream_pending.v
../cell/cell_turn_packer.v
apack_interval_loop.v
apack_symbol_lookup.v
../cell/cell_ram_fifo.v
apack_encoder_engine.v
apack_encoder_channel.v
apack_compressor.v
