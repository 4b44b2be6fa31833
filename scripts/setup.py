# SPDX-License-Identifier: Apache-2.0
"""Prepare a fresh clone: the Python environment in `.venv` and the tools the system must bring.

Runs before `.venv` exists, so it uses the standard library only. A second run finds everything
in place and returns at once; an interrupted one is repaired by the next.

    python3 scripts/setup.py --need verilator waves
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from ast import literal_eval
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":  # a script by itself, which finds no package
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tb.sim.paths import ROOT
from tb.sim.system import (
    COMPILER,
    FST_HEADERS,
    ICARUS,
    LIBERTY,
    SIMULATORS,
    VENV_MODULE,
    SetupError,
    SystemTool,
    compiler,
    missing,
)

VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements.txt"
LOG = ROOT / "build" / "setup.log"
NEEDS = (*SIMULATORS, "waves", "liberty")
QFLOW = Path("/usr/share/qflow/tech")
LIBERTY_FILE = "osu018/osu018_stdcells.lib"
# What variables of pip may say: where packages come from and how they are fetched. The others, and
# its configuration, could put the packages elsewhere or leave some out.
PIP_MAY = (
    "CACHE_DIR", "CERT", "CLIENT_CERT", "DEFAULT_TIMEOUT", "EXTRA_INDEX_URL",
    "FIND_LINKS", "INDEX_URL", "KEYRING_PROVIDER", "NO_CACHE_DIR", "NO_INDEX", "PROXY", "RETRIES",
    "TIMEOUT", "TRUSTED_HOST",
)  # fmt: skip


def has_venv_module() -> bool:
    """Whether this interpreter can create a virtual environment with pip in it."""
    return find_spec("venv") is not None and find_spec("ensurepip") is not None


def has_icarus() -> bool:
    """Whether both halves of Icarus Verilog are on PATH."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def has_fst_headers() -> bool:
    """Whether the C++ compiler finds the headers that Verilator's FST writer includes."""
    command = compiler()
    if command is None:
        return False
    probe = subprocess.run(
        [*command, "-E", "-x", "c++", "-"],
        input=b"#include <zlib.h>\n#include <lz4.h>\n",
        capture_output=True,
    )
    return probe.returncode == 0


def liberty() -> Path | None:
    """The OSU 0.18 um cell library: the system's, or the one that was taken out of its package."""
    places = (QFLOW, LOG.parent / "liberty")
    return next((path for place in places if (path := place / LIBERTY_FILE).is_file()), None)


def ensure(tool: SystemTool, present: Callable[[], object]) -> None:
    """Make sure that `tool` is there, installing it where that needs no question.

    Raises:
        SetupError: it is missing and this user cannot install it; names the command that does.
    """
    if present():
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install(tool)
        if present():
            return
    raise SetupError(missing(tool))


def apt_install(tool: SystemTool) -> None:
    """Install one Debian package, refreshing the package lists when they do not know it."""
    say(f"apt-get install {tool.apt}")
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    install = ["apt-get", *wait, "install", "-y", "--no-install-recommends", *tool.apt.split()]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with open_log() as log:
        for command in (install, ["apt-get", *wait, "update"], install):
            done = subprocess.run(command, stdout=log, stderr=log, env=environment)
            if command is install and done.returncode == 0:
                return


def unpack_liberty() -> None:
    """Take the cell library out of its Debian package, without the tools that this depends on.

    Needs no root, except to fetch the package lists where there are none yet. Where it fails,
    there is no library afterwards.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return
    say(f"unpacking {LIBERTY.apt}")
    with tempfile.TemporaryDirectory() as name, open_log() as log:
        folder = Path(name)
        for command in (["download", LIBERTY.apt], ["update"], ["download", LIBERTY.apt]):
            done = subprocess.run(["apt-get", *command], cwd=folder, stdout=log, stderr=log)
            if command[0] == "download" and done.returncode == 0:
                break
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], stdout=log, stderr=log)
        found = folder / QFLOW.relative_to("/") / LIBERTY_FILE
        if found.is_file():
            target = LOG.parent / "liberty" / LIBERTY_FILE
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"setup: {text}", flush=True)


@contextmanager
def open_log() -> Iterator[object]:
    """Append to the set-up log."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("ab") as log:
        yield log


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the set-up lock, so that two `make` at once do not write one `.venv`."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (LOG.parent / "setup.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def venv_python() -> Path:
    """The interpreter of `.venv`."""
    return VENV / "bin" / "python"


def stamp_path(requirements: Path) -> Path:
    """Where `.venv` records that the packages of `requirements` are all installed."""
    return VENV / f".installed-{requirements.stem}"


def interpreter_identity() -> str:
    """What ties `.venv` to this clone and this interpreter; another value needs a new one."""
    return f"{sys.version} in {VENV}"


def expected_stamp(requirements: Path) -> str:
    """The stamp that a complete installation of `requirements` leaves."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return json.dumps({"interpreter": interpreter_identity(), "requirements": digest})


def read_stamp(requirements: Path) -> str | None:
    """The stamp in `.venv`, or None when the last installation did not finish."""
    path = stamp_path(requirements)
    whole = path.is_file() and venv_python().exists()
    return path.read_text(encoding="utf-8", errors="replace") if whole else None


def is_reusable(stamp: str | None) -> bool:
    """Whether a `.venv` with this stamp is whole and of the same interpreter and folder."""
    try:
        return stamp is not None and json.loads(stamp)["interpreter"] == interpreter_identity()
    except (ValueError, KeyError, TypeError):
        return False


def ensure_environment(extra: list[Path]) -> None:
    """Create or update `.venv` until it holds every pinned package.

    Args:
        extra: further requirement files, each installed without the packages it would pull in.

    Raises:
        SetupError: pip failed; the message has its last error.
    """
    with only_one():
        stamp = read_stamp(REQUIREMENTS)
        if not is_reusable(stamp):
            create_venv()
        if stamp != expected_stamp(REQUIREMENTS):
            install(REQUIREMENTS, [])
        for requirements in extra:
            if read_stamp(requirements) != expected_stamp(requirements):
                install(requirements, ["--no-deps"])
        add_project()


def add_project() -> None:
    """Let `.venv` find the project's packages from any folder, and with PYTHONSAFEPATH too.

    They come after what is installed. The line is ASCII whatever the path is: Python reads it in
    the encoding of the locale.
    """
    text = f"import sys; sys.path.append({str(ROOT)!a})\n"
    for packages in VENV.glob("lib/python*/site-packages"):
        path = packages / "project.pth"
        if not path.is_file() or path.read_text(encoding="ascii") != text:
            path.write_text(text, encoding="ascii")


def create_venv() -> None:
    """Replace whatever is in `.venv` by an empty environment."""
    ensure(VENV_MODULE, has_venv_module)
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    # The interpreter itself may be the one of an activated .venv, which is gone now.
    python = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run(
        [python, "-I", "-m", "venv", str(VENV)], capture_output=True, text=True, errors="replace"
    )
    if made.returncode:
        lines = (made.stdout + made.stderr).strip().splitlines() or ["no message"]
        raise SetupError(f"cannot create {VENV}: {lines[-1]}")


def install(requirements: Path, options: list[str]) -> None:
    """Install one requirements file into `.venv` and leave its stamp."""
    stamp_path(requirements).unlink(missing_ok=True)
    total = len(pins(requirements))
    say(f"installing {total} packages of {requirements.name} into .venv, once")
    pip = [str(venv_python()), "-I", "-m", "pip", "install", "--disable-pip-version-check"]
    command = [*pip, "--no-input", *options, "-r", str(requirements)]
    run_pip(command, total)
    stamp_path(requirements).write_text(expected_stamp(requirements), encoding="utf-8")


def pins(requirements: Path) -> list[str]:
    """The lines of a requirements file that name a package."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def run_pip(command: list[str], total: int) -> None:
    """Run pip with a one-line progress display; its full output goes to the set-up log."""
    seen, last_error = 0, "no message"
    live = sys.stdout.isatty()
    with (
        open_log() as log,
        subprocess.Popen(
            command, env=pip_environment(), text=True, encoding="utf-8", errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as pip,
    ):  # fmt: skip
        for line in pip.stdout:
            log.write(line.encode())
            if "Retrying (" in line:
                last_error = "cannot reach the package index; is there a network?"
            elif line.startswith("ERROR:") and "package index" not in last_error:
                last_error = line.removeprefix("ERROR:").strip()
            if live and line.startswith(("Collecting", "Requirement already", "Installing")):
                seen = min(seen + 1, total)
                print(f"\r\033[Ksetup: [{seen}/{total}] {line.strip()[:60]}", end="", flush=True)
    if live:
        print("\r\033[K", end="", flush=True)
    if pip.returncode:
        raise SetupError(f"pip failed: {last_error} (all of it in {LOG.relative_to(ROOT)})")


def pip_environment() -> dict[str, str]:
    """The environment of pip: packages go into .venv, all of them, whatever its user has set.

    Of the user's variables and configuration files it keeps what `PIP_MAY` names.
    """
    may = {f"PIP_{name}" for name in PIP_MAY}
    kept = {n: value for n, value in os.environ.items() if not n.startswith("PIP_") or n in may}
    return {**pip_configuration(), **kept, "PIP_CONFIG_FILE": os.devnull}


def pip_configuration() -> dict[str, str]:
    """What pip's configuration files say of `PIP_MAY`, as variables; nothing where pip fails."""
    command = [str(venv_python()), "-I", "-m", "pip", "config", "list"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, errors="replace").stdout
    except OSError:
        return {}
    found = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        name = name.upper().replace("-", "_")
        if section != ":env:" and name in PIP_MAY:
            found[f"PIP_{name}"] = str(literal_eval(value))
    return found


def ensure_tools(needs: list[str]) -> None:
    """Check or install what the system must bring for `needs`.

    Raises:
        SetupError: something is missing, or a need is no known one.
    """
    for need in needs:
        if need not in NEEDS:
            raise SetupError(f"unknown simulator {need!r}: SIM is {' or '.join(SIMULATORS)}")
    if "verilator" in needs:
        ensure(COMPILER, compiler)
        if "waves" in needs:
            ensure(FST_HEADERS, has_fst_headers)
    if "icarus" in needs:
        ensure(ICARUS, has_icarus)
    if "liberty" in needs and not os.environ.get("LIBERTY"):
        if liberty() is None:
            unpack_liberty()
        ensure(LIBERTY, liberty)


class Parser(argparse.ArgumentParser):
    """Reports a bad argument in one line."""

    def error(self, message: str) -> NoReturn:
        """Print `message` and end with exit code 2."""
        self.exit(2, f"setup: {message}\n")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Command line of the set-up."""
    parser = Parser(description=__doc__)
    several = {"nargs": "*", "default": [], "action": "extend"}
    parser.add_argument("--need", **several, help=", ".join(NEEDS))
    parser.add_argument("--want", **several, help="the same, where it can be had")
    parser.add_argument("--extra", **several, type=Path, help="requirements files")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when everything is in place, 2 with one line on stderr when it is not."""
    options = parse_arguments(arguments)
    try:
        ensure_tools(options.need)
        with suppress(SetupError):
            ensure_tools(options.want)
        ensure_environment(options.extra)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"setup: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: interrupted; the next run repairs it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
