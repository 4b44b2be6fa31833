"""microWakeWord: small streaming convolutional networks, int8 as shipped."""

from __future__ import annotations

from pathlib import Path

from model.zoo.package import package_file

WORDS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


def wakeword_paths() -> list[tuple[str, Path]]:
    """(name, path of the TFLite file) of each microWakeWord model in pymicro-wakeword.

    Raises ApackError when the package is not installed.
    """
    return [(word, _path(word)) for word in WORDS]


def _path(word: str) -> Path:
    return package_file("pymicro-wakeword", "pymicro_wakeword", f"models/{word}.tflite")
