# SPDX-License-Identifier: Apache-2.0
"""microWakeWord: small streaming convolutional networks, int8 as shipped."""

from __future__ import annotations

from pathlib import Path

from .packages import WAKEWORD

WORDS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


def wakeword_paths() -> list[tuple[str, Path]]:
    """(name, path of the TFLite file) of each microWakeWord model in pymicro-wakeword.

    Raises InputError when the package is not installed.
    """
    return [(word, WAKEWORD.file(f"models/{word}.tflite")) for word in WORDS]
