# SPDX-License-Identifier: Apache-2.0
"""What both units must do when tensors follow, stop or start over: queue, abort, reset."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from cocotb.triggers import FallingEdge

from model.apack import SymbolTable, histogram, solve
from model.apack.hostile import pending_run
from model.tensors import pattern_dtype, read_tensors
from model.zoo.wakeword import wakeword_paths
from tb.apack.env.rows import rows_of
from tb.apack.env.stimulus import (
    cheap_value_table,
    edge_values,
    grown_in_its_last_value,
    random_values,
    run_to_the_limit,
)
from tb.apack.env.top import ROUNDS, TABLE_LATENCY, Tensor, TopBench, sent
from tb.bus.cycles import cycles, now, settle, until_settled, within
from tb.bus.pace import always, at_random, rarely
from tb.bus.streams import StreamDriver, StreamMonitor

ICARUS_BLOCK = 4096  # values of the longest block in Icarus, where 65,536 take minutes
INPUT_ROOM = 2  # beats that an input takes before the unit looks at them
STALLED = 150  # cycles of a pause that a counter must notice
EDGE_DRAWS = 2000
SLOW = 5  # cycles between two beats of an output, so that an ABORT comes before the last
LIMIT_BLOCK = 1024  # values of a block in which a run of pending bits can be too long
FILLED_BLOCK = 256  # values of a block, of which some are enough to fill all buffers
RATE_BLOCK = 1024
LONG_RATE, SMALL_RATE = 0.985, 0.95  # values a cycle of one engine
SMALL_TENSORS, SMALL_LENGTH = 10, 1000
LATENCY = 12  # cycles between a command or an event and what is seen of it


def tensor_of(bench: TopBench, values: np.ndarray, table, block: int | None = None) -> Tensor:
    """These values with the model's image of them."""
    block = block or bench.widths.block_values
    return Tensor(values, table, block, bench.widths.image(values, table, block))


def hostile_tensor(bench: TopBench) -> Tensor:
    """Values that keep bits pending as long as the widths let them."""
    widths = bench.widths
    table, block = widths.hostile_table(), widths.block_values
    run = random.choice((None, random.randint(1, 60)))
    length = widths.any_length(block, 2 * block)
    return tensor_of(
        bench, pending_run(table, length, widths.code_w, random.getrandbits(32), run), table
    )


def limit_tensors(bench: TopBench) -> list[Tensor]:
    """Tensors of one block: with runs as long as a coded block may have, and a piece longer.

    And the longer one with values behind it.
    """
    widths = bench.widths
    table, values = run_to_the_limit(widths.value_w, widths.count_w, widths.streams, widths.code_w)
    behind = random_values(table, 3 * widths.streams + 1)
    lengths = (values[:-1], values, np.concatenate([values, behind]))
    tensors = [tensor_of(bench, each, table, widths.block_max) for each in lengths]
    assert [tensor.image.raw[0] for tensor in tensors] == [False, True, True]
    return tensors


def growing_tensors(bench: TopBench) -> list[Tensor]:
    """A block that is coded, the same with a further value, with which it is raw, and both."""
    widths = bench.widths
    most = min(widths.block_values, 64)
    found = grown_in_its_last_value(
        widths.value_w, widths.count_w, widths.streams, widths.code_w, widths.word_w, most
    )
    assert found, f"no block of {widths} grows in its last value"
    table, values = found
    tensors = [tensor_of(bench, each, table) for each in (values[:-1], values)]
    assert [tensor.image.raw[0] for tensor in tensors] == [False, True]
    return tensors


def mixed_tensor(bench: TopBench, blocks: int) -> Tensor:
    """Blocks coded in few words and raw blocks in turn, now and then two of a kind."""
    widths = bench.widths
    block, total = widths.block_values, 1 << widths.count_w
    table = SymbolTable(widths.value_w, widths.count_w, (0, 1), (0, total - 1, total))
    values = np.zeros(blocks * block + 1, pattern_dtype(widths.value_w))
    for number in range(blocks):
        if number % 2 or random.random() < 0.2:
            noise = [random.getrandbits(widths.value_w) for _ in range(block)]
            values[number * block : (number + 1) * block] = noise
    tensor = tensor_of(bench, values, table)
    assert tensor.image.raw.any() and not tensor.image.raw.all()
    return tensor


@cache
def shipped_weights(path: Path) -> list[np.ndarray]:
    """The weight tensors of a microWakeWord model."""
    return [tensor.values.reshape(-1) for tensor in read_tensors(path, 8)]


def real_tensor(bench: TopBench, most: int) -> Tensor:
    """The start of a weight tensor of a microWakeWord model, with the table solved for it."""
    widths = bench.widths
    _, path = random.choice(wakeword_paths())
    shipped = random.choice(shipped_weights(path))[:most]
    narrow, wide = max(8 - widths.value_w, 0), max(widths.value_w - 8, 0)
    dtype = pattern_dtype(widths.value_w)
    values = (shipped.astype(np.uint16) >> narrow << wide).astype(dtype)
    table = solve(
        histogram(values, widths.value_w),
        value_w=widths.value_w,
        symbols=min(widths.symbols, 1 << widths.value_w),
        count_w=widths.count_w,
    )
    return tensor_of(bench, values, table)


async def start_in_turn(bench: TopBench, tensors: list[Tensor]) -> None:
    """Load tables and START tensors as soon as their bank is free, the banks in turn."""
    unit = bench.unit
    ended = await unit.read("TENSORS")
    for number, tensor in enumerate(tensors):
        await until_taken(bench, tensor)
        while await unit.read("TENSORS") < ended + number - 1:
            await cycles(bench.dut, 5)
        await unit.load_table(number % 2, tensor.table)
        await bench.set_up(tensor)
        await unit.start(number % 2)


async def check_back_to_back(bench: TopBench) -> None:
    """Tensors that wait at the input while tables and STARTs for them come in time."""
    unit = bench.unit
    tensors = [bench.tensor(2 * bench.widths.block_values) for _ in range(2 + ROUNDS)]
    bench.pace()
    for tensor in tensors:
        bench.send(tensor)
    await start_in_turn(bench, tensors)
    for tensor in tensors:
        await bench.expect(tensor)
    await unit.wait_idle(200)
    await bench.expect_counters(**bench.counters_of(tensors[-1]))
    await bench.expect_quiet({"DONE"})


async def check_held_counters(bench: TopBench) -> None:
    """The counters of a tensor are there while the next one, which was queued, runs already."""
    unit = bench.unit
    first, second = (bench.tensor(2 * bench.widths.block_values) for _ in range(2))
    ended = await unit.read("TENSORS")
    bench.send(first)
    for bank, tensor in enumerate((first, second)):
        await unit.load_table(bank, tensor.table)
        await bench.set_up(tensor)
        await unit.start(bank)
    await bench.expect(first)
    for _ in range(200):
        if await unit.read("TENSORS") == ended + 1:
            break
    assert "BUSY" in await unit.status()
    await bench.expect_counters(**bench.counters_of(first))
    bench.send(second)
    await bench.expect(second)
    await unit.wait_idle(200)
    assert await unit.read("TENSORS") == ended + 2
    await bench.expect_counters(**bench.counters_of(second))
    await bench.expect_quiet({"DONE"})


async def check_counters(bench: TopBench, source: str) -> None:
    """Cycles, and the counter of whoever makes the unit wait; `source` is the input it reads."""
    dut, unit, widths = bench.dut, bench.unit, bench.widths
    tensor = bench.tensor(block=widths.block_values, length=bench.room() + widths.block_values)
    bench.pace(always)
    await bench.prepare(tensor)
    before = await unit.counters()
    await unit.start()
    begin = now()
    await cycles(dut, STALLED)
    bench.hold()
    bench.send(tensor)
    driver = bench.ins[source]
    await settle(
        dut,
        lambda: driver.valid.value == 1 and driver.ready.value == 0,
        400 + 8 * widths.streams * widths.block_values,
        bench.patience(tensor),
    )
    await cycles(dut, STALLED)
    assert await unit.counters() == before, "the counters are those of a tensor that runs"
    await unit.enable("DONE")
    bench.release()
    end = await until_settled(dut, lambda: dut.irq.value == 1, bench.patience(tensor), "the end")
    counters = await bench.expect_counters(**bench.counters_of(tensor))
    assert abs(counters["CYCLES"] - (end - begin)) <= 2 * LATENCY, f"{counters} {end - begin}"
    assert counters["STALL_INPUT"] >= STALLED - LATENCY, counters
    for name in ("STALL_OUTPUT", "STALL_ENGINE"):
        assert counters[name] >= STALLED, f"{name}: {counters}"
    await cycles(dut, STALLED)
    assert await unit.counters() == counters, "the counters went on after the tensor"
    await bench.expect(tensor)

    await bench.run(tensor)
    counters = await unit.counters()
    assert counters["STALL_OUTPUT"] == 0, f"an output that never waited: {counters}"


async def check_overlap(bench: TopBench) -> None:
    """Two tensors at a time, each with the table of its bank; a third START waits, a fourth never.

    Both inputs are taken before a beat is taken from the output; so is no row for their banks.
    """
    unit = bench.unit
    for first in (0, 1):
        tensors = [bench.coded_tensor() for _ in range(3)]
        tensors[2] = replaced_values(bench, tensors[0])
        ended = await unit.read("TENSORS")
        await unit.load_table(first, tensors[0].table)
        await unit.load_table(1 - first, tensors[1].table)
        bench.hold()
        for number, tensor in enumerate(tensors):
            await bench.set_up(tensor)
            await unit.start((first + number) % 2)
            bench.send(tensor)
            if number < 2:
                await until_taken(bench, tensor)
        await cycles(bench.dut, STALLED)
        assert await unit.status() >= {"BUSY", "QUEUED"}, "a third tensor runs"
        assert await unit.read("TENSORS") == ended
        await unit.start(first)
        assert await unit.clear_events() == {"START_REFUSED"}
        for bank in (0, 1):
            await unit.load_rows(bank, rows_of(tensors[1].table)[:1])
        await cycles(bench.dut, TABLE_LATENCY)
        assert await unit.clear_events() == {"TABLE_REFUSED"}
        bench.release()
        for tensor in tensors:
            await bench.expect(tensor)
        await unit.wait_idle(bench.patience(tensors[0]) // 4)
        assert await unit.read("TENSORS") == ended + 3
        await bench.expect_counters(**bench.counters_of(tensors[2]))
        await bench.expect_quiet({"DONE"})


def replaced_values(bench: TopBench, tensor: Tensor) -> Tensor:
    """Other values with the same table, as many."""
    values = random_values(tensor.table, len(tensor.values))
    return tensor_of(bench, values, tensor.table, tensor.block)


async def until_taken(bench: TopBench, tensor: Tensor) -> None:
    """Wait until a START is no longer in the queue."""
    for _ in range(bench.patience(tensor) // 4):
        if "QUEUED" not in await bench.unit.status():
            return
    raise AssertionError(f"hang: a START stays in the queue; {tensor.story()}")


async def check_empty_between(bench: TopBench) -> None:
    """Tensors without values before, between and behind others, without a pause."""
    unit = bench.unit
    lengths = [0, 1, 0, 0, bench.widths.lanes + 1, 0, bench.widths.block_values, 0]
    tensors = [bench.tensor(block=bench.widths.block_values, length=n) for n in lengths]
    ended = await unit.read("TENSORS")
    bench.pace()
    for tensor in tensors:
        bench.send(tensor)
    await start_in_turn(bench, tensors)
    for tensor in tensors:
        await bench.expect(tensor)
    await unit.wait_idle(200)
    assert await unit.read("TENSORS") == ended + len(tensors)
    await bench.expect_counters(**bench.counters_of(tensors[-1]))
    await bench.expect_quiet({"DONE"})


async def check_aborts(bench: TopBench) -> None:
    """ABORT at any time, with outputs that wait, with or without a tensor behind the first.

    The second one is dropped too if it has been taken, else it runs; both end.
    """
    unit, widths = bench.unit, bench.widths
    for _ in range(2 * ROUNDS):
        most = random.choice((widths.lanes, widths.block_values, 4 * widths.block_values))
        tensors = [bench.tensor(most), bench.tensor(2 * widths.block_values)]
        tensors = tensors[: random.randint(1, 2)]
        ended = await unit.read("TENSORS")
        bench.pace()
        for bank, tensor in enumerate(tensors):
            await unit.load_table(bank, tensor.table)
        if random.random() < 0.5:
            bench.hold()
        for bank, tensor in enumerate(tensors):
            await bench.set_up(tensor)
            await unit.start(bank)
            bench.send(tensor)
            await cycles(bench.dut, random.choice((0, random.randint(0, 60))))
        await cycles(bench.dut, random.choice((0, random.randint(0, 60), random.randint(0, 600))))
        await unit.abort()
        await cycles(bench.dut, random.choice((0, 1, 50)))
        bench.release()
        await unit.wait_idle(sum(map(bench.patience, tensors)) // 4)
        for tensor in tensors:
            bench.check_cut_short(tensor)
        assert await unit.read("TENSORS") == ended + len(tensors)
        stood = await unit.clear_events()
        assert stood and stood <= {"ABORTED", "DONE"}, stood
        assert len(stood) <= len(tensors), stood
        await bench.expect_quiet()
        await bench.run(bench.tensor(2 * widths.block_values), random.randint(0, 1))


async def check_abort_of_two(bench: TopBench) -> None:
    """ABORT drops both tensors that have been taken, not the one that waits in the queue.

    The input of the second has ended, or is dropped up to its end, or up to a second ABORT.
    """
    unit = bench.unit
    for ending in ("before", "tlast", "second abort"):
        first, second = bench.coded_tensor(), bench.coded_tensor()
        queued = replaced_values(bench, first)
        ended = await unit.read("TENSORS")
        await unit.load_table(0, first.table)
        await unit.load_table(1, second.table)
        bench.hold()
        await bench.set_up(first)
        await unit.start(0)
        bench.send(first)
        await until_taken(bench, first)
        await bench.set_up(second)
        await unit.start(1)
        await until_taken(bench, second)
        inputs = bench.input_of(second)
        for name, beats in inputs.items():
            early = beats if ending == "before" else beats[:-1]
            if early:
                taken = sent(bench.ins[name], early)
                await within(bench.patience(second), taken.wait(), f"room for {name}")
        await bench.set_up(queued)
        await unit.start(0)
        await cycles(bench.dut, random.randint(0, 100))
        await unit.abort()
        await cycles(bench.dut, 30)
        assert await unit.status() >= {"BUSY", "QUEUED"}
        bench.release()
        await cycles(bench.dut, 50)
        if ending != "before":
            assert await unit.status() >= {"BUSY", "QUEUED", "DISCARD"}
        if ending == "tlast":
            for name, beats in inputs.items():
                sent(bench.ins[name], beats[-1:])
        elif ending == "second abort":
            await unit.abort()
        await until_taken(bench, queued)
        assert await unit.read("TENSORS") == ended + 2
        assert await unit.clear_events() == {"ABORTED"}
        bench.send(queued)
        for tensor in (first, second):
            bench.check_cut_short(tensor)
        await bench.expect(queued)
        await unit.wait_idle(bench.patience(queued) // 4)
        await bench.expect_counters(**bench.counters_of(queued))
        await bench.expect_quiet({"DONE"})


async def check_discard(bench: TopBench) -> None:
    """After an ABORT, input is dropped up to its tlast, or up to a second ABORT."""
    unit, widths = bench.unit, bench.widths
    for ending in ("tlast", "second abort"):
        tensor = bench.tensor(length=2 * widths.block_values + widths.lanes)
        beats = bench.beginning_of(tensor)
        patience = bench.patience(tensor)
        await bench.prepare(tensor)
        await unit.start()
        for _ in range(2):
            for name, some in beats.items():
                unfinished = [beat | {"tlast": 0} for beat in some]
                taken = sent(bench.ins[name], unfinished)
                if unfinished:
                    await within(patience, taken.wait(), f"room for {name}")
            if "DISCARD" not in await unit.status():
                await unit.abort()
            await cycles(bench.dut, 50)
            assert await unit.status() >= {"BUSY", "DISCARD"}
        if ending == "tlast":
            for name, some in bench.input_of(tensor).items():
                sent(bench.ins[name], some[-1:])
        else:
            await unit.abort()
        await unit.wait_idle(50)
        bench.check_cut_short(tensor)
        await bench.expect_quiet({"ABORTED"})
        await bench.run(bench.tensor(2 * widths.block_values))


async def check_abort_with_waiting_beats(bench: TopBench) -> None:
    """A beat that stands on an output stays until taken, which the monitors check; so does BUSY."""
    tensor = bench.tensor(length=2 * bench.widths.block_values)
    await bench.prepare(tensor)
    bench.hold()
    await bench.unit.start()
    bench.send(tensor)
    await until_settled(
        bench.dut,
        lambda: all(monitor.valid.value == 1 for monitor in bench.outs.values()),
        bench.patience(tensor),
        "a beat on each output",
    )
    await bench.unit.abort()
    await cycles(bench.dut, 100)
    assert "BUSY" in await bench.unit.status()
    assert not await bench.unit.events()
    bench.release()
    await bench.expect_aborted(tensor, {"ABORTED"})
    await bench.run(bench.tensor())


async def check_abort_with_waiting_ends(bench: TopBench) -> None:
    """The tensor is over when the closing beats are taken, of whichever output that is last."""
    for last in bench.outputs:
        tensor = bench.tensor(length=1)
        await bench.prepare(tensor)
        bench.hold(last)
        await bench.unit.start()
        for _ in range(2):
            await bench.unit.abort()
        await cycles(bench.dut, 50)
        assert await bench.unit.status() & {"BUSY", "DISCARD"} == {"BUSY"}
        assert not await bench.unit.events()
        bench.release()
        await bench.expect_aborted(tensor, {"ABORTED"})
        await bench.run(bench.tensor())


async def check_idle_abort(bench: TopBench) -> None:
    """ABORT while nothing runs does nothing."""
    for _ in range(2):
        await bench.unit.abort()
        await bench.expect_quiet()
        await bench.run(bench.tensor(2 * bench.widths.block_values))


async def check_longest_blocks(bench: TopBench) -> None:
    """Blocks of as many values as there is room for: the most code bits, offset bits, raw bits.

    Of three groups the first is one value, coded in as many bits as the counts allow up to one
    less than it has; the second, half of all values, has nearly all counts; the third is the other
    half, and stored raw.
    """
    widths = bench.widths
    block = widths.block_max
    if ROUNDS == 1:  # in Icarus
        block = min(block, ICARUS_BLOCK)
    half, most = 1 << (widths.value_w - 1), 1 << widths.value_w
    total = 1 << widths.count_w
    few = max(total // half, 1)
    ends = few, total - few, total
    table = SymbolTable(widths.value_w, widths.count_w, (0, 1, half + 1), (0, *ends))
    draw = np.random.default_rng(random.getrandbits(64))
    parts = [
        draw.integers(low, high, block) for low, high in ((0, 1), (1, half + 1), (half + 1, most))
    ]
    values = np.concatenate(parts).astype(pattern_dtype(widths.value_w))
    tensor = tensor_of(bench, values, table, block)
    if block >= LIMIT_BLOCK:  # short ones have no room for the first pieces of all streams
        assert tensor.image.raw.tolist() == [False, False, True]
    await bench.run(tensor)
    if ROUNDS > 1:
        await check_whole_block(bench)


def overfull_tensor(bench: TopBench) -> Tensor:
    """A tensor of more blocks of one beat than all buffers have room for."""
    widths = bench.widths
    beats = 6 * (widths.block_max // widths.lanes) + 12
    return bench.tensor(block=widths.lanes, length=widths.lanes * (widths.engines * beats + 10))


async def beats_that_fit(bench: TopBench, tensor: Tensor, name: str) -> int:
    """Beats of an input that the unit has room for while nothing is taken from its outputs.

    The tensor has blocks of one beat, and more of them than that.
    """
    driver = bench.ins[name]
    begin = driver.sent
    bench.hold()
    bench.send(tensor)
    await bench.unit.start()
    await cycles(bench.dut, filling_cycles(bench))
    taken = driver.sent - begin
    bench.release()
    await bench.expect(tensor)
    await bench.unit.wait_idle(100)
    await bench.expect_quiet({"DONE"})
    # The last beat may be one without values, which is taken without room.
    assert INPUT_ROOM < taken < driver.sent - begin - 1, "not all buffers are full"
    return taken - INPUT_ROOM


def filling_cycles(bench: TopBench) -> int:
    """Cycles in which all buffers fill with blocks of one beat while nothing leaves."""
    widths = bench.widths
    return 400 + 8 * widths.engines * (widths.block_max + 40)


async def check_abort_about_an_end(bench: TopBench) -> None:
    """ABORT in each of the cycles about a tensor's end: it drops the tensor or does nothing to it.

    Alone, and with another one behind it, which is dropped in any case.
    """
    widths = bench.widths
    bench.unit.bus.longest_delay = 0
    # The first ABORT has to come in time: every value takes all its bits in memory.
    table = SymbolTable.uniform(widths.value_w, 1, widths.count_w)
    block = widths.lanes * max(1, 16 // widths.lanes)
    tensor = bench.tensor(table=table, block=block, length=block)
    for bank in (0, 1):
        await bench.prepare(tensor, bank)
    for others in (0, 1):
        dropped: list[bool] = []
        while dropped[-3:] != [False] * 3:
            assert len(dropped) < 200, dropped
            dropped.append(await _abort_after(bench, tensor, others, delay=len(dropped)))
        assert dropped[0], "the first ABORT came too late"
        assert dropped == sorted(dropped, reverse=True), dropped
    await bench.run(bench.tensor(2 * widths.block_values))


async def _abort_after(bench: TopBench, tensor: Tensor, others: int, delay: int) -> bool:
    """Run a tensor, ABORT about when it ends; whether it was dropped.

    others: tensors that follow, of which the input does not end.
    """
    unit = bench.unit
    outputs = bench.outs.values()
    waits = bench.patience(tensor)
    ended = await unit.read("TENSORS")
    bench.hold()
    await unit.start(0)
    bench.send(tensor)
    await settle(
        bench.dut, lambda: all(output.valid.value == 1 for output in outputs), LATENCY, waits
    )
    for bank in range(1, 1 + others):
        await until_taken(bench, tensor)
        await unit.start(bank)
        await until_taken(bench, tensor)
    for output in outputs:
        output.pace(rarely(SLOW))
    await cycles(bench.dut, delay)
    for _ in range(2):
        await unit.abort()
    await unit.wait_idle(waits)
    events = await unit.clear_events()
    dropped = "DONE" not in events
    wanted = {"ABORTED"} if dropped else {"DONE", *(["ABORTED"] if others else [])}
    assert events == wanted, f"events {events}, expected {wanted}"
    if not dropped:
        await bench.expect(tensor)
    for _ in range(dropped + others):
        bench.check_cut_short(tensor)
    assert await unit.read("TENSORS") == ended + 1 + others
    await bench.expect_quiet()
    bench.release()
    return dropped


async def check_resets(bench: TopBench) -> None:
    """A reset at any time leaves nothing behind."""
    for _ in range(2 * ROUNDS):
        tensor, bank = bench.tensor(), random.randint(0, 1)
        bench.pace()
        await bench.prepare(tensor, bank)
        await bench.unit.start(bank)
        bench.send(tensor)
        await cycles(bench.dut, random.choice((random.randint(0, 40), random.randint(0, 600))))
        await bench.restart()
        assert not await bench.unit.status()
        assert not await bench.unit.events()
        bench.pace(always)
        await bench.run(bench.tensor(2 * bench.widths.block_values), random.randint(0, 1))


async def check_lengths(bench: TopBench) -> None:
    """Tensors that end at every place around a beat, a turn of all streams, and a block."""
    widths = bench.widths
    lanes, turn = widths.lanes, widths.streams
    block = min(lanes * max(2, 16 // lanes), widths.block_values)
    lengths = [0, 1, lanes - 1, lanes, lanes + 1, turn - 1, turn, turn + 1, 2 * turn + 1]
    lengths += [block - 1, block, block + 1, block + turn, 2 * block, 3 * block - 1, 0, 1]
    for length in lengths:
        await bench.run(bench.tensor(block=block, length=length), random.randint(0, 1))


async def check_tables(bench: TopBench) -> None:
    """Each group's first and last value, with any table in either bank, in coded blocks."""
    widths = bench.widths
    for number in range(4 * ROUNDS):
        table, cheap = cheap_value_table(widths.value_w, widths.symbols, widths.count_w)
        edges = edge_values(table)
        block = widths.block_values
        part = max(block // 6, 1)  # of a block, that a coded one has room for
        values = np.full(-(-len(edges) // part) * block, cheap, pattern_dtype(widths.value_w))
        for start in range(0, len(edges), part):
            some = edges[start : start + part]
            first = start // part * block
            values[first + np.array(random.sample(range(block), len(some)))] = some
        await bench.run(tensor_of(bench, values, table), number % 2)


async def check_word_edges(bench: TopBench) -> None:
    """Blocks whose pieces end in each place of a memory word, coded and raw, back to back."""
    widths = bench.widths
    per_word = widths.word_w // widths.piece_w
    wanted = {(raw, place) for raw in (False, True) for place in range(per_word)}
    if widths.symbols == 1:
        wanted = {(True, place) for place in range(per_word)}
    for _ in range(EDGE_DRAWS):
        length = random.randint(1, 2 * widths.block_values)
        tensor = bench.tensor(block=widths.block_values, length=length)
        places = {(header.raw, header.pieces % per_word) for header in tensor.image.headers}
        if places & wanted:
            wanted -= places
            await bench.run(tensor)
        if not wanted:
            return
    raise AssertionError(f"no block that is raw and ends at place: {wanted}")


async def check_whole_block(bench: TopBench) -> None:
    """A block of about the most values, and a little of the next, of values that take few words."""
    widths = bench.widths
    beats = widths.block_max // widths.lanes
    block = widths.lanes * random.randint(beats // 2 + 1, beats)
    total = 1 << widths.count_w
    table = SymbolTable.uniform(widths.value_w, 1, widths.count_w)
    if widths.symbols > 1 and total > 1:
        table = SymbolTable(widths.value_w, widths.count_w, (0, 1), (0, total - 1, total))
    dtype = pattern_dtype(widths.value_w)
    values = np.zeros(block + random.randint(1, 40), dtype)
    values[random.randrange(len(values))] = 1
    bench.pace(lambda: at_random(0.9))
    await bench.run(tensor_of(bench, values, table, block))
    bench.pace(always)


async def check_any(bench: TopBench, any_tensor: Callable[[], Tensor]) -> None:
    """Tensors of a kind at any pace of all streams."""
    for number in range(ROUNDS):
        bench.pace()
        await bench.run(any_tensor(), number % 2)


async def cycles_of(bench: TopBench, tensor: Tensor) -> int:
    """The CYCLES of a tensor that nothing outside holds up."""
    await bench.run(tensor)
    return await bench.unit.counter("CYCLES")


async def check_rate(bench: TopBench, kind: Callable[[TopBench, int], np.ndarray]) -> None:
    """Long tensors in blocks of 1,024: what each further value costs."""
    bench.unit.bus.longest_delay = 0
    found = []
    for length in (4 * RATE_BLOCK, 12 * RATE_BLOCK):
        values = kind(bench, length)
        table = table_for(bench, values)
        found.append(await cycles_of(bench, tensor_of(bench, values, table, RATE_BLOCK)))
    rate = 8 * RATE_BLOCK / (found[1] - found[0])
    story = f"{kind.__name__}: {rate:.4f} values a cycle in blocks of {RATE_BLOCK}"
    bench.dut._log.info(story)
    assert rate >= LONG_RATE, story


def weight_like(bench: TopBench, length: int) -> np.ndarray:
    """Values around zero, as weights are: unsigned patterns (length,)."""
    width = bench.widths.value_w
    draw = np.random.default_rng(random.getrandbits(64))
    values = np.round(draw.laplace(0, 1 << width - 5, length)).astype(np.int64)
    return (values % (1 << width)).astype(pattern_dtype(width))


def noise(bench: TopBench, length: int) -> np.ndarray:
    """Values all alike probable: raw blocks."""
    draw = np.random.default_rng(random.getrandbits(64))
    width = bench.widths.value_w
    return draw.integers(0, 1 << width, length).astype(pattern_dtype(width))


def table_for(bench: TopBench, values: np.ndarray) -> SymbolTable:
    """The table that suits these values best."""
    widths = bench.widths
    symbols = min(widths.symbols, 1 << widths.value_w)
    counts = histogram(values, widths.value_w)
    return solve(counts, value_w=widths.value_w, symbols=symbols, count_w=widths.count_w)


async def check_small_tensors(bench: TopBench) -> None:
    """Tensors of one block back to back: the unit takes one while it still ends the one before."""
    unit = bench.unit
    bench.unit.bus.longest_delay = 0
    values = weight_like(bench, SMALL_TENSORS * SMALL_LENGTH)
    table = table_for(bench, values)
    tensors = [
        tensor_of(bench, part, table, RATE_BLOCK) for part in np.split(values, SMALL_TENSORS)
    ]
    await bench.prepare(tensors[0])
    for tensor in tensors:
        bench.send(tensor)
    begin = now()
    for tensor in tensors:
        await until_taken(bench, tensor)
        await unit.start()
    for tensor in tensors:
        await bench.expect(tensor)
    rate = SMALL_TENSORS * SMALL_LENGTH / (now() - begin)
    story = f"{rate:.4f} values a cycle in tensors of {SMALL_LENGTH}"
    bench.dut._log.info(story)
    assert rate >= SMALL_RATE, story
    await unit.wait_idle(100)
    await bench.expect_quiet({"DONE"})


async def transfers(bench: TopBench, port: StreamDriver | StreamMonitor, found: list[int]) -> None:
    """Note the cycle of each beat that passes a port."""
    while True:
        await FallingEdge(bench.dut.clk)
        if port.valid.value == 1 and port.ready.value == 1:
            found.append(now())
