# SPDX-License-Identifier: Apache-2.0
"""apack_decoder_engine: every value of every stream, whatever the others do and get."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, Timer

from model.apack import Bits, EncodedBlock, SymbolTable, encode_block
from tb.apack.env.coder import story_of
from tb.apack.env.expected import decoder_outcome, verbatim
from tb.apack.env.rows import row_buses
from tb.apack.env.stimulus import edge_values, tables_of_every_size
from tb.apack.env.widths import EngineWidths
from tb.bus.cycles import cycles, now, reset, sampled, start_clock, until

PARAMETERS = ("STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W")
SETS = {
    "one": (1, 8, 16, 10, 16, 16),
    "two-smallest": (2, 2, 2, 1, 3, 3),
    "three-wide": (3, 16, 32, 14, 16, 32),
    "four": (4, 8, 16, 10, 16, 16),
    "five-narrow": (5, 4, 5, 6, 8, 8),
    "six-one-row": (6, 12, 1, 4, 10, 13),
    "seven-long-code": (7, 7, 11, 16, 20, 24),
    "eight": (8, 8, 16, 10, 16, 16),
}
ILLEGAL = {
    "STREAMS": (0, 9),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "PIECE_W": (15,),
    "short-piece": {"VALUE_W": 14, "CODE_W": 12, "PIECE_W": 13},
}
MUTATED = "five-narrow"
ICARUS_ROUNDS = 1

ROUNDS = int(os.environ.get("ROUNDS") or 12)

LENGTHS = (0, 1, 2, 12, 50)
PORTS = ("code", "offset")
SETTLING = 10  # cycles; the words that are taken until then are forgotten at the first CLEAR


class Kind(IntEnum):
    """What a slot does."""

    IDLE = 0
    CLEAR = 1
    FIRST = 2
    VALUE = 3
    RAW = 4


IDLE_KINDS = (Kind.IDLE, Kind.IDLE, 5, 6, 7)  # what does nothing


@dataclass(frozen=True)
class Decoded:
    """What must leave for one value; an illegal one has no value."""

    value: int | None
    offset_w: int


@dataclass(frozen=True)
class Job:
    """A block for a stream: what it is fed with, and what must come of it.

    code_used: the code bits it uses up in all.
    kinds: what its first slot does, and what its slots for values do.
    """

    bits: dict[str, Bits]
    values: list[Decoded]
    code_used: int
    story: str
    kinds: tuple[Kind, Kind] = (Kind.FIRST, Kind.VALUE)


@dataclass(eq=False)
class Stream:
    """A stream's place in its queue: its slots and each of its two word ports run on their own.

    A fresh one gets no words before its first block, which then needs no CLEAR.
    """

    queue: deque[Job] = field(default_factory=deque)
    fresh: bool = False
    idle: float = 0.0  # part of its slots left unused
    job: Job | None = None  # the one whose slots are sent
    next_kind: Kind = Kind.CLEAR
    left: int = 0  # values to be sent
    feeding: dict[str, deque[Job]] = field(default_factory=lambda: {p: deque() for p in PORTS})
    words: dict[str, Iterator[int]] = field(default_factory=dict)
    word: dict[str, int] = field(default_factory=dict)
    awaited: deque[tuple[Decoded, str]] = field(default_factory=deque)
    counting: Job | None = None  # the one whose code bits are counted
    code_used: int = 0


def words_of(bits: Bits, word_w: int) -> Iterator[int]:
    """Words of a bit string, then zeros for ever."""
    yield from bits.words(word_w).tolist()
    while True:
        yield 0


def noise(width: int) -> Iterator[int]:
    """Random words for ever."""
    while True:
        yield random.getrandbits(width)


class DecoderEngineBench:
    """Slots and words for each stream, and a check of its values and bit counts."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.widths = EngineWidths.of(dut)
        self.table = self.widths.random_table()
        self.fed = dict.fromkeys(PORTS, 1.0)  # of each port, the part of the cycles with a word
        self.starved: tuple[str, Stream] | None = None  # a port and the stream that it leaves out
        self.settling = SETTLING  # cycles left after a reset in which a port may name no stream
        self.values = 0  # values that were checked
        self.streams: list[Stream] = []
        self.forget()

    @classmethod
    async def started(cls, dut) -> DecoderEngineBench:
        """A bench after reset, when its streams can begin."""
        bench = cls(dut)
        bench.show(bench.table)
        start_clock(dut)
        dut.s_kind.value = Kind.IDLE
        for port in PORTS:
            getattr(dut, f"s_{port}_valid").value = 0
        dut.rst.value = 1
        cocotb.start_soon(bench._run())
        await reset(dut)
        await cycles(dut, SETTLING)
        return bench

    def show(self, table: SymbolTable) -> None:
        """Put a table on the row buses."""
        self.table = table
        for name, rows in row_buses(table, self.widths.symbols).items():
            getattr(self.dut, name).value = rows

    def forget(self) -> None:
        """Begin with streams that have nothing to do, and get noise or nothing until they have."""
        self.streams = [Stream(fresh=random.random() < 0.5) for _ in range(self.widths.streams)]
        for stream in self.streams:
            for port in () if stream.fresh else PORTS:
                self._feed_from(stream, port, noise(self.widths.word_w))

    async def restart(self) -> None:
        """Reset in the middle of whatever goes on, and forget it."""
        self.dut.rst.value = 1
        self.forget()
        await reset(self.dut, 1)

    def send(self, stream: int, job: Job) -> None:
        """Queue a block for a stream."""
        self.streams[stream].queue.append(job)

    def job(self, values: Sequence[int], sent: int | None = None, wrong: float = 0.0) -> Job:
        """A sound block, of which `sent` values are asked for (all by default).

        `wrong` is the chance of each offset to be illegal, if its group has an illegal one.
        """
        values = [int(value) for value in values]
        sent = len(values) if sent is None else sent
        code_w = self.widths.code_w
        block = encode_block(np.array(values, np.uint16), self.table, code_w)
        before = encode_block(np.array(values[:sent], np.uint16), self.table, code_w)
        offsets, decoded = "", []
        for value in values:
            symbol = self.table.symbol_of(value)
            size, width = self.table.sizes[symbol], self.table.offset_w[symbol]
            offset, illegal = value - self.table.base[symbol], size < 1 << width
            illegal = illegal and random.random() < wrong
            if illegal:
                offset = random.choice((size, (1 << width) - 1, random.randrange(size, 1 << width)))
            offsets += f"{offset:0{width}b}" if width else ""
            decoded.append(Decoded(None if illegal else value, width))
        return Job(
            {"code": block.code, "offset": Bits.from_bits(map(int, offsets))},
            decoded[:sent],
            before.code.bits - 2 + code_w,
            story_of(self.table, values, 0) + f", {sent} of them asked for",
        )

    def raw_job(self, values: Sequence[int]) -> Job:
        """A raw block of at least one value."""
        width = self.widths.value_w
        values = [int(value) for value in values]
        bits = {"code": Bits.from_bits(()), "offset": verbatim(values, width)}
        decoded = [Decoded(value, width) for value in values]
        story = f"raw block of {values}"
        return Job(bits, decoded, 0, story, (Kind.RAW, Kind.RAW))

    def noise_job(self, count: int) -> Job:
        """A block of random bits, up to its first illegal offset."""
        code, offset = (
            Bits.from_bits(random.choices((0, 1), k=(count + 2) * width))
            for width in (self.widths.code_w, self.widths.value_w)
        )
        outcome = decoder_outcome(EncodedBlock(count, code, offset), self.table, self.widths.code_w)
        decoded = [Decoded(v, self.table.offset_w[self.table.symbol_of(v)]) for v in outcome.values]
        values = np.array(outcome.values, np.uint16)
        shifts = encode_block(values, self.table, self.widths.code_w).code.bits - 2
        story = f"noise: code {code}, offset {offset}, table {self.table.to_json()}"
        return Job({"code": code, "offset": offset}, decoded, self.widths.code_w + shifts, story)

    def any_job(self) -> Job:
        """A block: sound, raw, with illegal offsets, given up in the middle, or of random bits."""
        length = random.choice(LENGTHS)
        draw = random.random()
        if draw < 0.1:
            return self.noise_job(length)
        values = self.widths.any_values(self.table, length)
        if draw > 0.85 and length:
            return self.raw_job(values)
        if draw < 0.2:
            return self.job(values, sent=random.randint(0, length))
        return self.job(values, wrong=0.3 if draw < 0.4 else 0.0)

    async def expect_all(self) -> None:
        """Wait until all queued blocks are through, and see that nothing follows."""
        jobs = [job for stream in self.streams for job in stream.queue]
        slots = sum(len(job.values) + 3 for job in jobs) + 20
        limit = 1000 + 100 * self.widths.streams * slots
        await until(self.dut, self._all_sent, limit, "the last slot")
        await cycles(self.dut, 5 * self.widths.streams + 8)
        for number, stream in enumerate(self.streams):
            assert not stream.awaited, (
                f"{len(stream.awaited)} values of stream {number} did not come; "
                f"{stream.awaited[0][1]}; test seed {cocotb.RANDOM_SEED}"
            )
            self._check_code_used(number, stream)

    def _all_sent(self) -> bool:
        return not any(stream.queue or stream.job for stream in self.streams)

    # ---- every cycle: words, then the slot, then what the engine makes of them

    async def _run(self) -> None:
        dut, falling, settled = self.dut, FallingEdge(self.dut.clk), Timer(1, "ns")
        while True:
            await falling
            self.settling = SETTLING if dut.rst.value == 1 else max(self.settling - 1, 0)
            offered = {port: self._offer_word(port) for port in PORTS}
            if dut.rst.value == 1:
                dut.s_kind.value = random.randrange(8)
                continue
            await settled
            self._send_slot()
            await settled
            self._check_value()
            self._count_code()
            for port, stream in offered.items():
                self._follow_port(port, stream)

    def _offer_word(self, port: str) -> Stream | None:
        """Show the next word to the stream at turn; returns the stream unless there is none."""
        valid, data = (getattr(self.dut, f"s_{port}_{name}") for name in ("valid", "data"))
        offers = random.random() < self.fed[port] and self.dut.rst.value == 0
        offers = offers and not (self.settling and any(stream.fresh for stream in self.streams))
        valid.value = offers
        if not offers:
            data.value = random.getrandbits(self.widths.word_w)
            return None
        number = getattr(self.dut, f"s_{port}_stream").value
        if not number.is_resolvable or int(number) >= self.widths.streams:
            assert self.settling, f"s_{port}_stream is {number}"
            data.value = random.getrandbits(self.widths.word_w)
            return None
        stream = self.streams[int(number)]
        if self.starved == (port, stream) or stream.fresh:
            valid.value = 0
            return None
        data.value = stream.word[port]
        return stream

    def _send_slot(self) -> None:
        """Choose the kind of this cycle's slot."""
        stream = self.streams[int(self.dut.s_stream.value)]
        self.dut.s_kind.value = self._kind_for(stream, self.dut.s_ready.value == 1)

    def _kind_for(self, stream: Stream, ready: bool) -> int:
        if random.random() < stream.idle:
            return random.choice(IDLE_KINDS)
        if stream.job is None:
            if not stream.queue or (stream.fresh and self.settling):
                return random.choice(IDLE_KINDS)
            return self._begin(stream, stream.queue.popleft())
        if not ready:
            return random.choice(IDLE_KINDS)
        kind = stream.next_kind
        if kind in (Kind.VALUE, Kind.RAW):
            index = len(stream.job.values) - stream.left
            stream.awaited.append((stream.job.values[index], f"value {index}, {stream.job.story}"))
            stream.left -= 1
        stream.next_kind = stream.job.kinds[1]
        if stream.left == 0:
            stream.job = None
        return kind

    def _begin(self, stream: Stream, job: Job) -> int:
        """Begin with a block; returns the kind of the slot before it."""
        stream.job, stream.next_kind, stream.left = job, job.kinds[0], len(job.values)
        if stream.fresh:
            stream.fresh, stream.counting = False, job
            for port in PORTS:
                self._feed_from(stream, port, words_of(job.bits[port], self.widths.word_w))
            return random.choice(IDLE_KINDS)
        for port in PORTS:
            stream.feeding[port].append(job)
        return Kind.CLEAR

    def _check_value(self) -> None:
        """Compare the value that leaves in this cycle, if one does."""
        dut = self.dut
        if dut.m_valid.value == 0:
            return
        number = int(dut.m_stream.value)
        awaited = self.streams[number].awaited
        assert awaited, f"a value of stream {number} that was not asked for"
        wanted, story = awaited.popleft()
        illegal = int(dut.m_illegal.value)
        value = None if illegal else int(dut.m_value.value)
        found = Decoded(value, int(dut.m_offset_count.value))
        assert found == wanted, (
            f"stream {number}: {found}, expected {wanted}; {story}; test seed {cocotb.RANDOM_SEED}"
        )
        self.values += 1

    def _count_code(self) -> None:
        count = int(self.dut.m_code_count.value)
        if count:
            self.streams[int(self.dut.m_code_stream.value)].code_used += count

    def _follow_port(self, port: str, offered: Stream | None) -> None:
        """See whether the engine takes a word in this cycle, or begins with the next block."""
        dut = self.dut
        if getattr(dut, f"s_{port}_clear").value == 1:
            number = int(getattr(dut, f"s_{port}_stream").value)
            stream = self.streams[number]
            assert stream.feeding[port], f"{port}: clear of stream {number} without a CLEAR"
            job = stream.feeding[port].popleft()
            if port == "code":
                self._check_code_used(number, stream)
                stream.counting, stream.code_used = job, 0
            self._feed_from(stream, port, words_of(job.bits[port], self.widths.word_w))
        elif offered and getattr(dut, f"s_{port}_ready").value == 1:
            offered.word[port] = next(offered.words[port])

    def _feed_from(self, stream: Stream, port: str, words: Iterator[int]) -> None:
        stream.words[port] = words
        stream.word[port] = next(words)

    def _check_code_used(self, number: int, stream: Stream) -> None:
        """Compare the code bits used since the last CLEAR."""
        wanted = stream.counting.code_used if stream.counting else 0
        assert stream.code_used == wanted, (
            f"stream {number} used {stream.code_used} code bits, expected {wanted}; "
            f"{stream.counting and stream.counting.story}; test seed {cocotb.RANDOM_SEED}"
        )


@cocotb.test()
async def decodes_any_blocks_of_any_streams(dut):
    bench = await DecoderEngineBench.started(dut)
    for _ in range(ROUNDS):
        bench.show(bench.widths.random_table())
        bench.fed = {port: random.choice((1.0, 1.0, 0.5, 0.15)) for port in PORTS}
        busy = random.random() < 0.4
        for stream in bench.streams:
            stream.idle = 0.0 if busy else random.choice((0.0, 0.3, 0.8))
            stream.queue += [bench.any_job() for _ in range(random.choice((0, 1, 3)))]
        await bench.expect_all()


@cocotb.test()
async def decodes_the_edges_of_each_group_of_tables_of_every_size(dut):
    bench = await DecoderEngineBench.started(dut)
    widths = bench.widths
    tables = list(tables_of_every_size(widths.value_w, widths.symbols, widths.count_w))
    for table in tables if ROUNDS >= 12 else tables[::4]:
        bench.show(table)
        values = edge_values(table)
        for stream in range(widths.streams):
            wrong = random.choice((0.0, 1.0))
            bench.send(stream, bench.job(values[stream :: widths.streams], wrong=wrong))
        await bench.expect_all()


@cocotb.test()
async def decodes_a_value_a_cycle(dut):
    bench = await DecoderEngineBench.started(dut)
    widths = bench.widths
    for _ in range(max(ROUNDS // 3, 1)):
        bench.show(random.choice((widths.random_table, widths.hostile_table))())
        length = 60
        for stream in range(widths.streams):
            bench.send(stream, bench.job(widths.any_values(bench.table, length)))
        target, begin = bench.values + length * widths.streams, now()
        limit = 5 * length * widths.streams + 100
        await until(dut, lambda end=target: bench.values == end, limit, "the last value")
        spent = now() - begin
        allowed = (length + 6) * widths.streams + 6
        assert spent <= allowed, f"{spent} cycles, {allowed} allowed; {bench.table.to_json()}"
        await bench.expect_all()


@cocotb.test()
async def a_stream_without_words_holds_up_no_other(dut):
    bench = await DecoderEngineBench.started(dut)
    streams = bench.widths.streams
    for _ in range(ROUNDS):
        bench.show(bench.widths.random_table())
        bench.fed = dict.fromkeys(PORTS, 1.0)
        length = 12
        for stream in bench.streams:
            stream.idle = 0.0
            stream.queue += [bench.job(bench.widths.any_values(bench.table, length))]
        starved, port = random.randrange(streams), random.choice(PORTS)
        bench.starved = (port, bench.streams[starved])
        await cycles(dut, (length + 6) * streams + 10)
        left = [number for number, stream in enumerate(bench.streams) if stream.awaited]
        busy = [number for number, stream in enumerate(bench.streams) if stream.job]
        assert not left and busy == [starved], f"{left} and {busy} wait for {port} of {starved}"
        bench.starved = None
        await bench.expect_all()


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    bench = await DecoderEngineBench.started(dut)
    streams = bench.widths.streams
    for _ in range(4 * ROUNDS):
        bench.fed = dict.fromkeys(PORTS, random.choice((1.0, 0.5)))
        for stream in random.sample(bench.streams, random.randint(1, streams)):
            stream.idle = random.choice((0.0, 0.3))
            stream.queue += [bench.any_job() for _ in range(3)]
        await cycles(dut, random.choice((random.randint(0, 20), random.randint(0, 80))))
        await bench.restart()
        bench.show(bench.widths.random_table())
        await cycles(dut, random.choice((0, 0, random.randint(1, 2 * streams))))
        for stream in random.sample(bench.streams, random.randint(1, streams)):
            lengths = random.choices((0, 1, 5), k=2)
            stream.queue += [bench.job(bench.widths.any_values(bench.table, n)) for n in lengths]
        await bench.expect_all()


@cocotb.test()
async def no_stream_is_ready_after_a_reset_until_it_has_code_and_offsets(dut):
    bench = await DecoderEngineBench.started(dut)
    streams = bench.widths.streams
    for missing in 2 * PORTS:
        bench.fed = dict.fromkeys(PORTS, 1.0)
        await cycles(dut, 8 * streams)  # all streams are full of noise
        bench.fed[missing] = 0.0
        await bench.restart()
        for _ in range(4 * streams):
            ready = await sampled(dut, "s_ready")
            assert ready == 0, f"stream {int(dut.s_stream.value)} is ready without {missing} bits"
