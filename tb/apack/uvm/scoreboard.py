# SPDX-License-Identifier: Apache-2.0
"""Compares what leaves a unit with what the model makes of what its pins were given.

It knows nothing of the sequences: tables, BLOCK, VALUES, START and ABORT are those written over
the register bus, tensors are those that the monitors of the input ports saw.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

import cocotb
from pyuvm import uvm_analysis_port, uvm_scoreboard, uvm_subscriber

from model.apack import SymbolTable
from tb.apack.env.illegal import is_legal
from tb.apack.env.memory_image import first_difference
from tb.apack.env.top import TABLE_LATENCY
from tb.apack.env.unit import COUNTERS, COUNTS
from tb.apack.uvm.prediction import Outcome, Start, compressed, decompressed, is_closing, meaning
from tb.bus.axi_lite import OKAY
from tb.bus.cycles import now
from tb.bus.frames import Frame, assert_frame
from tb.uvm.register_agent import RegisterAccess
from tb.uvm.settings import CONFIG
from tb.uvm.stream_agent import FrameSeen, StreamMonitorComponent

STORED = ("BLOCK", "VALUES_LO", "VALUES_HI", "TABLE_BASE")
ENDS = frozenset({"DONE", "ABORTED"})
EARLY = frozenset({"KEEP", "BLOCK_BAD", "MEMORY_LENGTH"})  # while a tensor runs
SETTLED = TABLE_LATENCY + 5  # cycles after which STATUS tells of a command, a table or an end
MOST_RUNNING = 2


@dataclass
class Run:
    """A tensor from its START until all it puts out has been compared.

    begun: the cycle of its START.
    taken: whether it is known to have left the queue.
    aborts: ABORTs that were meant for it, or may have been.
    """

    number: int
    start: Start
    begun: int
    taken: bool
    aborts: int = 0

    @property
    def aborted(self) -> bool:
        """Whether it was told to be dropped."""
        return self.aborts > 0


@dataclass(frozen=True)
class TensorSeen:
    """A tensor that is through.

    aborted: whether it was dropped; aborts: how often it was told to be.
    """

    start: Start
    outcome: Outcome
    aborted: bool
    aborts: int


@dataclass
class TableBank:
    """Rows written so far, and the table once it is complete and legal."""

    rows: list[tuple[int, int]] = field(default_factory=list)
    table: SymbolTable | None = None


class Scoreboard(uvm_scoreboard):
    """Raises AssertionError at the first thing that differs."""

    def build_phase(self) -> None:
        imp = uvm_subscriber.uvm_AnalysisImp
        self.frames = imp("frames", self, self._frame)
        self.accesses = imp("accesses", self, self._access)
        self.tensors = uvm_analysis_port("tensors", self)
        self._config = self.cdb_get(CONFIG)
        self._map = self._config.unit.map
        self._names = {register.address: name for name, register in self._map.items()}
        self._started = 0
        self.compared = 0
        self.forget()

    def watch(self, inputs: dict[str, StreamMonitorComponent]) -> None:
        """Say who has seen the input of which a second ABORT is the end."""
        self._inputs = inputs

    def forget(self) -> None:
        """Start over, as the unit does after reset."""
        ports = (*self._config.inputs, *self._config.outputs)
        self._queues: dict[str, deque[Frame]] = {port: deque() for port in ports}
        self._stored = dict.fromkeys(STORED, 0)
        self._stored["BLOCK"] = self._config.widths.block_values
        self.banks = [TableBank(), TableBank()]
        self.running: deque[Run] = deque()
        self._due: set[str] = set()
        self._maybe: set[str] = set()
        self._unsure_ends = 0  # aborted tensors that may have been done by then
        self._changed = 0  # the cycle in which a command, a row or an end was last seen
        self._counters: dict[str, int] = dict.fromkeys((*COUNTERS, *COUNTS[:-1]), 0)
        self._causes: frozenset[str] | None = frozenset()

    def banks_in_use(self) -> set[int]:
        """Table banks of tensors that run or wait."""
        return {run.start.bank for run in self.running}

    def check_phase(self) -> None:
        left = {port: len(frames) for port, frames in self._queues.items() if frames}
        assert not left, f"frames that belong to no tensor: {left}"
        assert not self.running, f"tensors that did not end: {len(self.running)}"

    # -- what the register bus shows

    def _access(self, access: RegisterAccess) -> None:
        name = self._names.get(access.address)
        if access.response != OKAY or name is None:
            return
        if access.write:
            self._written(name, access)
        else:
            self._read(name, access)

    def _written(self, name: str, access: RegisterAccess) -> None:
        register = self._map[name]
        if name in ("CONTROL", "TABLE_CUM"):
            self._changed = now()
        if name in STORED:
            mask = sum(0xFF << 8 * byte for byte in range(4) if access.strobe >> byte & 1)
            self._stored[name] = self._stored[name] & ~mask | access.data & mask
        elif name == "EVENTS":
            cleared = register.names(access.data)
            self._due -= cleared
            self._maybe -= cleared
            if cleared & ENDS:
                self._unsure_ends = 0
        elif name == "TABLE_CUM":
            fields = register.fields
            bank, last = fields["BANK"].of(access.data), fields["LAST"].of(access.data)
            self._row(bank, fields["CUM"].of(access.data), bool(last))
        elif name == "CONTROL":
            commands = register.names(access.data)
            if "START" in commands:
                self._start(register.fields["BANK"].of(access.data))
            if "ABORT" in commands:
                self._abort()

    def _abort(self) -> None:
        """Drop what runs; a second time, the input it has got is all there is of it."""
        again = any(run.aborted for run in self.running)
        for place, run in enumerate(self.running):
            if run.aborted or (not again and self._may_run(place)):
                run.aborts += 1
        dropped = sum(run.aborted for run in self.running)
        if again:
            for port, monitor in self._inputs.items():
                if len(self._queues[port]) < dropped:
                    self._queues[port].append(monitor.cut())
            self._resolve()

    def _may_run(self, place: int) -> bool:
        """Whether a tensor can have left the queue: the input of the one before has ended."""
        if place == 0 or self.running[place].taken:
            return True
        return place < MOST_RUNNING and self._inputs_seen() >= place

    def _inputs_seen(self) -> int:
        """Of how many of the oldest tensors all input has been seen."""
        frames = min(len(self._queues[port]) for port in self._config.inputs)
        seen = 0
        for run in self.running:
            needs = not (self._config.decompressor and run.start.count == 0)
            if needs and not frames:
                break
            frames -= needs
            seen += 1
        return seen

    def _row(self, bank: int, cum: int, last: bool) -> None:
        if any(run.start.bank == bank for run in self.running):
            self._due.add("TABLE_REFUSED")
            return
        held = self.banks[bank]
        held.table = None
        held.rows.append((self._stored["TABLE_BASE"], cum))
        if not last:
            return
        rows, held.rows = held.rows, []
        widths = self._config.widths
        if is_legal(rows, widths.symbols, widths.value_w, widths.count_w):
            cums = [0, *(end for _, end in rows)]
            bases = [base for base, _ in rows]
            held.table = SymbolTable(widths.value_w, widths.count_w, bases, cums)
        else:
            self._due.add("TABLE_ILLEGAL")

    def _start(self, bank: int) -> None:
        widths, block = self._config.widths, self._stored["BLOCK"]
        table = self.banks[bank].table
        legal_block = 0 < block <= widths.block_values and block % widths.lanes == 0
        full = any(not run.taken for run in self.running)
        assert not full or not self._may_run(len(self.running) - 1), (
            f"a sequence must know whether the queue is full{self._tail()}"
        )
        if table is None or not legal_block or full:
            self._due.add("START_REFUSED")
            return
        count = self._stored["VALUES_LO"] | self._stored["VALUES_HI"] << 32
        alone = not self.running
        start = Start(bank, table, block, count)
        self.running.append(Run(self._started, start, begun=now(), taken=alone))
        self._started += 1
        self._resolve()

    def _read(self, name: str, access: RegisterAccess) -> None:
        """Compare what is known of a register: while a tensor runs, once that has settled."""
        found = self._map[name].names(access.data)
        if name == "STATUS" and "QUEUED" not in found:
            for run in self.running:
                run.taken = run.taken or run.begun < access.begun
        settled = access.begun - self._changed > SETTLED
        if self.running and not settled:
            return
        if name == "EVENTS":
            self._check_events(found)
        elif name == "STATUS":
            self._check_tables(found)
            if settled:
                self._check_activity(found)
        elif name == "BAD_CAUSE" and self._causes is not None:
            assert found == self._causes, (
                f"causes {found}, expected {set(self._causes)}{self._tail()}"
            )
        elif (counter := name.removesuffix("_LO")) in self._counters:
            wanted = self._counters[counter] & 0xFFFFFFFF
            assert access.data == wanted, (
                f"{counter} is {access.data}, expected {wanted}{self._tail()}"
            )

    def _check_events(self, found: set[str]) -> None:
        """All that is due, nothing that cannot be; an end for each tensor that has ended."""
        maybe = self._maybe | (EARLY if self.running else set())
        assert self._due <= found <= self._due | maybe, (
            f"events {found}, expected {self._due}{self._tail()}"
        )
        if self._unsure_ends and not self._due & ENDS:
            ends = found & ENDS
            assert ends, f"no end of an aborted tensor among {found}{self._tail()}"
            assert self._unsure_ends > 1 or len(ends) == 1, (
                f"one tensor ended as {ends}{self._tail()}"
            )

    def _check_tables(self, found: set[str]) -> None:
        for bank, held in enumerate(self.banks):
            valid = f"TABLE{bank}_VALID" in found
            assert valid == (held.table is not None), (
                f"table of bank {bank} is valid: {valid}{self._tail()}"
            )

    def _check_activity(self, found: set[str]) -> None:
        """What STATUS says of tensors that run and wait."""
        wanted = {"BUSY": len(self.running) > 0}
        newest = len(self.running) - 1
        if newest < 1 or not self._may_run(newest):
            wanted["QUEUED"] = newest > 0
        if not any(run.aborted or not self._config.decompressor for run in self.running):
            wanted["DISCARD"] = False  # an illegal tkeep discards too
        shown = {name: name in found for name in wanted}
        assert shown == wanted, f"STATUS says {shown}, expected {wanted}{self._tail()}"

    # -- what the streams show

    def _frame(self, seen: FrameSeen) -> None:
        self._queues[seen.port].append(seen.beats)
        self._resolve()

    def _resolve(self) -> None:
        """Compare every tensor of which all has been seen."""
        while self.running and self._resolve_first(self.running[0]):
            self.running.popleft()
            if self.running:
                self.running[0].taken = True

    def _resolve_first(self, run: Run) -> bool:
        inputs, (output,) = self._config.inputs, self._config.outputs
        if self._config.decompressor and run.start.count == 0:
            inputs = ()
        if not all(self._queues[port] for port in inputs):
            return False
        outcome = self._predict(run, [self._queues[port][0] for port in inputs])
        cut = run.aborted or outcome.aborts
        whole = True
        if cut or len(outcome.values):  # an empty tensor puts out nothing
            if not self._queues[output]:
                return False
            whole = self._compare(run, outcome, self._queues[output].popleft(), cut)
        for port in inputs:
            self._queues[port].popleft()
        self._expect_end(outcome, cut, whole)
        self._conclude(run, outcome, cut)
        return True

    def _predict(self, run: Run, frames: list[Frame]) -> Outcome:
        widths = self._config.widths
        if not self._config.decompressor:
            return compressed(widths, run.start, frames[0])
        return decompressed(widths, run.start, *(frames or ([],)))

    def _compare(self, run: Run, outcome: Outcome, beats: Frame, cut: bool) -> bool:
        """Compare the output; returns whether nothing was cut off."""
        (port,) = self._config.outputs
        beats, wanted, whole = [meaning(beat) for beat in beats], outcome.frame, True
        if cut and beats != wanted:
            whole = False
            assert is_closing(beats[-1]), (
                f"{port} ends with {beats[-1]} after an abort; {self._story(run, outcome)}"
            )
            beats, wanted = beats[:-1], wanted[: len(beats) - 1]
        place = first_difference(beats, wanted)
        if place is not None:
            where = f"block {self._block_of(place, run, outcome)}, "
            assert_frame(beats, wanted, port, where + self._story(run, outcome))
        return whole

    def _block_of(self, place: int, run: Run, outcome: Outcome) -> int:
        """The block that a beat of the output belongs to."""
        if self._config.decompressor:
            return place * self._config.widths.lanes // run.start.block
        return bisect_right(outcome.image.starts, place) - 1

    def _expect_end(self, outcome: Outcome, cut: bool, whole: bool) -> None:
        """The events of a tensor that has ended."""
        self._changed = now()
        if not cut:
            self._due |= {"DONE", *outcome.events}
            return
        if outcome.aborts:
            self._due |= {"KEEP", "ABORTED"}
        elif not whole:
            self._due.add("ABORTED")
        else:
            self._unsure_ends += 1
            self._maybe |= ENDS
        self._maybe |= outcome.events

    def _conclude(self, run: Run, outcome: Outcome, cut: bool) -> None:
        self.compared += 1
        self._counters, self._causes = {}, None
        if not cut:
            self._counters, self._causes = outcome.counters, outcome.causes
        self.tensors.write(TensorSeen(run.start, outcome, cut, run.aborts))

    def _story(self, run: Run, outcome: Outcome) -> str:
        shown = outcome.values[:32].tolist()
        return (
            f"tensor {run.number} of {len(outcome.values)} values {shown}, {run.start.story()}"
            f"{self._tail()}"
        )

    def _tail(self) -> str:
        return f"; after {self.compared} tensors, test seed {cocotb.RANDOM_SEED}"
