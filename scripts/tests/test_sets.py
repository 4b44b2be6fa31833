# SPDX-License-Identifier: Apache-2.0
"""What benches state is read as they state it, and what is wrong is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.sim import sets
from tb.sim.sets import SetsError, bench_files, bench_of, read_bench

GOOD = """
import nothing_that_is_there

PARAMETERS = ("IN_W", "OUT_W")
SETS = {"narrow": (3, 4), "wide": (64, 32)}
ILLEGAL = {"IN_W": (0, 65), "both": {"IN_W": 1, "OUT_W": 2}}
MUTATED = "wide"
ICARUS_ROUNDS = {"wide": 2}
MEANINGFUL = (("m_data", "m_valid"),)
"""


def read(folder: Path, text: str, module: str = "cell_gearbox") -> sets.Bench:
    path = folder / f"{module}.py"
    path.write_text(text)
    return read_bench(path)


def test_a_bench_is_read_without_running_it(tmp_path: Path) -> None:
    bench = read(tmp_path, GOOD)
    assert bench.module == "cell_gearbox"
    assert bench.sets == {"narrow": {"IN_W": 3, "OUT_W": 4}, "wide": {"IN_W": 64, "OUT_W": 32}}
    assert bench.illegal == {
        "IN_W-0": {"IN_W": 0},
        "IN_W-65": {"IN_W": 65},
        "both": {"IN_W": 1, "OUT_W": 2},
    }
    assert (bench.mutated, bench.meaningful) == ("wide", (("m_data", "m_valid"),))
    assert bench.sources[0].name == "cell_gearbox.v"


def test_what_may_be_left_out(tmp_path: Path) -> None:
    bench = read(tmp_path, 'PARAMETERS = ("IN_W",)\nSETS = {"a": (1,), "b": (2,)}\n')
    assert (bench.mutated, bench.illegal, bench.meaningful) == ("a", {}, ())
    assert bench.icarus_rounds == {}


def test_rounds_are_fewer_on_icarus_unless_asked_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("ROUNDS", raising=False)
    bench = read(tmp_path, GOOD)
    assert bench.rounds("wide", "icarus") == {"ROUNDS": "2"}
    assert bench.rounds("narrow", "icarus") == bench.rounds("wide", "verilator") == {}
    assert read(tmp_path, GOOD.replace('{"wide": 2}', "5")).rounds("narrow", "icarus") == {
        "ROUNDS": "5"
    }
    monkeypatch.setenv("ROUNDS", "9")
    assert bench.rounds("wide", "icarus") == bench.rounds("narrow", "verilator") == {"ROUNDS": "9"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('PARAMETERS = ("IN_W", "OUT_W")', "", "PARAMETERS is no tuple of names"),
        ('"OUT_W")\nSETS', '"IN_W")\nSETS', "PARAMETERS has a name twice"),
        ('"OUT_W")\nSETS', '"OUTW")\nSETS', "PARAMETERS: cell_gearbox.v has no parameter OUTW"),
        ("SETS = {", "OTHERS = {", "SETS is no mapping of names to values"),
        ("(3, 4)", "(3,)", "SETS: narrow has 1 values for 2 parameters"),
        ("(3, 4)", "(3, True)", "SETS: narrow is no tuple of numbers"),
        ("(3, 4)", "(64, 32)", "SETS: narrow and wide are the same"),
        ("(3, 4)", "(3, 2 * 2)", "SETS is no literal"),
        ('"narrow"', '"wide"', "SETS has a name twice"),
        ('"narrow"', '"a narrow one"', "SETS: 'a narrow one' is no name of letters"),
        ("(0, 65)", "0", "ILLEGAL: IN_W is no tuple"),
        ('"both": {"IN_W"', '"both": {"IN"', "ILLEGAL: both: there is no parameter IN"),
        ('"IN_W": (0', '"IN": (0', "ILLEGAL: IN: there is no parameter IN"),
        ('{"IN_W": 1, "OUT_W": 2}', "{}", "ILLEGAL: both has no numbers"),
        ('MUTATED = "wide"', 'MUTATED = "wid"', "MUTATED: there is no set wid"),
        ('MUTATED = "wide"', 'MUTATED = "wide"\nMUTATED = "wide"', "MUTATED is stated twice"),
        ('{"wide": 2}', '{"wid": 2}', "ICARUS_ROUNDS: there is no set wid"),
        ('{"wide": 2}', "0", "ICARUS_ROUNDS is neither a number above 0 nor a mapping"),
        ('(("m_data", "m_valid"),)', '("m_data", "m_valid")', "MEANINGFUL is no tuple of pairs"),
        ("import nothing", "import not ", "is no Python"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(SetsError) as raised:
        read(tmp_path, GOOD.replace(old, new))
    assert message in str(raised.value)
    assert "cell_gearbox.py" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_module_that_is_not_in_rtl_has_its_sources_beside_the_bench(tmp_path: Path) -> None:
    text = 'SOURCES = ("pair.v", "part.v")\nPARAMETERS = ("W",)\nSETS = {"one": (1,)}\n'
    with pytest.raises(SetsError, match="there is no such module in rtl/, nor SOURCES"):
        read(tmp_path, text.replace("SOURCES", "SOURCE"), "pair")
    with pytest.raises(SetsError, match=r"there is no pair\.v beside it"):
        read(tmp_path, text, "pair")
    (tmp_path / "pair.v").write_text("module pair #(parameter W = 1) ();\n cell_skid a ();\n")
    (tmp_path / "part.v").write_text("module part (); endmodule\n")
    names = [path.stem for path in read(tmp_path, text, "pair").sources]
    assert names == ["pair", "part", "cell_skid"]
    with pytest.raises(SetsError, match=r"the first is not pair\.v"):
        read(tmp_path, text.replace('"pair.v", "part.v"', '"part.v", "pair.v"'), "pair")


def test_a_module_without_a_bench_says_where_it_belongs(monkeypatch) -> None:
    monkeypatch.setattr(sets, "bench_files", dict)
    with pytest.raises(SetsError, match=r"needs tb/cell/cell_skid\.py with SETS"):
        bench_of.__wrapped__("cell_skid")


def test_two_benches_of_a_module_are_told(monkeypatch, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / "tb" / folder).mkdir(parents=True)
        (tmp_path / "tb" / folder / "cell_skid.py").write_text("")
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    with pytest.raises(SetsError, match="cell_skid has two benches"):
        bench_files.__wrapped__()
