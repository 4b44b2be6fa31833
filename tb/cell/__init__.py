"""Benches of the cells that know no system."""
