// Sources of apack_decompressor, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt -F rtl/apack/apack_decompressor.f
//   cd rtl/apack && iverilog -g2005 -c apack_decompressor.f -s apack_decompressor -o apack_decompressor.vvp
apack_ring.v
apack_crc.v
apack_block_deal.v
apack_skid.v
apack_block_queue.v
apack_carry_save.v
apack_cut.v
apack_cut_reset.v
apack_ram.v
apack_row_select.v
apack_stream_window.v
apack_shift_end.v
apack_leading_ones.v
apack_piece_lane.v
apack_registers.v
apack_table.v
apack_entry_check.v
apack_slot_sequence.v
apack_block_check.v
apack_block_drain.v
apack_distance.v
apack_piece_port.v
apack_region_track.v
apack_search_loop.v
apack_piece_fetch.v
apack_decoder_engine.v
apack_decoder_channel.v
apack_decompressor.v
