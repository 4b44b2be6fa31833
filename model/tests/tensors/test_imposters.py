# SPDX-License-Identifier: Apache-2.0
"""Files that are not what their names say are told apart, whatever their ending."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.apack import ApackError
from model.tensors import EXTENSIONS, read_file
from model.tests.tensors.models import WEIGHTS, Constant, onnx_file, safetensors_file, tflite_file

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POINTER, "this is a Git LFS pointer, not the file: run git lfs pull"),
        (POINTER.replace(b"\n", b"\r\n"), "this is a Git LFS pointer"),
        (b"/annex/objects/SHA256E-s1048576--ab.onnx\n", "this is a git-annex pointer"),
        (b"../.git/annex/objects/F8/2x/SHA256E-s7/SHA256E-s7", "this is a git-annex pointer"),
        (b"<!DOCTYPE html>\n<html><head><title>404</title>", "this is a web page"),
        (b"\xef\xbb\xbf\n <HTML lang='en'>", "this is a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "this is a web page"),
        (b"", "is empty: 0 bytes"),
        (b"\x1f\x8b\x08" + bytes(50), "compressed by gzip: unpack it"),
        (b"GGUF" + bytes(50), "this is a GGUF model"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "this is an HDF5 file"),
        (b"\x89APACK\r\n" + bytes(50), "this is an APack container"),
    ],
)
def test_what_stands_in_for_a_file_is_named(
    tmp_path: Path, extension: str, content: bytes, message: str
) -> None:
    path = tmp_path / f"w{extension}"
    path.write_bytes(content)
    with pytest.raises(ApackError) as caught:
        read_file(path)
    assert message in str(caught.value) and str(caught.value).startswith(f"{path}: ")


def test_a_good_file_under_the_ending_of_another(tmp_path: Path) -> None:
    good = {
        ".npy": "a NumPy array", ".npz": "a ZIP archive", ".tflite": "a TensorFlow Lite model",
    }  # fmt: skip
    np.save(tmp_path / "w.npy", WEIGHTS)
    np.savez(tmp_path / "w.npz", w=WEIGHTS)
    tflite_file(tmp_path / "w.tflite", [Constant("w", WEIGHTS.tobytes(), (16, 16))])
    onnx_file(tmp_path / "w.onnx", {"w": WEIGHTS})
    safetensors_file(tmp_path / "w.safetensors", {"w": ("I8", (16, 16), WEIGHTS.tobytes())})
    for real in EXTENSIONS:
        assert read_file(tmp_path / f"w{real}").tensors
        for ending in set(EXTENSIONS) - {real}:
            path = tmp_path / f"other{ending}"
            path.write_bytes((tmp_path / f"w{real}").read_bytes())
            with pytest.raises(ApackError) as caught:
                read_file(path)
            if real in good:
                assert f"this is {good[real]}, not a" in str(caught.value)


def test_folders_and_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "w.npy").symlink_to("../.git/annex/objects/ab/SHA256E-s7/SHA256E-s7.npy")
    (tmp_path / "x.npy").symlink_to("absent.npy")
    for name, message in {
        "w.npy": "which is not there; git annex get fetches it",
        "x.npy": "x.npy: is a link to absent.npy, which is not there",
        ".": "is a folder, not a file; name one of the files in it",
    }.items():
        with pytest.raises(ApackError, match=message):
            read_file(tmp_path / name)
