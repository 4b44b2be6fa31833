# SPDX-License-Identifier: Apache-2.0
"""Ends a simulation that hangs in good order, so that its waveform can be read up to there.

A module without tests that cocotb loads beside those of a simulation. Killing the simulator would
leave a waveform without its end, which viewers refuse. What is asked for in the environment:

REGRESS_SECONDS  seconds after which the simulation ends
"""

from __future__ import annotations

import atexit
import os
import signal
import time
from pathlib import Path
from typing import NoReturn

SECONDS = "REGRESS_SECONDS"
ENDED = "ended_at_limit"  # is left in the folder of the simulation
WAVEFORM = Path("waves.fst")
LARGEST_WAVEFORM = 2**28  # bytes; a simulation that does nothing else can fill a disk
CHECK_SECONDS = 0.2
# Steps of simulated time from check to check: multiples of this, after a first step of one, so that
# no clock of an even period has an edge at a check. What still waits for an edge at the time when
# the simulation is stopped would be run after Python is gone.
STEPS = 1000
GRACE_SECONDS = 2  # after which a test that never gives back control is interrupted


def watch(seconds: float) -> None:
    """End the simulation that this process is at after some seconds, or at a large waveform.

    Simulated time is what passes when nothing of Python runs: every now and then of it the clock
    on the wall is read, the rarer the faster it passes. A test that lets no time pass is
    interrupted by an alarm.
    """
    from cocotb import simulator  # is there in a simulation only

    end = time.monotonic() + seconds
    waiting = []  # what calls back next

    def check(count: int, before: float) -> None:
        waiting.clear()
        now = time.monotonic()
        if now >= end or _size() > LARGEST_WAVEFORM:
            signal.setitimer(signal.ITIMER_REAL, 0)
            Path(ENDED).touch()
            simulator.stop_simulator()
            return
        count = max(count // 2, 1) if now - before > CHECK_SECONDS else 2 * count
        waiting.append(simulator.register_timed_callback(count * STEPS, check, count, now))

    def end_watch() -> None:
        """The simulator would call back once more after its end, when Python is gone."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for callback in waiting:
            callback.deregister()

    waiting.append(simulator.register_timed_callback(1, check, 1, time.monotonic()))
    atexit.register(end_watch)
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)


def _size() -> int:
    return WAVEFORM.stat().st_size if WAVEFORM.exists() else 0


def _interrupt(*_: object) -> NoReturn:
    Path(ENDED).touch()
    raise TimeoutError("not over at the limit of the job")


if SECONDS in os.environ:
    watch(float(os.environ[SECONDS]))
