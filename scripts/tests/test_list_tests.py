# SPDX-License-Identifier: Apache-2.0
"""make list: what there is to test, in groups."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts import list_tests
from scripts.list_tests import hardware_lines, main, software_lines, wrapped
from scripts.runs.collect import ROOT, Collected, NothingSelected
from tb.sim.cocotb_run import chosen_simulator

HARDWARE = [
    "tb/test_modules.py::test_module[apack_table-default]",
    "tb/test_modules.py::test_module[apack_table-one-row]",
    "tb/test_modules.py::test_module[apack_compressor-one-engine]",
    "tb/apack/test_tops.py::test_most_engines[apack_compressor]",
    "tb/test_modules.py::test_module[apack_loop-wide]",
    "tb/apack/bulk/test_bulk.py::test_changes[0-a word, 3]",
    "tb/apack/bulk/test_bulk.py::test_changes[1-a word, 4]",
    "tb/apack/uvm/test_uvm.py::test_one[Tables]",
    "tb/apack/uvm/test_uvm.py::test_one[Streams]",
    "tb/apack/uvm/test_uvm.py::test_two[Streams]",
]


def test_hardware_is_listed_by_system_and_module_with_names_of_sets() -> None:
    assert hardware_lines(HARDWARE) == [
        "apack / apack_compressor: one-engine, most_engines",
        "apack / apack_loop: wide",
        "apack / apack_table: default, one-row",
        "apack / test_bulk: changes (2)",
        "apack / test_uvm: Tables, one Streams, two Streams",
    ]


def test_the_rest_is_counted_by_file() -> None:
    nodes = ["model/test_a.py::test_x[1]", "model/test_a.py::test_x[2]", "model/test_b.py::test_y"]
    assert software_lines(nodes) == ["model/test_a.py: 2 tests", "model/test_b.py: 1 test"]


def test_lines_are_broken_for_a_terminal_only() -> None:
    line = "apack / cell_crc32: " + ", ".join(f"set-{number}" for number in range(40))
    assert wrapped(line, 0) == line
    broken = wrapped(line, 80).splitlines()
    assert max(map(len, broken)) <= 80 and len(broken) > 4
    assert all(text.startswith("    ") for text in broken[1:])


def collected(parts: dict[str, Collected | Exception]):
    def collect(selection: str | None, sim: str, place: tuple[str, ...]) -> Collected:
        part = parts[place[0]]
        if isinstance(part, Exception):
            raise part
        return part

    return collect


def test_a_selection_counts_what_it_leaves_out(monkeypatch, capsys) -> None:
    parts = {"tb": Collected(HARDWARE[:2], HARDWARE[2:]), "model": NothingSelected("x", ["a::b"])}
    monkeypatch.setattr(list_tests, "collect_all", collected(parts))
    assert main(["--test", "apack_table"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "apack / apack_table: default, one-row",
        "",
        "2 of 11 tests match TEST='apack_table': 2 of the hardware, 0 of model and scripts",
    ]


def test_a_selection_of_nothing_is_one_line(monkeypatch, capsys) -> None:
    nothing = {place: NothingSelected("x", ["a::b"]) for place in ("tb", "model")}
    monkeypatch.setattr(list_tests, "collect_all", collected(nothing))
    assert main(["--test", "x"]) == 2
    assert capsys.readouterr().err == "list: no test matches TEST='x'\n"


@pytest.mark.parametrize("selection", ["a and", "(", "a b"])
def test_what_is_no_selection_is_one_line(capsys, selection: str) -> None:
    assert main(["--test", selection]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"list: TEST={selection!r} is no selection: ")


def listed(program: str, **options) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def test_what_pytest_selects_is_listed_as_plain_text() -> None:
    program = "from scripts import list_tests\nlist_tests.PLACES = [('tb/test_modules.py',)] * 2"
    program += f"\nlist_tests.main(['--sim', '{chosen_simulator()}', '--test', 'cell_crc32'])"
    with listed(program) as process:
        output, error = process.communicate()
    line = "cell / cell_crc32: default, smallest, two-bytes, wide"
    assert (output.splitlines()[0], error) == (line, "")
    assert "\x1b" not in output


def test_a_closed_pipe_is_no_fault() -> None:
    program = (
        "import sys; from scripts import list_tests as l; from scripts.runs.collect import "
        "Collected; nodes = [f'tb/apack/test_{n}.py::test_x' for n in range(20000)]; "
        "l.collect_all = lambda *_: Collected(nodes, []); sys.exit(l.main([]))"
    )
    with listed(program) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, "")
