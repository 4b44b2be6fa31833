"""Real tensors of real networks, found in packages on PyPI."""

from model.zoo.wakeword import wakeword_paths

__all__ = ["wakeword_paths"]
