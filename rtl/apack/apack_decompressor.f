// Sources of apack_decompressor, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt rtl/cell/lint_waivers.vlt -F rtl/apack/apack_decompressor.f
//   cd rtl/apack && iverilog -g2005 -c apack_decompressor.f -s apack_decompressor -o apack_decompressor.vvp
../cell/cell_ring.v
../cell/cell_crc32.v
apack_block_deal.v
../cell/cell_skid.v
apack_block_queue.v
../cell/cell_ram.v
../cell/cell_onehot_mux.v
../cell/cell_cut_reset.v
../cell/cell_turn_window.v
../cell/cell_cut.v
apack_shift_end.v
../cell/cell_leading_ones.v
../cell/cell_carry_save.v
apack_piece_lane.v
apack_registers.v
apack_table.v
apack_entry_check.v
apack_slot_sequence.v
apack_block_check.v
apack_block_drain.v
apack_region_track.v
apack_piece_port.v
apack_distance.v
apack_piece_fetch.v
apack_search_loop.v
apack_decoder_engine.v
apack_decoder_channel.v
apack_decompressor.v
