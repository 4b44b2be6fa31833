# SPDX-License-Identifier: Apache-2.0
"""What both units must do when tensors follow, stop or start over: queue, abort, reset."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from model.apack import SymbolTable, encode_block, histogram, solve
from model.apack.hostile import pending_run
from model.tensors import pattern_dtype, read_tensors
from model.zoo.wakeword import wakeword_paths
from tb.apack.env.stimulus import borderline_blocks
from tb.apack.env.top import ROUNDS, TESTED_BLOCK, Tensor, TopBench, sent
from tb.bus.cycles import cycles, now, settle, until_settled, within
from tb.bus.pace import always, at_random

LONG_ENTRY_BITS = 1 << 16  # of a block, from which on its entry is long
INPUT_ROOM = 2  # beats that an input takes before the unit looks at them
STALLED = 150  # cycles of a pause that a counter must notice
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


def borderline_tensors(bench: TopBench, surplus: int) -> list[Tensor]:
    """Tensors of one block whose coded bits are `surplus` more than raw: short, long and any."""
    widths = bench.widths
    cases = borderline_blocks(
        widths.value_w, widths.count_w, widths.word_w, widths.block_values, surplus
    )
    assert cases, f"no block of {widths} takes {surplus} bits more coded than raw"
    tensors = []
    for case in (cases[0], cases[-1], random.choice(cases)):
        table, values = case.drawn(widths.value_w, widths.count_w)
        bits = encode_block(values, table, widths.code_w).bits
        assert bits - len(values) * widths.value_w == surplus, case
        tensors.append(tensor_of(bench, values, table))
    return tensors


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


async def check_back_to_back(bench: TopBench) -> None:
    """Tensors that wait at the input while tables and STARTs for them come in time."""
    unit = bench.unit
    tensors = [bench.tensor(2 * bench.widths.block_values) for _ in range(2 + ROUNDS)]
    bench.pace()
    for tensor in tensors:
        bench.send(tensor)
    for number, tensor in enumerate(tensors):
        while "QUEUED" in await unit.status():
            await cycles(bench.dut, 20)
        await unit.load_table(number % 2, tensor.table)
        await bench.set_up(tensor)
        await unit.start(number % 2)
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


async def check_aborts(bench: TopBench) -> None:
    """ABORT at any time, with outputs that wait, with or without a tensor queued behind."""
    unit, widths = bench.unit, bench.widths
    for _ in range(2 * ROUNDS):
        dropped, following = bench.tensor(), bench.tensor(2 * widths.block_values)
        bench.pace()
        await bench.prepare(dropped, 0)
        await unit.load_table(1, following.table)
        queued = random.random() < 0.5
        if queued or random.random() < 0.5:  # with one queued, the first must not end by itself
            bench.hold(*random.sample(bench.outputs, random.randint(1, len(bench.outputs))))
        await unit.start(0)
        bench.send(dropped)
        await cycles(bench.dut, random.choice((0, random.randint(0, 60), random.randint(0, 600))))
        if queued:
            await bench.set_up(following)
            await unit.start(1)
            bench.send(following)
        await unit.abort()
        await cycles(bench.dut, random.choice((0, 1, 50)))
        bench.release()
        await _expect_ends(bench, dropped)
        bench.check_cut_short(dropped)
        if queued:
            await bench.expect(following)
            await unit.wait_idle(bench.patience(following) // 4)
            assert "DONE" in await unit.clear_events()
            await bench.expect_counters(**bench.counters_of(following))
        else:
            stood = await unit.wait_any("ABORTED", "DONE", polls=bench.patience(dropped) // 4)
            assert len(stood) == 1, stood
        await bench.expect_quiet()
        await bench.run(bench.tensor(2 * widths.block_values), random.randint(0, 1))


async def _expect_ends(bench: TopBench, tensor: Tensor) -> None:
    await until_settled(
        bench.dut,
        lambda: all(monitor.frames for monitor in bench.outs.values()),
        bench.patience(tensor),
        "the end of each output after an abort",
    )


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
    if ROUNDS == 1:  # in Icarus, where 65,536 values take minutes
        block = min(block, TESTED_BLOCK)
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
    assert tensor.image.raw.tolist() == [False, False, True]
    await bench.run(tensor)


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
    return 200 + 8 * widths.streams * widths.lanes * widths.engines * (widths.streams + 2)


async def check_abort_between(bench: TopBench) -> None:
    """ABORT drops the tensor that runs, and none while none does, though one is queued.

    It is written in each of the cycles about a tensor's end. In the cycle in which the tensor ends
    by itself, and in the one before the next begins, nothing is there to be dropped.
    """
    widths = bench.widths
    bench.unit.bus.longest_delay = 0
    # The first ABORT has to come in time: every value takes all its bits in memory.
    table = SymbolTable.uniform(widths.value_w, 1, widths.count_w)
    length = max(8 * widths.lanes, widths.block_values)
    tensor = bench.tensor(table=table, block=widths.block_values, length=length)
    await bench.prepare(tensor)
    aborted: list[bool] = []
    while aborted[-3:] != [True] * 3 or all(aborted):
        assert len(aborted) < 200, aborted
        aborted.append(await _abort_after(bench, tensor, delay=len(aborted)))
    ignored = aborted.count(False)
    first = aborted.index(False)
    assert first > 0, "the first ABORT came too late"
    assert ignored == 2 and not any(aborted[first : first + ignored]), aborted
    await bench.run(bench.tensor(2 * widths.block_values))


async def _abort_after(bench: TopBench, tensor: Tensor, delay: int) -> bool:
    """Run a tensor twice, ABORT about when the first ends; whether one was dropped."""
    unit = bench.unit
    bench.hold()
    for _ in range(2):
        await unit.start()
        bench.send(tensor)
    outputs = bench.outs.values()
    waits = bench.patience(tensor)
    await settle(
        bench.dut, lambda: all(output.valid.value == 1 for output in outputs), LATENCY, waits
    )
    bench.release()
    await cycles(bench.dut, delay)
    await unit.abort()
    await unit.wait_idle(waits)
    dropped = "ABORTED" in await unit.clear_events()
    for _ in range(2):
        if not dropped:
            await bench.expect(tensor)
        else:
            bench.check_cut_short(tensor)
    await bench.expect_quiet()
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
    """Tensors that end at every place around a beat and around a block."""
    widths = bench.widths
    block = min(widths.lanes * max(2, 16 // widths.lanes), widths.block_values)
    lengths = [0, 1, widths.lanes - 1, widths.lanes, widths.lanes + 1]
    lengths += [block - 1, block, block + 1, 2 * block, 3 * block - 1, 0, 1]
    for length in lengths:
        await bench.run(bench.tensor(block=block, length=length), random.randint(0, 1))


async def check_entry_sizes(bench: TopBench) -> None:
    """Short and long index entries, where blocks can be large enough for these."""
    widths = bench.widths
    most, lanes = widths.block_max, widths.lanes
    least_long = -(-LONG_ENTRY_BITS // (widths.value_w * lanes)) * lanes
    for block in (most, least_long - lanes, least_long, most // 2, most):
        if 0 < block <= most and block % lanes == 0:
            await bench.run(bench.tensor(block=block, length=random.randint(1, 40)))
    if ROUNDS > 1:  # minutes in Icarus, where there is one round
        await check_whole_block(bench)


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
