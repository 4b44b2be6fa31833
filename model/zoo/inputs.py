# SPDX-License-Identifier: Apache-2.0
"""Real inputs for the networks: photographs of scikit-image, and text of Python's own help.

Each network has inputs to profile with (nine, as many as the paper uses at most) and others to
evaluate on; the two sets share no picture and no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pydoc_data import topics

import numpy as np
from PIL import Image

from .packages import MINILM_TOKENIZER, SCIKIT_IMAGE

Feed = dict[str, np.ndarray]

PROFILE_PICTURES = (
    "astronaut.png",
    "motorcycle_left.png",
    "camera.png",
    "coins.png",
    "grass.png",
    "brick.png",
    "hubble_deep_field.jpg",
    "clock_motion.png",
    "retina.jpg",
)
EVALUATION_PICTURES = ("chelsea.png", "coffee.png", "rocket.jpg")
PROFILE_SCENES = (*PROFILE_PICTURES[:-1], "text.png")
EVALUATION_SCENES = ("page.png", "coffee.png")
PROFILE_TOPICS = (
    "assignment",
    "binary",
    "class",
    "comparisons",
    "debugger",
    "exceptions",
    "formatstrings",
    "import",
    "operator-summary",
)
EVALUATION_TOPICS = ("function", "strings", "with")

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])
TOKENS = 128  # length of one text after the tokenizer


def photograph(name: str) -> Image.Image:
    """A picture that scikit-image ships, as RGB; raises InputError when it is not installed."""
    return Image.open(SCIKIT_IMAGE.file(f"data/{name}")).convert("RGB")


def centre_square(picture: Image.Image, side: int) -> np.ndarray:
    """The largest centred square at side x side: float64 (side, side, 3) in 0..1."""
    width, height = picture.size
    cut = min(width, height)
    left, top = (width - cut) // 2, (height - cut) // 2
    square = picture.crop((left, top, left + cut, top + cut)).resize((side, side), Image.BICUBIC)
    return np.asarray(square) / 255


def normalized(pixels: np.ndarray, mean: np.ndarray | float, std: np.ndarray | float) -> np.ndarray:
    """(height, width, 3) in 0..1 to float32 (1, 3, height, width), as the networks take it."""
    return ((pixels - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)


def mobilenet_feeds(names: tuple[str, ...]) -> Iterator[Feed]:
    """Pictures as torchvision's MobileNetV2 was trained on them."""
    for name in names:
        pixels = centre_square(photograph(name), 224)
        yield {"picture": normalized(pixels, IMAGENET_MEAN, IMAGENET_STD)}


def lite0_feeds(names: tuple[str, ...]) -> Iterator[Feed]:
    """Pictures as EfficientNet-Lite0 was trained on them: (byte - 127) / 128."""
    for name in names:
        pixels = centre_square(photograph(name), 224)
        yield {"picture": normalized(pixels, 127 / 255, 128 / 255)}


def detector_feeds(names: tuple[str, ...]) -> Iterator[Feed]:
    """Whole pictures for the text detector, both sides rounded to multiples of 32."""
    for name in names:
        picture = photograph(name)
        width, height = (max(32, round(side / 32) * 32) for side in picture.size)
        pixels = np.asarray(picture.resize((width, height), Image.BICUBIC)) / 255
        yield {"x": normalized(pixels, IMAGENET_MEAN, IMAGENET_STD)}


def text_line_feeds(name: str, lines: slice) -> Iterator[Feed]:
    """Strips of a scanned page, (1, 3, 48, 192), for the text direction classifier."""
    pixels = np.asarray(photograph(name))
    height, width = pixels.shape[:2]
    corners = [(top, left) for top in range(0, height - 23, 24) for left in (0, width // 2)]
    for top, left in corners[lines]:
        strip = Image.fromarray(pixels[top : top + 24, left : left + 96])
        yield {"x": normalized(np.asarray(strip.resize((192, 48), Image.BICUBIC)) / 255, 0.5, 0.5)}


def text_feeds(names: tuple[str, ...]) -> Iterator[Feed]:
    """The first 128 tokens of a topic of Python's help, for MiniLM."""
    from tokenizers import Tokenizer

    path = MINILM_TOKENIZER.file("embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    for name in names:
        ids = np.array([tokenizer.encode(topics.topics[name]).ids], np.int64)
        yield {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
