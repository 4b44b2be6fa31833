"""Benches of the toy."""
