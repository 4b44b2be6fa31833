// Sources of apack_encoder, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt rtl/cell/lint_waivers.vlt -F rtl/apack/apack_encoder.f
//   cd rtl/apack && iverilog -g2005 -c apack_encoder.f -s apack_encoder -o apack_encoder.vvp
apack_table.v
apack_pending.v
../cell/cell_bit_packer.v
../cell/cell_leading_ones.v
apack_scale.v
../cell/cell_onehot_mux.v
apack_renorm.v
apack_interval.v
apack_symbol_lookup.v
apack_encoder.v
