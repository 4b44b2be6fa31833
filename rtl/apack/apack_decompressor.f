// SPDX-License-Identifier: Apache-2.0
// Sources of apack_decompressor, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt rtl/cell/lint_waivers.vlt -F rtl/apack/apack_decompressor.f
//   cd rtl/apack && iverilog -g2005 -c apack_decompressor.f -s apack_decompressor -o apack_decompressor.vvp
../cell/cell_crc32.v
../cell/cell_crc7.v
../cell/cell_fifo.v
apack_piece_window.v
apack_slot_sequence.v
../cell/cell_ram.v
../cell/cell_read_buffer.v
../cell/cell_onehot_mux.v
../cell/cell_cut.v
../cell/cell_ring.v
apack_shift_end.v
../cell/cell_leading_ones.v
../cell/cell_carry_save.v
apack_table.v
../cell/cell_skid.v
apack_block_check.v
apack_block_reader.v
apack_registers.v
apack_value_buffer.v
../cell/cell_ram_fifo.v
apack_distance.v
apack_search_loop.v
apack_decoder_engine.v
apack_decoder_channel.v
apack_decompressor.v
