# SPDX-License-Identifier: Apache-2.0
"""Real tensors of real networks, found in packages on PyPI."""

from .catalog import MODELS, ZooModel, zoo_model
from .wakeword import wakeword_paths

__all__ = ["MODELS", "ZooModel", "wakeword_paths", "zoo_model"]
