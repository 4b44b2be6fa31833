// Sources of apack_decoder, each after those it instantiates. Written by make docs.
//   verilator --lint-only -Wall rtl/apack/lint_waivers.vlt rtl/cell/lint_waivers.vlt -F rtl/apack/apack_decoder.f
//   cd rtl/apack && iverilog -g2005 -c apack_decoder.f -s apack_decoder -o apack_decoder.vvp
apack_table.v
../cell/cell_bit_unpacker.v
../cell/cell_leading_ones.v
apack_scale.v
apack_renorm.v
apack_symbol_search.v
apack_decoder.v
