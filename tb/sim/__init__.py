"""The simulators: found, given designs to build once, and run with cocotb tests and benches."""
