# SPDX-License-Identifier: Apache-2.0
"""Start what a target of make runs, and end all of it when it is over or is told to end.

    python -I scripts/start.py scripts/setup.py --need=verilator
    python -I scripts/start.py -m scripts.test --sim=verilator

The command gets clean surroundings, and its folder of results for itself: a second run that would
write the same folder waits for the first. A signal to make, even one that kills it, ends the
command as Ctrl-C does; what is left of it after a while, or when it has ended, is killed.
Standard library only: it is used before `.venv` exists.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

# Started alone, with -I, this finds no package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tb.sim.paths import ROOT
from tb.sim.surroundings import clean, with_home

del sys.path[0]

BUILD = ROOT / "build"
SIMULATORS = ("icarus", "verilator")
# The folders of results in build/ that a command replaces; {sim} is its simulator.
RESULTS = {
    "scripts.benchmark.codec": ("bench",),
    "scripts.benchmark.floats": ("bench",),
    "scripts.benchmark.simulation": ("bench",),
    "scripts.benchmark.solver": ("bench",),
    "scripts.coverage": ("coverage", "test/verilator"),
    "scripts.demo": ("demo",),
    "scripts.mutate": ("mutate",),
    "scripts.regress": ("regress",),
    "scripts.report": ("report",),
    "scripts.synth": ("synth",),
    "scripts.test": ("test/{sim}",),
    "scripts.testplan": ("testplan",),
    "scripts.benchmark.throughput": ("throughput",),
    "scripts.waves": ("waves",),
}
# Characters of the project's path that a tool takes for something else, and the first such tool.
IMPOSSIBLE = {
    ":": "Python's venv",
    '"': "Verilator",
    "\\": "the C++ compiler",
    "$": "Verilator",
    ",": "cocotb",
    ";": "cocotb",
    "\n": "make",
}
LEAST_FREE = 1 << 20  # bytes
# With less, Python is not to keep bytecode: it leaves a file cut off where the disk gets full, and
# takes it for a whole one from then on.
FREE_FOR_BYTECODE = 1 << 26
HOLDER = "APACK_RUN"  # tells the commands that a command starts that they are parts of it
POLL_SECONDS = 0.2
SECONDS_TO_END = 12.0  # longer than a test run takes to end in order
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PR_SET_CHILD_SUBREAPER = 36


class StartError(Exception):
    """The command cannot be started here; the message is one line."""


class Told(Exception):
    """A signal came before the command was started."""


class Signals:
    """The signals that are to end the command: those that came, and those that make got.

    One that is ignored, as under nohup, stays so.
    """

    def __init__(self) -> None:
        self.make = os.getppid()
        self.of_make_alone = False
        self.told: list[int] = []
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, frame: self.told.append(number))

    def first(self) -> int:
        """The first of them, 0 for none yet; the end of make is as good as SIGHUP."""
        if not self.told and (number := self._of_make()):
            time.sleep(POLL_SECONDS)  # one from a terminal is on its way to this process as well
            self.of_make_alone = not self.told
            self.told.append(number)
        return self.told[0] if self.told else 0

    def _of_make(self) -> int:
        return signal.SIGHUP if os.getppid() != self.make else signal_of(self.make)


def main(arguments: Sequence[str]) -> int:
    """The exit code of the command, 128 and a signal's number when told to end, 2 for no start."""
    signals = Signals()
    name = command_name(arguments)
    try:
        with ExitStack() as held:
            check_path()
            check_writable()
            check_space()
            environment = with_home(clean(os.environ))
            if HOLDER not in environment:
                for folder in results_of(arguments):
                    held.enter_context(only_one(name, folder, signals))
            environment[HOLDER] = str(os.getpid())
            if free_bytes() < FREE_FOR_BYTECODE:
                environment["PYTHONDONTWRITEBYTECODE"] = "1"
            return run([sys.executable, *arguments], environment, signals)
    except StartError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{name}: {error.filename or ROOT}: {error.strerror}", file=sys.stderr)
        return 2
    except Told:
        return 128 + signals.first()


def command_name(arguments: Sequence[str]) -> str:
    """What messages call the command: the last part of its module or the name of its script."""
    script = arguments[1] if arguments[0] == "-m" else arguments[0]
    return script.removesuffix(".py").replace("/", ".").rsplit(".", 1)[-1]


def check_path() -> None:
    """Raise StartError when the path of the project has a character that a tool cannot take."""
    for character, tool in IMPOSSIBLE.items():
        if character in str(ROOT):
            raise StartError(f"{tool} cannot take {character!r} in a path: move {str(ROOT)!r}")


def check_writable() -> None:
    """Raise StartError unless build/ and the folders in it can be written by this user."""
    if not BUILD.exists() and not os.access(ROOT, os.W_OK | os.X_OK):
        raise StartError(f"{ROOT} cannot be written: copy the project to a folder of your own")
    for folder in (BUILD, *BUILD.glob("*"), *BUILD.glob("*/*")):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            where = folder.relative_to(ROOT)
            raise StartError(
                f"{where}/ of {owner(folder)} cannot be written: remove it, or work in a copy"
            )


def check_space() -> None:
    """Raise StartError when the disk of build/ is full: nothing would leave a result."""
    if free_bytes() < LEAST_FREE:
        raise StartError(f"{os.strerror(errno.ENOSPC)}: less than 1 MB is left for {BUILD}")


def free_bytes() -> int:
    """What is left for build/."""
    return shutil.disk_usage(BUILD if BUILD.exists() else ROOT).free


def owner(path: Path) -> str:
    """The user who owns a file, by name where there is one."""
    try:
        return path.owner()
    except KeyError:
        return f"user {path.stat().st_uid}"


def results_of(arguments: Sequence[str]) -> list[Path]:
    """The folders of results that a command has for itself while it runs."""
    module = arguments[1] if arguments[0] == "-m" else ""
    named = [word[6:].replace("/", "-") for word in arguments if word.startswith("--sim=")]
    folders = {
        folder.format(sim=sim) for folder in RESULTS.get(module, ()) for sim in named or SIMULATORS
    }
    return [BUILD / folder for folder in sorted(folders)]


@contextmanager
def only_one(name: str, folder: Path, signals: Signals) -> Iterator[None]:
    """Hold the lock of a folder of results, waiting for the run that has it."""
    path = BUILD / "locks" / str(folder.relative_to(BUILD)).replace("/", "-")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as lock:
        said = False
        while not locked(lock.fileno()):
            if not said:
                lock.seek(0)
                other = lock.read().strip() or "of another"
                where = folder.relative_to(ROOT)
                print(f"{name}: waiting for run {other}, which writes {where}", file=sys.stderr)
                said = True
            if signals.first():
                raise Told
            time.sleep(POLL_SECONDS)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def locked(lock: int) -> bool:
    """Take the lock of an open file, if nobody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def run(command: Sequence[str], environment: dict[str, str], signals: Signals) -> int:
    """Run the command to its end, or until a signal is to end it."""
    adopt_orphans()
    process = subprocess.Popen(command, env=environment)
    deadline = None
    while not ended(process):
        reap_orphans(process.pid)
        if deadline is None and signals.first():
            deadline = time.monotonic() + SECONDS_TO_END
            if signals.first() != signal.SIGINT or signals.of_make_alone:
                interrupt()
        if deadline is not None and time.monotonic() > deadline:
            break
    end_descendants()
    if number := signals.first():
        return 128 + number
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def ended(process: subprocess.Popen) -> bool:
    """Whether a process ends within POLL_SECONDS."""
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def signal_of(process: int) -> int:
    """The signal that a process has caught and is dealing with, 0 for none.

    On SIGINT and SIGHUP, make waits for its commands and tells them nothing. While it does, the
    signal is blocked and has no handler any more.
    """
    masks = {}
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name in ("SigBlk", "SigCgt", "SigIgn"):
                masks[name] = int(value, 16)
    if len(masks) < 3:
        return 0
    dealt_with = masks["SigBlk"] & ~masks["SigCgt"] & ~masks["SigIgn"]
    return next((number for number in SIGNALS if dealt_with >> (number - 1) & 1), 0)


def adopt_orphans() -> None:
    """Become the parent of what the command's processes leave behind, where the kernel can."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(command: int) -> None:
    """Take note that adopted processes have ended, which others wait to see gone."""
    which = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with suppress(ChildProcessError):
        while (end := os.waitid(os.P_ALL, 0, which)) and end.si_pid != command:
            os.waitpid(end.si_pid, 0)


def descendants() -> list[int]:
    """The processes below this one."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            after_name = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            children.setdefault(int(after_name.split()[1]), []).append(int(path.parent.name))
    found = [os.getpid()]
    for process in found:
        found += children.get(process, [])
    return found[1:]


def interrupt() -> None:
    """Do what Ctrl-C at a terminal does: SIGINT to the processes of this group, but not to make.

    Those that a shell has told to ignore SIGINT, as it does in the background, get SIGTERM.
    """
    deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    number = signal.SIGTERM if deaf else signal.SIGINT
    for process in descendants():
        with suppress(OSError):
            if os.getpgid(process) == os.getpgid(0):
                os.kill(process, number)


def end_descendants() -> None:
    """Kill all that is left of the command, until nothing is."""
    while left := descendants():
        for process in left:
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, 0)[0]:
                pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
