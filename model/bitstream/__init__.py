"""Strings of bits, MSB first, and fields in them: what the streams of all codecs are made of."""
