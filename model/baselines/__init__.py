"""What APack is compared with: codecs of accelerators and general ones, all lossless."""

from model.baselines.codecs import CODECS, Codec

__all__ = ["CODECS", "Codec"]
