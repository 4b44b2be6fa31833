# SPDX-License-Identifier: Apache-2.0
"""-o: standard output, links, pipes, and what cannot be written."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from model.apack import SymbolTable
from model.apack.container import Container
from model.tests.apack.golden_tensors import FOLDER

ROOT = Path(__file__).parents[3]
MIXED = str(FOLDER / "mixed.apack")


def command(*arguments: object, **options) -> subprocess.CompletedProcess:
    """Runs a command as a process of its own, whose standard output is a pipe by default."""
    return subprocess.run(
        [sys.executable, "-m", "model", *map(str, arguments)],
        **{"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        check=False,
    )


@pytest.fixture
def weights(tmp_path):
    values = np.random.default_rng(0).laplace(0, 9, (60, 200)).clip(-128, 127)
    np.save(tmp_path / "w.npy", values.astype(np.int8))
    return tmp_path / "w.npy"


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1"])
def test_compress_writes_nothing_but_the_container_to_standard_output(weights, tmp_path, output):
    done = command("compress", weights, "-o", output)
    assert done.returncode == 0, done.stderr
    (tmp_path / "w.apack").write_bytes(done.stdout)
    with Container(tmp_path / "w.apack") as container:
        assert container.record("w").shape == (60, 200)
    assert b"everything included" in done.stderr
    assert not (ROOT / "-").exists() and not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    ("file_format", "names"),
    [
        ("npz", lambda data: np.load(io.BytesIO(data)).files),
        ("safetensors", lambda data: list(load(data))),
    ],
)
def test_decompress_to_standard_output(file_format, names):
    done = command("decompress", MIXED, "--format", file_format, "-o", "-")
    assert done.returncode == 0, done.stderr
    assert {"skewed", "naïve/вес"} < set(names(done.stdout))
    assert b"skewed" in done.stderr and b"note: 1 of 6" in done.stderr


def test_standard_output_has_no_ending_to_tell_the_format():
    done = command("decompress", MIXED, "-o", "-")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"choose one of these with --format" in done.stderr and done.stderr.count(b"\n") == 1


def test_tables_to_standard_output(weights, tmp_path):
    np.save(tmp_path / "h.npy", np.bincount(np.load(weights).view(np.uint8).ravel(), minlength=256))
    for arguments in (("solve", tmp_path / "h.npy"), ("profile", weights, "--unseen", weights)):
        done = command(*arguments, "-o", "-")
        assert done.returncode == 0, done.stderr
        assert SymbolTable.from_json(done.stdout.decode()).value_w == 8
        assert b"probability" in done.stderr
    done = command("solve", tmp_path / "h.npy", "-o", "-", "--json")
    assert json.loads(done.stderr)["table"] == json.loads(done.stdout)


def test_standard_output_into_a_file_keeps_what_is_there(weights, tmp_path):
    with (tmp_path / "out").open("wb") as out:
        out.write(b"before")
        out.flush()
        assert command("compress", weights, "-o", "-", stdout=out).returncode == 0
    assert (tmp_path / "out").read_bytes().startswith(b"before\x89APACK\r\n")


def test_a_reader_that_leaves_ends_the_command_quietly(weights):
    read, write = os.pipe()
    os.close(read)
    for arguments, unbuffered in (
        (("compress", weights, "-o", "-"), ""),
        (("info", MIXED), ""),
        (("info", MIXED), "1"),
    ):
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        done = command(*arguments, stdout=write, env=environment)
        assert done.returncode == 1 and b"rror" not in done.stderr, done.stderr
    os.close(write)


def test_binary_output_is_kept_off_a_terminal(weights):
    ours, theirs = os.openpty()
    try:
        done = command("compress", weights, "-o", "-", stdout=theirs)
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    assert b"is a terminal, and the output is binary; redirect it" in done.stderr


def test_closed_standard_output_is_one_line(weights):
    script = '"$0" -m model "$@" >&-'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, "compress", str(weights), "-o", "-"],
        cwd=ROOT, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == b"model: /dev/stdout is closed; name a file for the output\n"
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, "info", MIXED],
        cwd=ROOT, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_one_line(weights):
    # Only written into through descriptors, which cannot replace the device.
    with Path("/dev/full").open("wb") as full:
        for arguments in (("compress", weights, "-o", "-"), ("info", MIXED)):
            done = command(*arguments, stdout=full)
            assert done.returncode == 2
            last = done.stderr.decode().splitlines()[-1]
            assert "No space left on device" in last and last.startswith("model: ")
            assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr
        assert last == "model: standard output: No space left on device"


@pytest.mark.parametrize("kind", ["itself", "link", "hard link"])
@pytest.mark.parametrize("name", ["compress", "decompress", "solve", "profile"])
def test_the_input_is_never_the_output(weights, tmp_path, fail, name, kind):
    source = tmp_path / "source.npy"
    source.write_bytes(Path(MIXED if name == "decompress" else weights).read_bytes())
    before = source.read_bytes()
    output = source if kind == "itself" else tmp_path / "output.npy"
    if kind == "link":
        output.symlink_to(source)
    elif kind == "hard link":
        output.hardlink_to(source)
    assert f"is the input {source}" in fail(name, source, "-o", output)
    assert source.read_bytes() == before


def test_the_input_is_not_written_through_standard_output_either(weights):
    before = weights.read_bytes()
    with weights.open("ab") as out:
        done = command("compress", weights, "-o", "-", stdout=out)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done.stderr
    assert b"is the input" in done.stderr
    assert weights.read_bytes() == before


def test_an_unseen_input_is_never_the_output(weights, tmp_path, fail):
    (tmp_path / "link").symlink_to(weights)
    other = tmp_path / "o.npy"
    other.write_bytes(weights.read_bytes())
    assert "is the input" in fail("profile", other, "--unseen", weights, "-o", tmp_path / "link")


def test_every_command_follows_links(weights, tmp_path, run):
    np.save(tmp_path / "h.npy", np.ones(256, dtype=int))
    (tmp_path / "folder").mkdir()
    for arguments in (
        ("compress", weights),
        ("decompress", MIXED, "--format", "npz"),
        ("solve", tmp_path / "h.npy"),
        ("profile", weights),
    ):
        link = tmp_path / f"{arguments[0]}.link"
        link.symlink_to(f"folder/{arguments[0]}")
        for _ in ("makes the target", "replaces the target"):
            run(*arguments, "-o", link)
            assert link.is_symlink()
            assert (tmp_path / "folder" / arguments[0]).stat().st_size > 0


def test_every_command_writes_into_a_fifo(weights, tmp_path, run):
    np.save(tmp_path / "h.npy", np.ones(256, dtype=int))
    os.mkfifo(tmp_path / "fifo")
    for arguments, start in (
        (("compress", weights), b"\x89APACK"),
        (("decompress", MIXED, "--format", "npz"), b"PK"),
        (("solve", tmp_path / "h.npy"), b"{"),
        (("profile", weights), b"{"),
    ):
        reader = subprocess.Popen(["cat", str(tmp_path / "fifo")], stdout=subprocess.PIPE)
        run(*arguments, "-o", tmp_path / "fifo")
        assert reader.communicate()[0].startswith(start)
        assert (tmp_path / "fifo").is_fifo()


@pytest.mark.parametrize("output", ["", "new/", "new//"])
def test_what_no_file_can_be_called_is_one_line(weights, tmp_path, fail, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    message = fail("compress", weights, "-o", output)
    assert f"-o/--output: {output!r} does not name a file" in message
    assert [path.name for path in tmp_path.iterdir()] == ["w.npy"]


def test_a_folder_or_a_missing_one_is_one_line(weights, tmp_path, fail):
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "astray").symlink_to("nowhere/x")
    assert "is a folder" in fail("compress", weights, "-o", tmp_path / "link")
    assert "No such file" in fail("compress", weights, "-o", tmp_path / "astray")
    assert "there is no folder" in fail("solve", weights, "-o", tmp_path / "nowhere" / "x")
    assert "File name too long" in fail("compress", weights, "-o", tmp_path / ("x" * 300))


def test_the_table_is_no_output(weights, tmp_path, run, fail):
    table = tmp_path / "table.json"
    run("profile", weights, "-o", table)
    kept = table.read_bytes()
    assert "is the input" in fail("compress", weights, "--table", table, "-o", table)
    assert table.read_bytes() == kept
