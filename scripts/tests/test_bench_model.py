# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of codec and solver on small tensors, and their mistakes."""

import json

import numpy as np
import pytest

from model.apack import Bits, entropy_bits, histogram
from model.codecs import Codec
from model.tensors import Tensor
from scripts.benchmark import codec as bench_codec
from scripts.benchmark import solver as bench_solver


def tensors() -> dict[str, list[Tensor]]:
    rng = np.random.default_rng(0)
    drawn = rng.laplace(0, 9, (2, 20_000)).round().astype(np.int8).view(np.uint8)
    return {"m": [Tensor("a", drawn[0], "int8"), Tensor("b", drawn[1], "int8")]}


def test_every_coder_is_lossless_and_reported():
    report = bench_codec.run(tensors(), 1)
    names = [coder["name"] for coder in report["coders"]]
    assert names[0] == "APack, 4 streams" and len(names) >= 6
    assert {"APack, 8 streams", "APack, 16 streams", bench_codec.REFERENCE} < set(names)
    for coder in report["coders"]:
        assert coder["encode_mb_s"] > 0 and coder["decode_mb_s"] > 0
    entropy = report["models"]["m"]["entropy_bytes"] / report["values"]
    assert entropy < report["coders"][0]["ratio"] < 1.01 * entropy
    sizes = report["models"]["m"]["block_bytes"]
    assert sizes["8 streams, 4,096"] > sizes["4 streams, 4,096"] > sizes["4 streams, 16,384"]
    assert sizes["4 streams, 16,384"] == report["coders"][0]["model_bytes"]["m"]
    model = report["models"]["m"]
    assert sizes["4 streams, 1,048,576"] < model["large_container_bytes"] < model["container_bytes"]
    text = bench_codec.markdown(json.loads(json.dumps(report)))
    assert all(name in text for name in names)
    over = 100 * (sizes["8 streams, 4,096"] / model["entropy_bytes"] - 1)
    assert f" | {over:.2f} % | " in text


def test_a_package_that_is_missing_has_a_line_that_says_why(monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'new'")

    monkeypatch.setattr(bench_codec, "PACKAGES", {"New": (missing, "make it")})
    report = bench_codec.run(tensors(), 1)
    line = "| New | - | - | - | - | - | missing: No module named 'new'; make it |"
    assert line in bench_codec.markdown(report).splitlines()


@pytest.mark.parametrize("name", bench_codec.PACKAGES)
def test_packages_of_the_benchmark_are_lossless(name):
    try:
        coder = bench_codec.PACKAGES[name][0]()
    except ImportError as error:
        pytest.skip(f"{error}; {bench_codec.PACKAGES[name][1]}")
    size, *_ = bench_codec.measure(coder, tensors()["m"][0], 1)
    assert 0 < size < 20_000


def test_only_the_first_values_of_a_tensor_count():
    tensor = tensors()["m"][0]
    assert bench_codec.shortened(tensor, None) is tensor
    shorter = bench_codec.shortened(tensor, 300)
    np.testing.assert_array_equal(shorter.values, tensor.values[:300])


def test_a_coder_that_changes_a_value_is_caught():
    (honest, *_) = bench_codec.contestants()

    def wrong(case, coded):
        values = honest.decode(case, coded)
        values[-1] ^= 1
        return values

    liar = bench_codec.Contestant("liar", 1, honest.prepare, honest.encode, wrong, honest.size)
    with pytest.raises(bench_codec.InputError, match="liar did not restore tensor 'a'"):
        bench_codec.measure(liar, tensors()["m"][0], 1)


def rounded_codec(max_error: int, compiled: bool = True) -> Codec:
    """One that drops the lowest bit of each value."""

    def encode(values: np.ndarray, value_w: int) -> Bits:
        return Bits(8 * values.size, (values & 0xFE).tobytes())

    def decode(stream: Bits, count: int, value_w: int) -> np.ndarray:
        return np.frombuffer(stream.data, np.uint8).astype(np.int64)

    return Codec("new", "New", encode, decode, max_error=max_error, compiled=compiled)


def test_a_compiled_codec_that_is_added_to_the_list_takes_part(monkeypatch):
    monkeypatch.setattr(bench_codec, "CODECS", [rounded_codec(1), rounded_codec(1, False)])
    (added,) = bench_codec.contestants()
    assert added.name == "New"
    assert bench_codec.measure(added, tensors()["m"][0], 1)[0] == 20_000


def test_a_codec_that_changes_a_value_by_more_than_it_says_is_caught():
    coder = bench_codec.as_listed(rounded_codec(0))
    with pytest.raises(bench_codec.InputError, match="New did not restore tensor 'a'"):
        bench_codec.measure(coder, tensors()["m"][0], 1)


def test_solver_report_compares_both_methods():
    counts = {tensor.name: histogram(tensor.values, 8) for tensor in tensors()["m"]}
    report = bench_solver.run(counts, 1)
    assert report["proven"] == 2
    for row in report["tensors"]:
        assert row["entropy_bits"] == entropy_bits(counts[row["tensor"]])
        assert row["entropy_bits"] <= row["exact"]["bits"] <= row["paper"]["bits"]
    assert report["summary"]["exact"]["over_entropy"] < 0.01
    text = bench_solver.markdown(json.loads(json.dumps(report)))
    assert "| exact |" in text and "| paper |" in text


def test_16_bit_rules_are_compared_in_bits_a_value():
    rng = np.random.default_rng(0)
    array = rng.normal(0, 0.05, 3000).astype(np.float32)
    cases = [
        bench_solver.Case("m", "t", kind, histogram(values, 16))
        for kind, values in bench_solver.patterns_of(array).items()
    ]
    rows = bench_solver.run_wide(cases, every=False)
    assert {row["kind"] for row in rows} == {"BF16", "FP16", "int16"}
    for row in rows:
        assert row["entropy_bits"] <= row["bits"] <= 16.1 * row["values"]
    bits = {(row["kind"], row["rule"]): row["bits"] for row in rows}
    for kind in ("BF16", "FP16", "int16"):
        assert bits[kind, "multiples of 16"] <= bits[kind, "multiples of 256"]
    text = bench_solver.wide_markdown(json.loads(json.dumps(rows)))
    bf16 = bits["BF16", "adaptive, 1,024 cells"] / 3000
    assert f"| adaptive, 1,024 cells | {bf16:.4f} |" in text and "| entropy |" in text


def test_every_boundary_is_a_rule_when_asked_for():
    counts = np.ones(1 << 16, dtype=np.int64)
    every = bench_solver.boundary_rules(counts, every=True)["every boundary"]
    np.testing.assert_array_equal(every, np.arange((1 << 16) + 1))
    assert "every boundary" not in bench_solver.boundary_rules(counts, every=False)


@pytest.mark.parametrize("bench", [bench_codec, bench_solver])
def test_an_unknown_model_is_one_line(bench, tmp_path, capsys):
    assert bench.main(["--model", "nosuch", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
