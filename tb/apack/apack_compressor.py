# SPDX-License-Identifier: Apache-2.0
"""apack_compressor: every memory word against the model's blocks."""

from __future__ import annotations

import random
from collections import Counter

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from model.zoo.wakeword import wakeword_paths
from tb.apack.env import top_control, top_registers
from tb.apack.env.compressor import CompressorBench
from tb.apack.env.top import ROUNDS, load_codec, sent, spoil, value_beats
from tb.bus.combinational import parameter
from tb.bus.cycles import cycles, settle, until_settled
from tb.bus.frames import with_nulls
from tb.bus.pace import always, rarely

PARAMETERS = (
    "ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "LANES",
    "BLOCK_VALUES",
)  # fmt: skip
SETS = {
    "one-engine": (1, 4, 8, 16, 10, 16, 64, 8, 64),
    "three-engines": (3, 2, 8, 11, 9, 16, 32, 4, 64),
    "wide-values": (1, 8, 16, 16, 12, 16, 64, 2, 64),
    "one-stream": (1, 1, 5, 7, 6, 9, 16, 1, 32),
    "wide-pieces": (2, 4, 8, 6, 16, 24, 32, 4, 64),
    "usual-blocks": (1, 4, 8, 16, 10, 16, 64, 8, 4096),
    "long-blocks": (3, 2, 16, 5, 6, 8, 32, 8, 65536),
}
ILLEGAL = {
    "ENGINES": (0, 65),
    "STREAMS": (0, 3, 16),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0, 256),
    "COUNT_W": (0, 15, 17),
    "CODE_W": (11, 33),
    "WORD_W": (8, 48, 128),
    "LANES": (6, 256),
    "BLOCK_VALUES": (0, 4, 96, 131072),
    "long-count": {"COUNT_W": 17, "CODE_W": 19},
    "short-word": {"COUNT_W": 15, "CODE_W": 17, "WORD_W": 16},
}
MUTATED = "three-engines"
ICARUS_ROUNDS = 1

LATENCY = 16  # cycles between a command or an event and what is seen of it
BLOCK_END = 10  # cycles that an engine needs between two blocks
HEADER_LATENCY = 100  # cycles from the last value of a block to its header
QUIET = 200  # cycles in which all leaves that can
RATES = cocotb.skipif(
    parameter("BLOCK_VALUES") < top_control.RATE_BLOCK or parameter("ENGINES") > 1,
    reason="the rate is that of one engine, in blocks of 1,024",
)
SHORT_BLOCKS = cocotb.skipif(
    parameter("BLOCK_VALUES") > top_control.FILLED_BLOCK,
    reason="buffers of long blocks take too long to fill with short ones",
)


def prepare() -> None:
    """What the mutation score does once for all mutants."""
    load_codec()
    for _, path in wakeword_paths():
        top_control.shipped_weights(path)


@cocotb.test()
async def has_its_reset_values_and_keeps_what_is_written(dut):
    bench = await CompressorBench.started(dut)
    await top_registers.check_reset_values(bench, decompressor=False)
    await top_registers.check_access(bench, decompressor=False)
    await bench.restart()
    await top_registers.check_reset_values(bench, decompressor=False)
    await top_registers.check_unmapped(bench)


@cocotb.test()
async def refuses_illegal_tables_and_says_which_row(dut):
    bench = await CompressorBench.started(dut)
    await top_registers.check_illegal_tables(bench)
    await bench.run(bench.tensor(), bank=random.randint(0, 1))


@cocotb.test()
async def refuses_a_start_it_cannot_do(dut):
    bench = await CompressorBench.started(dut)
    await top_registers.check_refused_starts(bench)
    await bench.run(bench.tensor(), bank=random.randint(0, 1))


@cocotb.test()
async def queues_one_start_and_refuses_rows_of_banks_in_use(dut):
    bench = await CompressorBench.started(dut)
    await bench.prepare(bench.tensor(), 0)
    await bench.unit.load_table(1, bench.widths.random_table())
    await top_registers.check_queue(bench)
    for _ in range(2):
        sent(bench.ins["values"], value_beats([], bench.widths))
    await bench.unit.wait_idle(100)
    await bench.expect_quiet({"DONE"})
    await bench.run(bench.tensor(), 1)


@cocotb.test()
async def raises_irq_for_enabled_events(dut):
    await top_registers.check_interrupts(await CompressorBench.started(dut))


@cocotb.test()
async def compresses_any_tensors(dut):
    bench = await CompressorBench.started(dut)
    await top_control.check_any(bench, bench.tensor)


@cocotb.test()
async def compresses_blocks_that_end_anywhere_in_a_word(dut):
    await top_control.check_word_edges(await CompressorBench.started(dut))


@cocotb.test()
async def compresses_with_any_table_in_either_bank(dut):
    await top_control.check_tables(await CompressorBench.started(dut))


@cocotb.test()
async def compresses_tensors_that_end_anywhere(dut):
    await top_control.check_lengths(await CompressorBench.started(dut))


@cocotb.test()
async def takes_the_end_with_the_last_value_or_after_it(dut):
    bench = await CompressorBench.started(dut)
    tensor = bench.tensor(length=bench.widths.block_values)
    for null_end in (False, True):
        await bench.prepare(tensor)
        await bench.unit.start()
        sent(bench.ins["values"], value_beats(tensor.values, bench.widths, null_end))
        await bench.expect(tensor)
        await bench.expect_quiet({"DONE"})


@cocotb.test()
async def passes_over_beats_that_keep_nothing(dut):
    """Before the first value, between values, behind the last; some in a row; at any pace."""
    bench = await CompressorBench.started(dut)
    lanes, most = bench.widths.lanes, bench.widths.block_values
    lengths = [0, 1, lanes - 1, lanes, lanes + 1, most - 1, most, most + 1, 2 * most + lanes]
    for length in (*lengths, *lengths[::-1]):
        tensor = bench.tensor(length=length)
        bench.pace()
        await bench.prepare(tensor)
        await bench.unit.start()
        chance = random.choice((0.1, 0.5, 0.8))
        sent(bench.ins["values"], with_nulls(bench.input_of(tensor)["values"], chance))
        if length:
            await bench.expect(tensor)
        await bench.wait_event("DONE", bench.patience(tensor))
        await bench.expect_counters(**bench.counters_of(tensor))
        await bench.expect_quiet()


@cocotb.test()
async def ends_a_tensor_with_a_beat_that_keeps_nothing(dut):
    """The tlast that a width converter puts behind a full beat, a short one, or no value at all."""
    bench = await CompressorBench.started(dut)
    lanes = bench.widths.lanes
    for length in (0, 1, lanes, 2 * lanes - 1, 3 * lanes):
        for ahead in range(3):
            tensor = bench.tensor(block=lanes, length=length)
            beats = [*value_beats(tensor.values, bench.widths, null_end=False)]
            null = {"tdata": random.getrandbits(8), "tkeep": 0, "tlast": 0}
            beats[-1] = beats[-1] | {"tlast": 0}
            await bench.prepare(tensor)
            await bench.unit.start()
            sent(bench.ins["values"], [*beats, *[null] * ahead])
            await cycles(dut, 100 + 40 * lanes)
            assert "BUSY" in await bench.unit.status(), "over without its tlast"
            sent(bench.ins["values"], [null | {"tlast": 1}])
            if length:
                await bench.expect(tensor)
            await bench.unit.wait_idle(100)
            await bench.expect_counters(**bench.counters_of(tensor))
            await bench.expect_quiet({"DONE"})


@cocotb.test()
async def beats_that_keep_nothing_before_a_start_are_of_its_tensor(dut):
    """Behind a tlast the next tensor begins, though it has no value yet."""
    bench = await CompressorBench.started(dut)
    null = {"tdata": 0, "tkeep": 0, "tlast": 0}
    tensors = [bench.tensor(length=bench.widths.lanes) for _ in range(2)]
    for tensor in tensors:
        beats = value_beats(tensor.values, bench.widths, null_end=False)
        sent(bench.ins["values"], [null, null, null, *beats])
    for tensor in tensors:
        await bench.prepare(tensor)
        await bench.unit.start()
        await bench.expect(tensor)
        await bench.unit.wait_idle(100)
        await bench.expect_counters(**bench.counters_of(tensor))
        await bench.expect_quiet({"DONE"})


@cocotb.test()
async def a_beat_that_keeps_nothing_takes_a_cycle(dut):
    """No more than that: it needs no room. The first ones pass while the unit begins."""
    bench = await CompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    tensor = bench.tensor(block=bench.widths.block_values, length=bench.widths.lanes)
    beats = value_beats(tensor.values, bench.widths, null_end=False)
    null = {"tdata": 0, "tkeep": 0, "tlast": 0}
    found = []
    for count in (0, 50):
        await bench.prepare(tensor)
        sent(bench.ins["values"], [*[null] * count, *beats])
        await cycles(dut, 10)
        await bench.unit.start()
        await bench.expect(tensor)
        await bench.unit.wait_idle(100)
        found.append((await bench.unit.counters())["CYCLES"])
        await bench.expect_quiet({"DONE"})
    turn = bench.widths.streams  # a block may begin that much later
    assert found[1] <= found[0] + 50 + turn, f"{found} cycles without and with 50 of no value"


@cocotb.test()
@SHORT_BLOCKS
async def beats_that_keep_nothing_need_no_room(dut):
    """They pass while all buffers are full, up to the tlast."""
    bench = await CompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    lanes = bench.widths.lanes
    more = top_control.overfull_tensor(bench)
    await bench.prepare(more)
    count = await top_control.beats_that_fit(bench, more, "values")
    tensor = top_control.tensor_of(bench, more.values[: count * lanes], more.table, lanes)
    beats = value_beats(tensor.values, bench.widths, null_end=False)
    null = {"tdata": 0, "tkeep": 0, "tlast": 0}
    bench.hold()
    await bench.unit.start()
    sent(bench.ins["values"], [*beats[:-1], beats[-1] | {"tlast": 0}])
    taken = sent(bench.ins["values"], [*[null] * 20, null | {"tlast": 1}])
    await cycles(dut, top_control.filling_cycles(bench))
    assert taken.is_set(), "beats that keep nothing wait for room"
    bench.release()
    await bench.expect(tensor)
    await bench.unit.wait_idle(100)
    await bench.expect_quiet({"DONE"})


@cocotb.test()
async def a_block_leaves_when_it_is_known_whether_it_is_the_last(dut):
    """A block may be complete long before: it waits for a value behind it, or for the end."""
    bench = await CompressorBench.started(dut)
    lanes = bench.widths.lanes
    null = {"tdata": 0, "tkeep": 0, "tlast": 0}
    for length in (lanes, 2 * lanes):
        tensor = bench.tensor(block=lanes, length=length)
        beats = value_beats(tensor.values, bench.widths, null_end=True)
        memory = bench.outs["memory"]
        await bench.prepare(tensor)
        await bench.unit.start()
        for number, beat in enumerate(beats):
            await cycles(dut, QUIET)
            known = tensor.image.starts[max(number - 1, 0)]
            assert len(memory.frame_so_far) == known, f"before beat {number}: {tensor.story()}"
            sent(bench.ins["values"], [null, beat])
        await bench.expect(tensor)
        await bench.expect_quiet({"DONE"})


@cocotb.test()
async def tells_the_last_word_while_words_wait_for_the_memory(dut):
    bench = await CompressorBench.started(dut)
    lanes = bench.widths.lanes
    for blocks in range(2, 6):
        tensor = bench.tensor(block=lanes, length=blocks * lanes)
        await bench.prepare(tensor)
        bench.hold("memory")
        await bench.unit.start()
        bench.send(tensor)
        await cycles(dut, 150)
        bench.release()
        await bench.expect(tensor)
        await bench.expect_quiet({"DONE"})


@cocotb.test()
async def what_it_writes_is_what_the_model_reads(dut):
    bench = await CompressorBench.started(dut)
    tensor = bench.tensor()
    bench.pace()
    await bench.prepare(tensor)
    await bench.unit.start()
    bench.send(tensor)
    memory = await bench.outs["memory"].next_frame(bench.patience(tensor))
    back = tensor.image.with_frame(memory).values()
    assert np.array_equal(back, tensor.values), tensor.story()


@cocotb.test()
async def stores_raw_what_would_grow(dut):
    bench = await CompressorBench.started(dut)
    bench.pace()
    await bench.run(top_control.mixed_tensor(bench, 6))


@cocotb.test()
async def stores_raw_only_what_would_grow(dut):
    """Blocks that are coded but for their last value, with which they take a word too many."""
    bench = await CompressorBench.started(dut)
    for _ in range(ROUNDS):
        for tensor in top_control.growing_tensors(bench):
            await bench.run(tensor)


@cocotb.test()
@cocotb.skipif(
    parameter("BLOCK_VALUES") < top_control.LIMIT_BLOCK,
    reason="the limit is met by blocks of some hundred values",
)
async def stores_raw_what_runs_more_than_eight_pieces_ahead(dut):
    """Pending runs that meet the limit, and that pass it in the block's last value or before it."""
    bench = await CompressorBench.started(dut)
    for _ in range(ROUNDS):
        for tensor in top_control.limit_tensors(bench):
            await bench.run(tensor)


@cocotb.test()
async def keeps_the_table_of_a_bank_while_the_other_one_is_loaded(dut):
    bench = await CompressorBench.started(dut)
    for first in (0, 1):
        tensors = [bench.tensor(bench.widths.block_values) for _ in range(2)]
        for bank in (first, 1 - first):
            await bench.unit.load_table(bank, tensors[bank].table)
        for bank in (first, 1 - first):
            await bench.set_up(tensors[bank])
            await bench.unit.start(bank)
            bench.send(tensors[bank])
            await bench.expect(tensors[bank])
            await bench.expect_quiet({"DONE"})


@cocotb.test()
async def carries_long_pending_runs(dut):
    bench = await CompressorBench.started(dut)
    await top_control.check_any(bench, lambda: top_control.hostile_tensor(bench))


@cocotb.test()
async def compresses_real_weights(dut):
    bench = await CompressorBench.started(dut)
    await bench.run(top_control.real_tensor(bench, 6 * bench.widths.block_values))


@cocotb.test()
async def compresses_blocks_of_the_most_values(dut):
    await top_control.check_longest_blocks(await CompressorBench.started(dut))


@cocotb.test()
async def runs_tensors_back_to_back_with_a_table_each(dut):
    await top_control.check_back_to_back(await CompressorBench.started(dut))


@cocotb.test()
async def is_done_when_the_last_word_is_taken(dut):
    bench = await CompressorBench.started(dut)
    most = bench.widths.block_values
    tensor = bench.tensor(block=most, length=random.randint(1, most))
    await bench.prepare(tensor)
    await bench.unit.start()
    bench.send(tensor)
    bench.hold()
    await bench.unit.enable("DONE")
    limit = bench.patience(tensor)
    await settle(dut, lambda: bench.ins["values"].valid.value == 0, 300, limit)
    assert "BUSY" in await bench.unit.status()
    assert not await bench.unit.events()
    bench.release()
    await until_settled(dut, lambda: dut.irq.value == 1, limit, "the end of the tensor")
    assert len(bench.outs["memory"].frames) == 1
    await bench.expect(tensor)
    await bench.expect_quiet({"DONE"})


@cocotb.test()
async def works_on_two_tensors_at_a_time(dut):
    await top_control.check_overlap(await CompressorBench.started(dut))


@cocotb.test()
async def takes_tensors_without_values_between_others(dut):
    await top_control.check_empty_between(await CompressorBench.started(dut))


@cocotb.test()
@RATES
async def codes_a_value_a_cycle(dut):
    bench = await CompressorBench.started(dut)
    for kind in (top_control.weight_like, top_control.noise):
        await top_control.check_rate(bench, kind)


@cocotb.test()
@RATES
async def codes_small_tensors_without_a_pause(dut):
    await top_control.check_small_tensors(await CompressorBench.started(dut))


@cocotb.test()
@RATES
async def a_header_leaves_soon_after_the_last_value_of_its_block(dut):
    """When the values of the next block are there, so that it is known not to be the last."""
    bench = await CompressorBench.started(dut)
    block = top_control.RATE_BLOCK
    values = top_control.weight_like(bench, 4 * block)
    table = top_control.table_for(bench, values)
    tensor = top_control.tensor_of(bench, values, table, block)
    taken: list[int] = []
    left: list[int] = []
    for port, found in ((bench.ins["values"], taken), (bench.outs["memory"], left)):
        cocotb.start_soon(top_control.transfers(bench, port, found))
    await bench.run(tensor)
    beats = block // bench.widths.lanes
    waits = [
        left[word] - taken[(number + 1) * beats - 1]
        for number, word in enumerate(tensor.image.starts[: tensor.blocks - 1])
    ]
    story = f"{waits} cycles from a block's last value to its header"
    dut._log.info(story)
    assert max(waits) <= HEADER_LATENCY, story


@cocotb.test()
async def keeps_the_counters_of_a_tensor_while_the_next_one_runs(dut):
    await top_control.check_held_counters(await CompressorBench.started(dut))


@cocotb.test()
@SHORT_BLOCKS
async def counts_cycles_and_who_makes_them_wait(dut):
    await top_control.check_counters(await CompressorBench.started(dut), "values")


async def watch_stalls(bench: CompressorBench, seen: Counter[str]) -> None:
    """Count the cycles in which something waits at a port, as the counters should."""
    values = bench.ins["values"]
    outputs = list(bench.outs.values())
    ended = False
    while True:
        await FallingEdge(bench.dut.clk)
        offered, ready = values.valid.value == 1, values.ready.value == 1
        seen["idle"] += not offered and not ended
        seen["blocked"] += offered and not ready
        ended = ended or (offered and ready and bench.dut.s_axis_values_tlast.value == 1)
        seen["held"] += any(out.valid.value == 1 and out.ready.value == 0 for out in outputs)


@cocotb.test()
async def counts_as_stalls_what_waits_at_the_ports(dut):
    bench = await CompressorBench.started(dut)
    widths = bench.widths
    block = min(widths.block_values, 8 * widths.lanes)
    for slow in (True, False, False):
        tensor = bench.tensor(block=block, length=8 * block + 1)
        if slow:  # input for which there is always room where a block can wait
            bench.pace(always)
            bench.ins["values"].set_valid_generator(rarely(4 * widths.lanes + 30))
        else:
            bench.pace()
        await bench.prepare(tensor)
        seen: Counter[str] = Counter()
        watching = cocotb.start_soon(watch_stalls(bench, seen))
        await bench.unit.start()
        await cycles(dut, random.randint(0, 100))
        bench.send(tensor)
        await bench.expect(tensor)
        await bench.wait_event("DONE", bench.patience(tensor))
        watching.cancel()
        found = await bench.expect_counters(**bench.counters_of(tensor))
        story = f"{found} while {dict(seen)} at the ports; test seed {cocotb.RANDOM_SEED}"
        assert found["STALL_OUTPUT"] == seen["held"], story
        assert found["STALL_INPUT"] <= seen["idle"], story
        if slow:
            # There is no room while a beat's values wait for the turns of their streams and enter
            # the engine, and at the end of a block.
            beats = -(-len(tensor.values) // widths.lanes)
            busy = beats * (widths.lanes + widths.streams) + BLOCK_END * tensor.blocks
            assert found["STALL_INPUT"] >= seen["idle"] - LATENCY - busy, story
            assert found["STALL_ENGINE"] == seen["blocked"] == 0, story
        taken = -(-len(tensor.values) // widths.lanes)
        waited = found["STALL_INPUT"] + found["STALL_ENGINE"]
        assert waited + taken <= found["CYCLES"], f"{taken} beats, {story}"
        assert found["STALL_ENGINE"] >= seen["blocked"] - 2 * tensor.blocks, story
        await bench.expect_quiet()


@cocotb.test()
@SHORT_BLOCKS
async def values_of_the_next_tensor_wait_for_no_engine_of_this_one(dut):
    """A tensor that fills all buffers: what waits behind its end is no stall of an engine."""
    bench = await CompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    lanes = bench.widths.lanes
    more = top_control.overfull_tensor(bench)
    await bench.prepare(more)
    beats = await top_control.beats_that_fit(bench, more, "values")
    values = more.values[: beats * lanes]
    tensor = top_control.tensor_of(bench, values, more.table, lanes)
    found, longer = [], 100
    for length in (0, longer):
        bench.hold()
        await bench.unit.start()
        sent(bench.ins["values"], value_beats(values, bench.widths, null_end=False))
        sent(bench.ins["values"], value_beats(more.values, bench.widths))
        await cycles(dut, top_control.filling_cycles(bench) + length)
        bench.release()
        await bench.expect(tensor)
        await bench.unit.wait_idle(100)
        found.append(await bench.unit.counters())
        await bench.unit.start()
        await bench.expect(more)
        await bench.unit.wait_idle(100)
        await bench.expect_quiet({"DONE"})
    wanted = {"CYCLES": longer, "STALL_OUTPUT": longer, "STALL_ENGINE": 0}
    grown = {name: found[1][name] - found[0][name] for name in wanted}
    story = f"held for {longer} cycles more"
    differ = max(abs(grown[name] - wanted[name]) for name in wanted)
    assert differ <= bench.widths.streams, f"{story}: counters grew by {grown}, expected {wanted}"


@cocotb.test()
@cocotb.skipif(
    parameter("LANES") * parameter("VALUE_BYTES") == 1,
    reason="a beat of one byte is kept or not: no tkeep is illegal",
)
async def drops_a_tensor_with_an_illegal_tkeep(dut):
    bench = await CompressorBench.started(dut)
    widths = bench.widths
    for _ in range(max(ROUNDS // 2, 3)):
        length = 2 * widths.block_values + random.randrange(2 * widths.lanes)
        tensor = bench.tensor(length=length)
        beats = value_beats(tensor.values, widths)
        spoil(beats, widths.lanes, widths.lane_bytes)
        await bench.prepare(tensor)
        await bench.unit.start()
        sent(bench.ins["values"], beats)
        await bench.expect_aborted(tensor, {"KEEP", "ABORTED"})
        await bench.run(bench.tensor(2 * widths.block_values))


@cocotb.test()
@cocotb.skipif(
    parameter("LANES") * parameter("VALUE_BYTES") == 1,
    reason="a beat of one byte is kept or not: no tkeep is illegal",
)
async def drops_the_tensor_before_as_well_if_it_is_under_way(dut):
    """An illegal tkeep of the second tensor drops both, as ABORT does."""
    bench = await CompressorBench.started(dut)
    unit, widths = bench.unit, bench.widths
    first, second = bench.coded_tensor(), bench.coded_tensor()
    beats = value_beats(second.values, widths)
    spoil(beats, widths.lanes, widths.lane_bytes)
    ended = await unit.read("TENSORS")
    for bank, tensor in enumerate((first, second)):
        await unit.load_table(bank, tensor.table)
    bench.hold()
    await bench.set_up(first)
    for bank in (0, 1):
        await unit.start(bank)
        await top_control.until_taken(bench, first)
        sent(bench.ins["values"], beats if bank else value_beats(first.values, widths))
    await cycles(dut, 100)
    bench.release()
    await unit.wait_idle(100)
    assert await unit.read("TENSORS") == ended + 2
    for tensor in (first, second):
        bench.check_cut_short(tensor)
    await bench.expect_quiet({"KEEP", "ABORTED"})
    await bench.run(bench.tensor())


@cocotb.test()
@cocotb.skipif(parameter("LANES") == 1, reason="a beat of one lane is full or empty")
async def drops_a_tensor_whose_values_go_on_behind_a_short_beat(dut):
    """Whatever is between them; a block that the short beat has ended does not leave."""
    bench = await CompressorBench.started(dut)
    widths = bench.widths
    lanes, size = widths.lanes, widths.lane_bytes
    block = min(2 * lanes, widths.block_values)
    null = {"tdata": 0, "tkeep": 0, "tlast": 0}
    for kept in range(1, lanes):
        for place in range(4):
            tensor = bench.tensor(block=block, length=4 * lanes + random.randint(1, 2 * lanes))
            beats = value_beats(tensor.values, widths, null_end=False)
            beats[place]["tkeep"] = (1 << size * kept) - 1
            between = [null] * random.randint(0, 2)
            await bench.prepare(tensor)
            await bench.unit.start()
            sent(bench.ins["values"], [*beats[: place + 1], *between])
            await cycles(dut, (place % 2) * (100 + 40 * lanes * widths.streams))
            sent(bench.ins["values"], beats[place + 1 :])
            await bench.expect_aborted(tensor, {"KEEP", "ABORTED"})
    await bench.run(bench.tensor())


@cocotb.test()
@cocotb.skipif(parameter("LANES") == 1, reason="a beat of one lane has no gap between lanes")
async def drops_a_tensor_whose_last_beat_has_a_gap(dut):
    """A lane not kept below one that is, each in turn: no value follows that would be too late."""
    bench = await CompressorBench.started(dut)
    widths = bench.widths
    lanes, size = widths.lanes, widths.lane_bytes
    for lane in range(lanes - 1):
        tensor = bench.tensor(length=2 * lanes)
        beats = value_beats(tensor.values, widths, null_end=False)
        beats[-1]["tkeep"] &= ~(((1 << size) - 1) << size * lane)
        await bench.prepare(tensor)
        await bench.unit.start()
        sent(bench.ins["values"], beats)
        await bench.expect_aborted(tensor, {"KEEP", "ABORTED"})
    await bench.run(bench.tensor(2 * widths.block_values))


@cocotb.test()
@cocotb.skipif(parameter("VALUE_BYTES") == 1, reason="a value of one byte has no half")
async def drops_a_tensor_that_ends_within_a_value(dut):
    """Half of a value kept, of each lane in turn."""
    bench = await CompressorBench.started(dut)
    widths = bench.widths
    for lane in range(widths.lanes):
        tensor = bench.tensor(length=widths.lanes + lane + 1)
        beats = value_beats(tensor.values, widths, null_end=False)
        beats[-1]["tkeep"] >>= 1
        await bench.prepare(tensor)
        await bench.unit.start()
        sent(bench.ins["values"], beats)
        await bench.expect_aborted(tensor, {"KEEP", "ABORTED"})


@cocotb.test()
async def aborts_at_any_time_and_goes_on_with_the_next_tensor(dut):
    await top_control.check_aborts(await CompressorBench.started(dut))


@cocotb.test()
async def drops_input_after_an_abort_until_its_end_or_a_second_abort(dut):
    await top_control.check_discard(await CompressorBench.started(dut))


@cocotb.test()
async def a_beat_that_waits_stays_after_an_abort_until_taken(dut):
    await top_control.check_abort_with_waiting_beats(await CompressorBench.started(dut))


@cocotb.test()
async def an_aborted_tensor_is_over_when_its_last_closing_beat_is_taken(dut):
    await top_control.check_abort_with_waiting_ends(await CompressorBench.started(dut))


@cocotb.test()
async def an_abort_while_idle_does_nothing(dut):
    await top_control.check_idle_abort(await CompressorBench.started(dut))


@cocotb.test()
async def an_abort_about_the_end_of_a_tensor_drops_it_or_not(dut):
    await top_control.check_abort_about_an_end(await CompressorBench.started(dut))


@cocotb.test()
async def an_abort_drops_both_tensors_under_way_and_not_the_queued_one(dut):
    await top_control.check_abort_of_two(await CompressorBench.started(dut))


@cocotb.test()
async def an_abort_of_an_empty_output_closes_it(dut):
    """Nothing has been put out yet: the output gets its closing beat all the same."""
    bench = await CompressorBench.started(dut)
    tensor = bench.tensor(length=1)
    await bench.prepare(tensor)
    await bench.unit.start()
    await cycles(dut, random.randint(0, 20))
    await bench.unit.abort()
    bench.send(tensor)
    await bench.expect_aborted(tensor, {"ABORTED"})
    await bench.run(bench.tensor())


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    await top_control.check_resets(await CompressorBench.started(dut))
