// Sources of apack_encoder, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt -F rtl/apack/apack_encoder.f
//   cd rtl/apack && iverilog -g2005 -c apack_encoder.f -s apack_encoder -o apack_encoder.vvp
apack_bit_packer.v
apack_table.v
apack_pending.v
apack_leading_ones.v
apack_scale.v
apack_row_select.v
apack_renorm.v
apack_interval.v
apack_symbol_lookup.v
apack_encoder.v
