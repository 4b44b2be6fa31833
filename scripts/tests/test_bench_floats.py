# SPDX-License-Identifier: Apache-2.0
"""The benchmark of float weights on small arrays, and its mistakes."""

import json

import numpy as np
import pytest

from model.apack import entropy_bits, histogram
from model.errors import InputError
from scripts.benchmark import floats as bench_floats


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    drawn = rng.normal(0, 0.05, (2, 40, 500)).astype(np.float32)
    return {"a": drawn[0], "b": drawn[1], "zeros": np.zeros((3, 4), np.float32)}


def test_sizes_of_every_coder_are_compared_with_the_floats(arrays):
    coders = [bench_floats.zstd(3)]
    rows = bench_floats.run({"m": arrays, "n": {"a": arrays["a"]}}, coders)
    assert [(row["model"], row["type"]) for row in rows] == [
        ("m", "BF16"), ("n", "BF16"), ("m", "FP16"), ("n", "FP16"),
    ]  # fmt: skip
    for row in rows:
        assert row["raw_bytes"] == 2 * row["values"]
        sizes = row["bytes"]
        assert list(sizes) == [
            "entropy", *(f"APack, {groups} groups" for groups in (16, 32, 64)), "zstd -3",
        ]  # fmt: skip
        assert sizes["entropy"] < sizes["APack, 16 groups"] < row["raw_bytes"]
    tensors = bench_floats.as_patterns(arrays, "BF16")
    entropy = sum(entropy_bits(histogram(tensor.values, 16)) for tensor in tensors) / 8
    assert rows[0]["bytes"]["entropy"] == pytest.approx(entropy)


def test_floats_become_their_patterns(arrays):
    for kind, dtype in (("BF16", "bfloat16"), ("FP16", "float16")):
        tensor = bench_floats.as_patterns(arrays, kind)[0]
        assert tensor.is_patterns and tensor.dtype == dtype
        found = tensor.array().astype(np.float32)
        np.testing.assert_allclose(found, arrays["a"], rtol=2**-8, atol=1e-7)


def test_totals_and_shares(arrays, tmp_path):
    rows = bench_floats.run({"m": arrays, "n": arrays}, [bench_floats.zstd(3)])
    totals = [row for row in bench_floats.with_totals(rows) if row["model"] == "all"]
    assert [row["type"] for row in totals] == ["BF16", "FP16"]
    for total in totals:
        for name, size in total["bytes"].items():
            ours = [row["bytes"][name] for row in rows if row["type"] == total["type"]]
            assert size == pytest.approx(sum(ours))
    text = bench_floats.markdown(json.loads(json.dumps(rows)))
    share = 100 * totals[0]["bytes"]["entropy"] / totals[0]["raw_bytes"]
    assert f"| all | BF16 | {totals[0]['values']:,} | {share:.2f} % |" in text
    bench_floats.draw(rows, tmp_path / "floats.png")
    assert (tmp_path / "floats.png").read_bytes().startswith(b"\x89PNG")


def test_a_coder_that_changes_a_byte_is_caught(arrays):
    liar = bench_floats.ByteCoder("liar", lambda data, _: data, lambda coded, *_: coded[:-1] + b"!")
    with pytest.raises(InputError, match="liar did not restore a tensor"):
        bench_floats.run({"m": {"a": arrays["a"]}}, [liar])


@pytest.mark.parametrize("kind", ["BF16", "FP16"])
def test_zipnn_gives_back_what_it_was_given(arrays, kind):
    pytest.importorskip("zipnn_core", reason="make bench-floats installs zipnn, and compiles it")
    coder = bench_floats.zipnn()
    for tensor in bench_floats.as_patterns(arrays, kind):
        data = tensor.values.tobytes()
        size = coder.size(data, kind)
        assert 32 < size < len(data) + 100
        assert data == tensor.values.tobytes(), "the core changed its input"
        assert tensor.name == "zeros" or size < 0.95 * len(data)


def test_mistakes_are_one_line(tmp_path, capsys, monkeypatch):
    assert bench_floats.main(["--model", "nosuch", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no float weights of 'nosuch'" in error
    monkeypatch.setitem(__import__("sys").modules, "zipnn_core", None)
    monkeypatch.setattr("model.zoo.float_weights.float_weights", lambda key: {})
    assert bench_floats.main(["--model", "silero-vad", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "bench-floats: zipnn_core is not installed; run make bench-floats\n"
    )
