"""The benchmarks of codec and solver on small tensors, and their mistakes."""

import json

import numpy as np
import pytest

from model.apack import entropy_bits, histogram
from model.tensors import Tensor
from scripts import bench_codec, bench_solver


def tensors() -> dict[str, list[Tensor]]:
    rng = np.random.default_rng(0)
    drawn = rng.laplace(0, 9, (2, 20_000)).round().astype(np.int8).view(np.uint8)
    return {"m": [Tensor("a", drawn[0], "int8"), Tensor("b", drawn[1], "int8")]}


def test_every_coder_is_lossless_and_reported():
    report = bench_codec.run(tensors(), 1)
    names = [coder["name"] for coder in report["coders"]]
    assert names[0] == "APack" and len(names) >= 6
    for coder in report["coders"]:
        assert coder["encode_mb_s"] > 0 and coder["decode_mb_s"] > 0
    entropy = report["models"]["m"]["entropy_bytes"] / report["values"]
    assert entropy < report["coders"][0]["ratio"] < 1.01 * entropy
    text = bench_codec.markdown(json.loads(json.dumps(report)))
    assert all(name in text for name in names)


def test_a_coder_that_changes_a_value_is_caught():
    (honest, *_) = bench_codec.contestants()

    def wrong(case, coded):
        values = honest.decode(case, coded)
        values[-1] ^= 1
        return values

    liar = bench_codec.Contestant("liar", 1, honest.prepare, honest.encode, wrong, honest.size)
    with pytest.raises(bench_codec.ApackError, match="liar did not restore tensor 'a'"):
        bench_codec.measure(liar, tensors()["m"][0], 1)


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


@pytest.mark.parametrize("bench", [bench_codec, bench_solver])
def test_an_unknown_model_is_one_line(bench, tmp_path, capsys):
    assert bench.main(["--model", "nosuch", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
