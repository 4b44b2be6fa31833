# SPDX-License-Identifier: Apache-2.0
"""The waveforms for people: which test is run, how signals are grouped, what the texts say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import pywellen
from vcd import VCDWriter

from model.apack.blocks import BlockHeader
from scripts.runs.collect import ROOT
from scripts.runs.jobs import FAILED, TIMED_OUT, Job, Outcome
from scripts.waves.command import WavesError, only_one, prepare
from scripts.waves.files import WAVES_WIDTH, write_gtkwave, write_surfer, write_vcd
from scripts.waves.signals import groups_of
from tb.apack.env.register_map import register_map
from tb.sim.cocotb_run import chosen_simulator
from tb.sim.transactions import Note, transactions
from tb.sim.waveform import Group, Waveform

TOYS = "scripts/tests/regress_toys.py"
PERIOD = 10
FAILS_AT_NS = 1  # test_told_to_fail
TOP = "apack_made"  # a module of APack, by its name
BUS = ("aw", "w", "b", "ar", "r")
PORTS = {
    "clk": 1, "rst": 1, "irq": 1,
    **{f"s_axil_{channel}{end}": 1 for channel in BUS for end in ("valid", "ready")},
    "s_axil_awaddr": 8, "s_axil_wdata": 32, "s_axil_araddr": 8, "s_axil_rdata": 32,
    "s_axis_values_tdata": 32, "s_axis_values_tkeep": 4, "s_axis_values_tvalid": 1,
    "s_axis_values_tready": 1, "s_axis_values_tlast": 1,
    "m_axis_memory_tdata": 64, "m_axis_memory_tkeep": 8, "m_axis_memory_tvalid": 1,
    "m_axis_memory_tready": 1, "m_axis_memory_tlast": 1,
    "m_code_valid": 1, "m_code_data": 8, "m_code_last": 1,
    "s_block_valid": 1, "s_block_ready": 1, "s_block_count": 8, "s_block_pieces": 8,
    "s_block_raw": 1, "s_block_lost": 1, "s_block_last": 1,
    "status_busy": 1, "state_reg": 2, "state_valid": 1,
    "g_channel[0].engine_inst.low_reg": 16, "g_channel[0].engine_inst.low": 16,
    "g_channel[0].engine_inst.wide_reg": 300, "registers_inst.events_reg": 9,
}  # fmt: skip


def word(name: str, **fields: int) -> int:
    return register_map()[name].word(**fields)


def write(name: str, data: int) -> dict[str, int]:
    return {
        "s_axil_awvalid": 1, "s_axil_awready": 1, "s_axil_awaddr": register_map()[name].address,
        "s_axil_wvalid": 1, "s_axil_wready": 1, "s_axil_wdata": data,
    }  # fmt: skip


def values(data: int, keep: int, **more: int) -> dict[str, int]:
    beat = {"tdata": data, "tkeep": keep, "tvalid": 1, "tready": 1, **more}
    return {f"s_axis_values_{name}": value for name, value in beat.items()}


def memory(data: bytes, **more: int) -> dict[str, int]:
    word = int.from_bytes(data, "little")
    beat = {"tdata": word, "tkeep": 0xFF, "tvalid": 1, "tready": 1, **more}
    return {f"m_axis_memory_{name}": value for name, value in beat.items()}


@pytest.fixture
def record(tmp_path: Path):
    """Writes a waveform whose signals have these values in these cycles, and 0 otherwise."""

    def record(cycles: list[dict[str, int]], top: str = TOP) -> Waveform:
        path = tmp_path / "made.vcd"
        with path.open("w") as file, VCDWriter(file, "1 ns") as writer:
            signals = {
                name: writer.register_var(
                    f"{top}.{name}".rpartition(".")[0],
                    name.rpartition(".")[2],
                    "wire",
                    bits,
                    init=0,
                )
                for name, bits in PORTS.items()
            }
            width = writer.register_var(top, "VALUE_W", "parameter", 32, init=8)
            writer.change(width, 0, 8)
            for cycle, held in enumerate(cycles):
                begin = PERIOD * cycle
                for name, signal in signals.items():
                    if name != "clk":
                        writer.change(signal, begin, held.get(name, 0))
                writer.change(signals["clk"], begin + PERIOD // 2, 0)
                writer.change(signals["clk"], begin + PERIOD, 1)
        return Waveform(path)

    return record


def texts(waveform: Waveform, stream: str) -> list[Note]:
    return transactions(waveform, groups_of(waveform))[stream]


def test_signals_are_grouped_by_what_they_belong_to(record) -> None:
    groups = {group.name: group for group in groups_of(record([{}]))}
    assert list(groups) == [
        "clock and reset", "stream s_axis_values", "stream s_block", "stream m_axis_memory",
        "stream m_code", "registers", "status", f"state of {TOP}",
        "state of g_channel[0].engine_inst",
    ]  # fmt: skip
    assert groups["clock and reset"].signals == ("clk", "rst")
    assert {"irq", "s_axil_bvalid", "registers_inst.events_reg"} <= {*groups["registers"].signals}
    assert len(groups["stream m_axis_memory"].signals) == 5
    assert groups[f"state of {TOP}"].signals == ("state_reg",)
    assert groups["state of g_channel[0].engine_inst"].signals == (
        "g_channel[0].engine_inst.low_reg",
    )


def test_registers_are_named(record) -> None:
    status = register_map()["STATUS"].address
    waveform = record(
        [
            write("BLOCK", 4),
            {"s_axil_arvalid": 1, "s_axil_arready": 1, "s_axil_araddr": status},
            {"s_axil_rvalid": 1, "s_axil_rready": 1, "s_axil_rdata": word("STATUS", BUSY=1)},
            {"s_axil_rvalid": 1, "s_axil_rready": 0},
            {"s_axil_awvalid": 1, "s_axil_awready": 1, "s_axil_awaddr": 0xFC},
            {"s_axil_wvalid": 1, "s_axil_wready": 1, "s_axil_wdata": 1},
        ]
    )
    assert texts(waveform, "s_axil") == [
        Note(0, 10, "write BLOCK = 0x4"),
        Note(20, 30, "read STATUS = 0x1 (BUSY)"),
        Note(50, 60, "write 0xFC = 0x1 (no register)"),
    ]


def test_values_come_with_their_block_and_symbols(record) -> None:
    waveform = record(
        [
            write("BLOCK", 4),
            write("TABLE_BASE", 0),
            write("TABLE_CUM", word("TABLE_CUM", CUM=512)),
            write("TABLE_BASE", 16),
            write("TABLE_CUM", word("TABLE_CUM", CUM=1024, LAST=1)),
            write("CONTROL", word("CONTROL", START=1)),
            values(0x12100F00, 0xF),
            {**values(0x12100F00, 0xF), "s_axis_values_tready": 0},
            values(0xFF, 0x1, tlast=1),
            {"rst": 1, **values(0, 0xF)},
            values(0x05, 0x1),
        ]
    )
    assert [note.text for note in texts(waveform, "s_axis_values")] == [
        "block 0, value 0: 0 15 16 18 symbols 0 0 1 1",
        "block 1, value 4: 255 symbols 1, last",
        "block 0, value 0: 5 symbols 0",
    ]


def test_ports_of_a_system_that_says_nothing_of_them_are_described_plainly(record) -> None:
    waveform = record(
        [
            {**write("BLOCK", 4), **values(0xF00, 3)},
            {"s_axil_rvalid": 1, "s_axil_rready": 1, "s_axil_rdata": 7, **values(5, 1, tlast=1)},
            {"rst": 1, **values(6, 1)},
            values(7, 1),
        ],
        top="other_made",
    )
    address = register_map()["BLOCK"].address
    assert [note.text for note in texts(waveform, "s_axil")] == [
        f"write 0x{address:02X} = 0x4", "read 0x00 = 0x7",
    ]  # fmt: skip
    assert [note.text for note in texts(waveform, "s_axis_values")] == [
        "values 0: 0xF00", "values 1: 0x5, last", "values 0: 0x7",
    ]  # fmt: skip


def test_headers_and_pieces_of_memory_words_are_decoded(record) -> None:
    header, raw = BlockHeader(5, False, 0xDEADBEEF).to_bytes(), BlockHeader(1, True, 1).to_bytes()
    waveform = record(
        [
            memory(header),
            memory(bytes(range(8))),
            memory(bytes([0xAB, 0xCD, *bytes(6)])),
            memory(raw),
            memory(bytes([7, *bytes(7)]), tlast=1),
            memory(header[:3] + b"\0" + header[4:]),
            memory(header),
            memory(bytes(8), tkeep=0, tlast=1),
            memory(raw),
        ]
    )
    assert [note.text for note in texts(waveform, "m_axis_memory")] == [
        "block 0: 5 pieces, CRC DEADBEEF",
        "block 0: 0001 0203 0405 0607",
        "block 0: ABCD",
        "block 1: raw, 1 piece, CRC 00000001",
        "block 1: 0700, last",
        "block 0: broken header",
        "behind a broken header",
        "no word, last",
        "block 0: raw, 1 piece, CRC 00000001",
    ]


def test_records_of_blocks_are_described(record) -> None:
    valid = {"s_block_valid": 1, "s_block_ready": 1}
    waveform = record(
        [
            valid | {"s_block_count": 64, "s_block_pieces": 20},
            valid | {"s_block_count": 64, "s_block_pieces": 32, "s_block_raw": 1},
            valid | {"s_block_count": 5, "s_block_lost": 1, "s_block_last": 1},
        ]
    )
    assert [note.text for note in texts(waveform, "s_block")] == [
        "block of 64 values, 20 pieces",
        "block of 64 values, 32 pieces, raw",
        "block of 5 values, 0 pieces, lost, last",
    ]


def test_a_text_stands_until_the_next(record, tmp_path: Path) -> None:
    block = write("BLOCK", 4)
    waveform = record([{}, block, {}, values(7, 1), values(8, 1), block, block, {}, {}])
    groups = groups_of(waveform)
    path = tmp_path / "texts.vcd"
    write_vcd(path, waveform, groups, transactions(waveform, groups))
    written = {one.full_name: one.signal for one in pywellen.Waveform(str(path)).all_vars()}
    texts = written["transactions.registers_text"]
    assert [texts.value_at(time) for time in (9, 10, 25, 49)] == ["", *3 * ["write_BLOCK_=_0x4"]]
    assert texts.value_at(50) == "write_BLOCK_=_0x4_#2", "a repeated one is seen to be new"
    assert texts.value_at(waveform.end) == "write_BLOCK_=_0x4_#3"
    assert written["transactions.s_axis_values_text"].value_at(45) == "block_0,_value_1:_8"
    assert written[f"{TOP}.s_axis_values_tdata"].value_at(45) == 8


def test_viewers_find_every_signal_they_are_told_of(record, tmp_path: Path) -> None:
    waveform = record([write("BLOCK", 4), values(7, 1)])
    groups = groups_of(waveform)
    dump = tmp_path / "texts.vcd"
    write_vcd(dump, waveform, groups, transactions(waveform, groups))
    known = {one.full_name for one in pywellen.Waveform(str(dump)).all_vars()}
    write_surfer(tmp_path / "x.sucl", waveform, groups, texts=True)
    write_gtkwave(tmp_path / "x.gtkw", dump, waveform, groups, texts=True)
    commands = (tmp_path / "x.sucl").read_text().splitlines()
    told = {line.split()[1] for line in commands if line.startswith("variable_add")}
    assert told == known
    save = (tmp_path / "x.gtkw").read_text()
    assert 'dumpfile] "texts.vcd"' in save
    assert f"{TOP}.s_axis_values_tdata[31:0]" in save and "-stream s_axis_values" in save
    assert all(name in save for name in known)


@pytest.mark.parametrize("marker", [None, 35])
def test_viewers_open_on_the_whole_waveform_and_the_failure(
    record, tmp_path: Path, marker: int | None
) -> None:
    waveform = record([{}, values(7, 1), {}, {}])
    groups = groups_of(waveform)
    save, commands = tmp_path / "x.gtkw", tmp_path / "x.sucl"
    write_gtkwave(save, waveform.path, waveform, groups, texts=False, marker=marker)
    write_surfer(commands, waveform, groups, texts=False, marker=marker)
    lines = save.read_text().splitlines()
    (view,) = (line[1:].split() for line in lines if line.startswith("*"))
    shown = 2 ** -float(view[0]) * WAVES_WIDTH / 200  # GTKWave's zoom is that of 200 pixels
    assert shown == pytest.approx(waveform.end) and waveform.end == 40
    size = waveform.path.stat().st_size
    assert f"[dumpfile_size] {size}" in lines and "[timestart] 0" in lines
    orders = commands.read_text().splitlines()
    assert orders[-1] == "zoom_fit"
    if marker is None:
        assert set(view[1:]) == {"-1"} and "failure" not in save.read_text()
        assert "_set" not in commands.read_text()
    else:
        assert view[1:4] == ["35", "35", "-1"] and "[markername] Afailure" in lines
        assert orders[-3:-1] == ["marker_set failure 35", "cursor_set 35"]


def test_a_design_without_a_clock_has_groups_and_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "made.vcd"
    with path.open("w") as file, VCDWriter(file, "1 ns") as writer:
        writer.change(writer.register_var("adder", "sum", "wire", 4, init=0), 5, 3)
    waveform = Waveform(path)
    groups = groups_of(waveform)
    assert groups == [Group("signals", ("sum",))]
    assert transactions(waveform, groups) == {}


def waves(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.waves", "--sim", chosen_simulator()]
    command += ["--tests", TOYS, "--folder", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(("test", "code"), [("test_counts", 0), ("told", 1)])
def test_a_test_leaves_what_a_viewer_opens(tmp_path: Path, test: str, code: int) -> None:
    done = waves(tmp_path, "--test", test, "--seed", "3")
    assert done.returncode == code, done.stderr
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {
        *("waves.fst", "waves.gtkw", "waves.sucl", "sim.log", "pytest.log", "results.xml"),
        *("transactions.vcd", "transactions.gtkw", "transactions.sucl"),
    }
    assert f"gtkwave {folder}/transactions.vcd {folder}/transactions.gtkw" in done.stdout
    told = {Path(path) for path in re.findall(rf"{tmp_path}[^\s,')]*", done.stdout)}
    assert len(told) > 6 and all(path.is_file() for path in told), told
    view = next(line for line in (folder / "waves.gtkw").read_text().splitlines() if line[0] == "*")
    wanted = Waveform(folder / "waves.fst").time_of(FAILS_AT_NS) if code else -1
    assert view.split()[1] == str(wanted), "no marker at the failure"
    waveform = Waveform(folder / "waves.fst")
    assert {"clk", "rst", "count"} <= set(waveform.names)


def outcome_of(log: Path, status: str, message: str = "") -> Outcome:
    job = Job("tb/test_it.py::test_it", 1, "icarus", "test_it", 9, str(log), waves=True)
    return Outcome(job, status, message, log=str(log))


def test_of_several_simulations_the_last_is_shown(record, tmp_path: Path) -> None:
    waveform = record([{}, {}])
    for age, name in enumerate(("z_first", "a_last")):
        run = tmp_path / "log" / "runs" / name
        run.mkdir(parents=True)
        (run / "sim.log").write_text(name)
        shutil.copy(waveform.path, run / "waves.fst")
        os.utime(run / "waves.fst", (age, age))
    (tmp_path / "log" / "pytest.log").touch()
    message = f"log {run}/sim.log"
    found, folder = prepare(
        outcome_of(tmp_path / "log", FAILED, message), tmp_path / "waves", tmp_path
    )
    assert (folder / "sim.log").read_text() == "a_last"
    assert found.message == f"log {folder}/sim.log"
    view = next(line for line in (folder / "waves.gtkw").read_text().splitlines() if line[0] == "*")
    assert view.split()[1] == str(waveform.end), "without results it died at the end"


def test_an_incomplete_waveform_is_one_line(tmp_path: Path) -> None:
    run = tmp_path / "log" / "runs" / "x"
    run.mkdir(parents=True)
    (run / "waves.fst").write_bytes(b"\0\0")
    (tmp_path / "log" / "pytest.log").write_text("its output")
    with pytest.raises(
        WavesError, match=r"test_it timed out without a waveform: .* incomplete"
    ) as it:
        prepare(outcome_of(tmp_path / "log", TIMED_OUT), tmp_path / "waves", tmp_path)
    log = re.search(r"\(log (.*)\)$", str(it.value))
    assert "\n" not in str(it.value) and Path(log[1]).read_text() == "its output"


def test_none_or_several_tests_name_the_candidates() -> None:
    sim = chosen_simulator()
    with pytest.raises(WavesError, match=r"matches 4 tests:\n  TEST='test_short\[0\]'\n"):
        only_one("short", sim, [TOYS])
    with pytest.raises(WavesError, match="matches TEST='test_dyes'; there are:") as error:
        only_one("test_dyes", sim, [TOYS])
    assert str(error.value).splitlines()[1] == "  TEST='test_dies'"
    with pytest.raises(WavesError, match=r"say TEST=\.\.\. to choose one of \d+ tests"):
        only_one("", sim, [TOYS])
    with pytest.raises(WavesError, match="no test that has a waveform"):
        only_one("test_reads_addresses_access_and_fields", sim, ["tb/bus/test_register_map.py"])
    assert only_one("test_dies", sim, [TOYS]).endswith("::test_dies")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--test", "skips"], "test_skips skipped without a waveform: nothing to be done here"),
        (["--test", "a and"], "TEST='a and' is no selection"),
        (["--sim", "vcs"], "unknown simulator 'vcs'"),
        (["--seed", "-1"], "SEED: '-1' is not a whole number of 0 or more"),
    ],
)
def test_bad_use_is_one_line(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    done = waves(tmp_path, *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
