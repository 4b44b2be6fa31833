# SPDX-License-Identifier: Apache-2.0
"""Functional coverage: what tensors, tables, streams, errors and commands a unit has met.

Points are named <unit>.<group>.<point>. What concerns the coder (shifts, pending bits) is computed
with the model for the values that went through the unit. Each simulation writes `coverage.json`
into its folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pyuvm import uvm_component, uvm_subscriber

from model.apack import Interval, SymbolTable
from model.apack.blocks import BlockHeader
from tb.apack.env.expected import CAUSES
from tb.apack.uvm.config import TopConfig
from tb.apack.uvm.prediction import Outcome
from tb.apack.uvm.scoreboard import Scoreboard, TensorSeen
from tb.bus.axi_lite import OKAY
from tb.bus.frames import Beat
from tb.uvm.points import PointSet, write_points
from tb.uvm.register_agent import RegisterAccess
from tb.uvm.settings import CONFIG
from tb.uvm.stream_agent import BeatSeen

FILE = "coverage.json"
FLOW = (0, 1, 2, 8)
ABORTS = (
    "idle",
    "before input",
    "input under way",
    "output waits",
    "queued",
    "two under way",
    "a second time",
)
RESETS = ("idle", "table under way", "before input", "input under way", "output waits", "aborted")
COMMON_EVENTS = ("DONE", "ABORTED", "START_REFUSED", "TABLE_ILLEGAL", "TABLE_REFUSED")
OWN_EVENTS = {
    "compressor": ("KEEP",),
    "decompressor": ("BLOCK_BAD", "MEMORY_LENGTH"),
}
NULLS = ("first", "between", "in a row", "at the end")
NULL_ENDS = ("of no value", "behind a full beat", "behind a short beat")
TURNS = ("fewer than streams", "one less", "whole turns", "one more", "within a turn")


class Points(PointSet):
    """The cover points of one kind of unit; all tests of a simulation share them."""

    def __init__(self, config: TopConfig) -> None:
        super().__init__(config.kind)
        self._add_tables()
        self._add_streams(config)
        self._add_control(config)

    def _add_tables(self) -> None:
        self._names("table.groups", ("one", "few", "many", "all rows"))
        self._ranges("table.group_size", 1, 2, 3, 16, 64, 256)
        self._ranges("table.offset_width", *range(9))
        self._ranges("table.count", 1, 2, 8, 64, 256)
        self._names("values.width", ("one byte", "two bytes"))
        self._names("values.kind", ("none", "one value", "mostly one value", "mixed"))
        self._names(
            "values.length",
            ("none", "one", "within a block", "one block", "whole blocks", "blocks and a part"),
        )
        self._ranges("coder.shifts", 0, 1, 2, 4, 8)
        self._ranges("coder.pending", 0, 1, 2, 4, 8, 16, 32)
        self._names("block.last_word", ("one piece", "some pieces", "full"))

    def _add_streams(self, config: TopConfig) -> None:
        kinds = ("coded", "raw", "lost") if config.decompressor else ("coded", "raw")
        self._names("block.kind", kinds)
        self._names("block.next", [f"{kind} behind coded" for kind in kinds])
        self._names("interleaving.turns", TURNS)
        self._ranges("interleaving.blocks", 1, 2, 4, 8)
        self._names("overlap.tables", ("same bank", "other bank"))
        for port in (*config.inputs, *config.outputs):
            self._ranges(f"flow.{port}_waited", *FLOW)
            self._ranges(f"flow.{port}_gap", *FLOW)
        for port in config.inputs:
            self._names(f"nulls.{port}", NULLS)
        if not config.decompressor:
            self._names("nulls.values_end", NULL_ENDS)

    def _add_control(self, config: TopConfig) -> None:
        self._names("control.abort", ABORTS)
        self._names("control.reset", RESETS)
        self._names("control.start", ("alone", "queued, same bank", "queued, other bank"))
        self._names("control.event", (*COMMON_EVENTS, *OWN_EVENTS[config.kind]))
        registers = config.unit.map.values()
        self._names("registers.read", [r.name for r in registers if r.access != "WO"])
        self._names("registers.written", [r.name for r in registers if r.access != "RO"])
        if config.decompressor:
            self._names("errors.hold", (0, 1))
            self._names("errors.cause", CAUSES)
            self._names("errors.recovered", CAUSES)
            self._names("errors.marked", ("first block", "middle block", "last block"))


class CoverageCollector(uvm_component):
    """Samples what the monitors and the scoreboard have seen."""

    def build_phase(self) -> None:
        imp = uvm_subscriber.uvm_AnalysisImp
        self.tensors = imp("tensors", self, self._tensor)
        self.beats = imp("beats", self, self._beat)
        self.accesses = imp("accesses", self, self._access)
        self._config = self.cdb_get(CONFIG)
        self._points = Points(self._config)
        self._names = {r.address: r.name for r in self._config.unit.map.values()}
        self._last_causes: frozenset[str] = frozenset()
        self._progress: Counter[str] = Counter()  # beats with data of the frame under way
        self._nulls: Counter[str] = Counter()  # beats without, since the last one with data
        self._full = True  # whether the latest beat of values with data kept all lanes
        self._begun = False

    def watch(self, scoreboard: Scoreboard, outputs: list) -> None:
        """Say whose state is sampled: the scoreboard's, and that of the outputs' agents."""
        self._scoreboard, self._outputs = scoreboard, outputs

    def report_phase(self) -> None:
        write_points(Path.cwd() / FILE, self._config.kind, asdict(self._config.widths))

    # -- tensors

    def _tensor(self, seen: TensorSeen) -> None:
        if not self._scoreboard.running or len(self._scoreboard.running) == 1:
            self._begun = False
        if seen.aborts > 1:
            self._points.hit("control.abort", "a second time")
        if seen.aborted:
            return
        widths, values, start = self._config.widths, seen.outcome.values, seen.start
        self._table(start.table)
        self._points.hit("values.width", "two bytes" if widths.lane_bytes > 1 else "one byte")
        self._points.hit("values.kind", kind_of(values))
        self._points.hit("values.length", length_of(len(values), start.block))
        self._blocks(seen)
        if len(values):
            self._points.hit("interleaving.blocks", -(-len(values) // start.block))
            last = (len(values) - 1) % start.block + 1
            self._points.hit("interleaving.turns", turns_of(last, widths.streams))
        self._errors(seen)

    def _table(self, table: SymbolTable) -> None:
        hit, rows = self._points.hit, self._config.widths.symbols
        groups = table.groups
        names = {1: "one", rows: "all rows"}
        hit("table.groups", names.get(groups, "few" if groups <= 3 else "many"))
        for size, width, count in zip(table.sizes, table.offset_w, table.counts, strict=True):
            hit("table.group_size", size)
            hit("table.offset_width", width)
            hit("table.count", count)

    def _blocks(self, seen: TensorSeen) -> None:
        hit, before = self._points.hit, ""
        headers = self._headers(seen.outcome)
        image = seen.outcome.image
        for number, header in enumerate(headers):
            kind = "lost" if header is None else "raw" if header.raw else "coded"
            hit("block.kind", kind)
            if before == "coded":
                hit("block.next", f"{kind} behind coded")
            before = kind
            if header is None:
                continue
            rest = header.pieces % (image.word_w // image.piece_w)
            hit("block.last_word", ("full", "one piece")[rest] if rest < 2 else "some pieces")
            first = number * seen.start.block
            values = seen.outcome.values[first : first + seen.start.block]
            if kind == "coded" and not (seen.outcome.blocks and seen.outcome.blocks[number].bad):
                self._coder(values, seen.start.table)

    def _headers(self, outcome: Outcome) -> list[BlockHeader | None]:
        """The header of each block; None for those that a decompressor has lost."""
        if self._config.decompressor:
            return [block.header for block in outcome.blocks]
        return list(outcome.image.headers)

    def _coder(self, values: np.ndarray, table: SymbolTable) -> None:
        streams = self._config.widths.streams
        for stream in range(streams):
            longest = 0
            part = values[stream::streams]
            for shifts, pending in coder_steps(part, table, self._config.widths.code_w):
                self._points.hit("coder.shifts", shifts)
                longest = max(longest, pending)
            self._points.hit("coder.pending", longest)

    def _errors(self, seen: TensorSeen) -> None:
        if not self._config.decompressor:
            return
        blocks = seen.outcome.blocks
        causes = frozenset[str]().union(*(block.causes for block in blocks))
        if not causes:
            for cause in self._last_causes:
                self._points.hit("errors.recovered", cause)
        self._last_causes = causes
        for cause in causes:
            self._points.hit("errors.hold", self._config.widths.hold)
            self._points.hit("errors.cause", cause)
        for number, block in enumerate(blocks):
            place = {0: "first block", len(blocks) - 1: "last block"}
            if block.bad:
                self._points.hit("errors.marked", place.get(number, "middle block"))

    # -- streams

    def _beat(self, seen: BeatSeen) -> None:
        self._points.hit(f"flow.{seen.port}_waited", seen.waited)
        if seen.first:
            self._progress[seen.port] = self._nulls[seen.port] = 0
        else:
            self._points.hit(f"flow.{seen.port}_gap", seen.gap)
        if seen.port in self._config.inputs:
            self._count_nulls(seen.port, seen.beat)
            self._begun = self._begun or seen.beat["tkeep"] != 0
        self._progress[seen.port] += seen.beat["tkeep"] != 0

    def _count_nulls(self, port: str, beat: Beat) -> None:
        """Where a beat without data is among those of its frame."""
        hit, widths = self._points.hit, self._config.widths
        if beat["tkeep"]:
            if self._nulls[port] and self._progress[port]:
                hit(f"nulls.{port}", "between")
            self._nulls[port] = 0
            self._full = beat["tkeep"] == (1 << widths.lanes * widths.lane_bytes) - 1
            return
        self._nulls[port] += 1
        if not self._progress[port]:
            hit(f"nulls.{port}", "first")
        if self._nulls[port] > 1:
            hit(f"nulls.{port}", "in a row")
        if beat["tlast"]:
            hit(f"nulls.{port}", "at the end")
            if port == "values":
                full = "behind a full beat" if self._full else "behind a short beat"
                hit("nulls.values_end", full if self._progress[port] else "of no value")

    # -- commands

    def _access(self, access: RegisterAccess) -> None:
        name = self._names.get(access.address)
        if access.response != OKAY or name is None:
            return
        self._points.hit("registers.written" if access.write else "registers.read", name)
        fields = self._config.unit.map[name].names(access.data)
        if name == "EVENTS" and not access.write:
            for event in fields:
                self._points.hit("control.event", event)
        if name == "STATUS" and not access.write:
            self._overlap()
        if name == "CONTROL" and "ABORT" in fields:
            for state in self._states():
                self._points.hit("control.abort", state)
        if name == "CONTROL" and "START" in fields:
            self._start()

    def _start(self) -> None:
        running = self._scoreboard.running
        if len(running) == 1:
            self._points.hit("control.start", "alone")
        elif running:
            same = running[-2].start.bank == running[-1].start.bank
            self._points.hit("control.start", f"queued, {'same' if same else 'other'} bank")

    def _overlap(self) -> None:
        """What tables two tensors have that run at a time."""
        running = self._scoreboard.running
        if len(running) > 1 and running[1].taken:
            same = running[0].start.bank == running[1].start.bank
            self._points.hit("overlap.tables", "same bank" if same else "other bank")

    def reset_seen(self) -> None:
        """A reset begins now."""
        for state in self._states():
            self._points.hit("control.reset", state)
        self._begun = False
        self._last_causes = frozenset()

    def _states(self) -> Iterator[str]:
        """What the unit is at."""
        running = self._scoreboard.running
        if any(bank.rows for bank in self._scoreboard.banks):
            yield "table under way"
        if not running:
            yield "idle"
            return
        if running[0].aborted:
            yield "aborted"
        if not running[-1].taken:
            yield "queued"
        if len(running) > 1 and running[1].taken:
            yield "two under way"
        if any(agent.monitor.waiting for agent in self._outputs):
            yield "output waits"
        yield "input under way" if self._begun else "before input"


def kind_of(values: np.ndarray) -> str:
    """How a tensor's values are spread."""
    if not len(values):
        return "none"
    most = int(np.bincount(values).max()) / len(values)
    return "one value" if most == 1 else "mostly one value" if most >= 0.75 else "mixed"


def length_of(count: int, block: int) -> str:
    """Where a tensor ends."""
    if count < 2:
        return ("none", "one")[count]
    blocks, rest = divmod(count, block)
    if not blocks:
        return "within a block"
    if rest:
        return "blocks and a part"
    return "one block" if blocks == 1 else "whole blocks"


def turns_of(count: int, streams: int) -> str:
    """Where a block of so many values ends among the turns of its streams."""
    if count < streams:
        return TURNS[0]
    places = {streams - 1: "one less", 1: "one more", 0: "whole turns"}
    return places.get(count % streams, "within a turn")


def coder_steps(values: np.ndarray, table: SymbolTable, code_w: int) -> Iterator[tuple[int, int]]:
    """Shifts that each value of a stream makes, and the most bits that are pending meanwhile."""
    interval = Interval(code_w)
    pending = 0
    for value in values.tolist():
        interval.narrow(table, table.symbol_of(value))
        shifts, longest = 0, pending
        for taken in interval.shifts():
            pending = pending + 1 if taken == interval.quarter else 0
            shifts, longest = shifts + 1, max(longest, pending)
        yield shifts, longest
