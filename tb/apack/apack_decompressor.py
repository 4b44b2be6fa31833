# SPDX-License-Identifier: Apache-2.0
"""apack_decompressor: every value of every block, and what it makes of damaged ones."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

import cocotb
import numpy as np

from model.apack import SymbolTable
from model.tensors import pattern_dtype
from tb.apack.env import top_control, top_registers
from tb.apack.env.damage import NULL, Damage, damages, ended
from tb.apack.env.decompressor import DecompressorBench
from tb.apack.env.memory_image import MemoryImage
from tb.apack.env.stimulus import edge_values, random_table
from tb.apack.env.top import CLOSING, ROUNDS, Tensor, load_codec, sent
from tb.bus.combinational import parameter
from tb.bus.cycles import cycles, until_settled
from tb.bus.frames import Beat, assert_frame, with_nulls

PARAMETERS = (
    "ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "PIECE_W", "WORD_W",
    "LANES", "BLOCK_VALUES",
)  # fmt: skip
SETS = {
    "one-engine": (1, 4, 8, 16, 10, 16, 16, 64, 8, 64),
    "three-engines": (3, 2, 8, 11, 9, 16, 16, 32, 4, 64),
    "wide-values": (1, 8, 16, 16, 12, 16, 16, 64, 2, 64),
    "one-stream": (1, 1, 5, 7, 6, 9, 16, 16, 1, 32),
    # Everything that the unit has in it, small but for the blocks, whose entries may be long.
    "long-blocks": (3, 2, 16, 5, 6, 8, 16, 32, 8, 65536),
}
ILLEGAL = {
    "ENGINES": (0, 65),
    "STREAMS": (0, 9),
    "VALUE_W": (1, 17),
    "SYMBOLS": (0, 256),
    "COUNT_W": (0, 15, 17),
    "CODE_W": (11, 17, 33),
    "PIECE_W": (8, 24, 128),
    "WORD_W": (8, 48, 128),
    "LANES": (6, 256),
    "BLOCK_VALUES": (0, 4, 96, 131072),
    "long-count": {"COUNT_W": 17, "CODE_W": 19, "PIECE_W": 32},
    "long-code": {"CODE_W": 33, "PIECE_W": 64},
    "short-piece": {"VALUE_W": 12, "CODE_W": 12, "PIECE_W": 8},
    "short-word": {"PIECE_W": 32, "WORD_W": 16},
}
MUTATED = "long-blocks"
ICARUS_ROUNDS = 1

HOST_READS = 200  # of a status that changes within a few cycles


def prepare() -> None:
    """What the mutation score does once for all mutants."""
    load_codec()


@cocotb.test()
async def has_its_reset_values_and_keeps_what_is_written(dut):
    bench = await DecompressorBench.started(dut)
    await top_registers.check_reset_values(bench, decompressor=True)
    await top_registers.check_access(bench, decompressor=True)
    await bench.restart()
    await top_registers.check_reset_values(bench, decompressor=True)
    await top_registers.check_unmapped(bench)


@cocotb.test()
async def refuses_illegal_tables_and_says_which_row(dut):
    bench = await DecompressorBench.started(dut)
    await top_registers.check_illegal_tables(bench)
    await bench.run(bench.tensor(), bank=random.randint(0, 1))


@cocotb.test()
async def refuses_a_start_it_cannot_do(dut):
    bench = await DecompressorBench.started(dut)
    await top_registers.check_refused_starts(bench)
    await bench.run(bench.tensor(), bank=random.randint(0, 1))


@cocotb.test()
async def queues_one_start_and_refuses_rows_of_banks_in_use(dut):
    bench = await DecompressorBench.started(dut)
    tensor = bench.tensor(2 * bench.widths.block_values)
    for bank in (0, 1):
        await bench.prepare(tensor, bank)
    await top_registers.check_queue(bench)
    await bench.unit.abort()
    await bench.unit.abort()
    await cycles(dut, 100)
    assert await bench.unit.status() & {"BUSY", "QUEUED", "BANK"} == {"BUSY", "BANK"}
    await bench.restart()
    await bench.run(bench.tensor(), 1)


@cocotb.test()
async def raises_irq_for_enabled_events(dut):
    await top_registers.check_interrupts(await DecompressorBench.started(dut))


@cocotb.test()
async def decompresses_any_tensors(dut):
    bench = await DecompressorBench.started(dut)
    await top_control.check_any(bench, bench.tensor)


@cocotb.test()
async def decompresses_with_any_table_in_either_bank(dut):
    """Each group's first and last value, in blocks of any legal size."""
    bench = await DecompressorBench.started(dut)
    widths = bench.widths
    for number in range(4 * ROUNDS):
        table = random_table(widths.value_w, widths.symbols, widths.count_w)
        dtype = pattern_dtype(widths.value_w)
        values = np.array(edge_values(table)[: 2 * widths.block_values], dtype)
        steps = range((widths.block_max // widths.lanes).bit_length())
        block = widths.lanes << random.choice(steps)
        await bench.run(top_control.tensor_of(bench, values, table, block), number % 2)


@cocotb.test()
async def decompresses_tensors_that_end_anywhere(dut):
    await top_control.check_lengths(await DecompressorBench.started(dut))


@cocotb.test()
async def handles_entries_of_both_sizes(dut):
    await top_control.check_entry_sizes(await DecompressorBench.started(dut))


@cocotb.test()
async def beats_that_keep_nothing_bring_nothing(dut):
    """Before the first word and entry, between them, and behind the last, with tlast."""
    bench = await DecompressorBench.started(dut)
    for _ in range(4):
        tensor = bench.tensor(2 * bench.widths.block_values)
        bench.pace()
        await bench.prepare(tensor)
        await bench.unit.start()
        for name, beats in bench.input_of(tensor).items():
            sent(bench.ins[name], with_nulls(beats, random.choice((0.1, 0.5, 0.8))))
        await bench.expect(tensor)
        await bench.unit.wait_idle(bench.patience(tensor) // 4)
        await bench.expect_counters(**bench.counters_of(tensor))
        await bench.expect_quiet({"DONE"})


@cocotb.test()
async def an_input_may_end_with_a_beat_that_keeps_nothing(dut):
    """Its tlast behind the last word or entry, however late, is neither more nor less of them."""
    bench = await DecompressorBench.started(dut)
    for late in ("index", "memory"):
        tensor = bench.tensor(block=bench.widths.lanes, length=5 * bench.widths.lanes)
        await bench.prepare(tensor)
        await bench.unit.start()
        frames = bench.input_of(tensor)
        open_end = [beat | {"tlast": 0} for beat in frames.pop(late)]
        sent(bench.ins[late], open_end)
        for name, beats in frames.items():
            sent(bench.ins[name], [beat | {"tlast": 0} for beat in beats])
            sent(bench.ins[name], [NULL])
        await bench.expect(tensor)
        await cycles(dut, 100)
        assert "BUSY" in await bench.unit.status(), f"over without tlast of {late}"
        sent(bench.ins[late], [NULL | {"tlast": 0}, NULL])
        await bench.unit.wait_idle(HOST_READS)
        await bench.expect_counters(**bench.counters_of(tensor))
        await bench.expect_quiet({"DONE"})


@cocotb.test()
async def a_beat_with_any_kept_byte_brings_all_of_its_bytes(dut):
    bench = await DecompressorBench.started(dut)
    tensor = bench.tensor(block=bench.widths.lanes, length=12 * bench.widths.lanes)
    await bench.prepare(tensor)
    await bench.unit.start()
    for name, beats in bench.input_of(tensor).items():
        size = len(bench.ins[name].bus.tkeep)
        sent(bench.ins[name], [b | {"tkeep": 1 << n % size} for n, b in enumerate(beats)])
    await bench.expect(tensor)
    await bench.unit.wait_idle(HOST_READS)
    await bench.expect_quiet({"DONE"})


@cocotb.test()
@cocotb.skipif(parameter("SYMBOLS") == 1, reason="with one group all blocks are raw")
async def decompresses_raw_blocks(dut):
    bench = await DecompressorBench.started(dut)
    widths = bench.widths
    total, block = 1 << widths.count_w, widths.block_values
    table = SymbolTable(widths.value_w, widths.count_w, (0, 1), (0, total - 1, total))
    dtype = pattern_dtype(widths.value_w)
    values = np.array([random.getrandbits(widths.value_w) for _ in range(3 * block + 1)], dtype)
    values[block : 2 * block] = 0
    tensor = top_control.tensor_of(bench, values, table)
    assert tensor.image.raw.any() and not tensor.image.raw.all()
    bench.pace()
    await bench.run(tensor)


@cocotb.test()
async def decompresses_long_pending_runs(dut):
    bench = await DecompressorBench.started(dut)
    await top_control.check_any(bench, lambda: top_control.hostile_tensor(bench))


@cocotb.test()
async def decompresses_real_weights(dut):
    bench = await DecompressorBench.started(dut)
    await bench.run(top_control.real_tensor(bench, 6 * bench.widths.block_values))


@cocotb.test()
async def decompresses_blocks_of_the_most_values(dut):
    await top_control.check_longest_blocks(await DecompressorBench.started(dut))


@cocotb.test()
async def runs_tensors_back_to_back_with_a_table_each(dut):
    await top_control.check_back_to_back(await DecompressorBench.started(dut))


@cocotb.test()
async def is_done_when_the_last_value_is_taken(dut):
    bench = await DecompressorBench.started(dut)
    tensor = bench.tensor(length=random.randint(1, bench.widths.lanes))
    await bench.prepare(tensor)
    bench.hold()
    await bench.unit.start()
    bench.send(tensor)
    out = bench.outs["values"]
    await until_settled(dut, lambda: out.valid.value == 1, bench.patience(tensor), "a value")
    await cycles(dut, 100)
    assert "BUSY" in await bench.unit.status()
    assert not await bench.unit.events()
    bench.release()
    await bench.wait_event("DONE", 100)
    await bench.expect(tensor)
    await bench.expect_quiet()


@cocotb.test()
async def is_done_when_both_inputs_have_ended(dut):
    bench = await DecompressorBench.started(dut)
    for late, event in (("memory", "MEMORY_LENGTH"), ("index", "INDEX_LENGTH")):
        tensor = bench.tensor(2 * bench.widths.block_values)
        beats = bench.input_of(tensor)
        end = beats[late][-1]
        beats[late][-1] = end | {"tlast": 0}
        await bench.prepare(tensor)
        await bench.unit.start()
        for name, some in beats.items():
            sent(bench.ins[name], some)
        await bench.expect(tensor)
        await cycles(dut, 100)
        assert "BUSY" in await bench.unit.status()
        assert "DONE" not in await bench.unit.events()
        sent(bench.ins[late], [end])
        await bench.unit.wait_idle(HOST_READS)
        await bench.expect_quiet({"DONE", event})


def some_damages(tensor: Tensor, code_w: int) -> list[Damage]:
    """One of each kind; only some of them, drawn at random, where simulation is slow."""
    found = damages(tensor, code_w)
    return random.sample(found, min(len(found), 3 * ROUNDS))


@cocotb.test()
async def marks_damaged_blocks_and_loses_no_others(dut):
    bench = await DecompressorBench.started(dut)
    for _ in range((ROUNDS + 1) // 2):
        block = bench.widths.any_block()
        tensor = bench.tensor(block=block, length=random.randint(3, 5) * block - 1)
        for damage in some_damages(tensor, bench.widths.code_w):
            bench.pace()
            await bench.run_damaged(tensor, damage)
        await bench.run(bench.tensor(2 * bench.widths.block_values))


@cocotb.test()
async def marks_damage_in_real_weights(dut):
    bench = await DecompressorBench.started(dut)
    tensor = top_control.real_tensor(bench, 3 * bench.widths.block_values)
    for damage in some_damages(tensor, bench.widths.code_w):
        await bench.run_damaged(tensor, damage)
    await bench.run(tensor)


@cocotb.test()
async def counts_no_bits_of_blocks_without_a_plausible_entry(dut):
    bench = await DecompressorBench.started(dut)
    for missing in (False, True):
        tensor = bench.tensor(length=2 * bench.widths.block_values + 1)
        image, last = tensor.image, tensor.blocks - 1
        index = image.with_entry(last, code_bits=1).index_frame()
        await bench.prepare(tensor)
        await bench.unit.start()
        sent(bench.ins["index"], ended(index[:last]) if missing else index)
        sent(bench.ins["memory"], image.memory_frame())
        frame = await bench.outs["values"].next_frame(bench.patience(tensor))
        bench.check_values(frame, tensor, {last})
        await bench.unit.wait_idle(bench.patience(tensor) // 4)
        assert "LENGTH" in await bench.unit.bad_cause()
        bits = int(image.code_bits[:last].sum() + image.offset_bits[:last].sum())
        raw = int(image.raw[:last].sum())
        await bench.expect_counters(BITS=bits, RAW_BLOCKS=raw, BLOCKS=last + 1, BAD_BLOCK=last)
        assert await bench.unit.clear_events() >= {"DONE", "BLOCK_BAD"}
        await bench.expect_quiet()


@cocotb.test()
async def names_the_first_damaged_block_of_many(dut):
    bench = await DecompressorBench.started(dut)
    lanes = bench.widths.lanes
    tensor = bench.tensor(block=lanes, length=130 * lanes)
    for block in (random.choice((15, 16, 31, 32, 63, 64)), 127, 128):
        crc = int(tensor.image.entries["crc"][block]) ^ 1 << random.randrange(32)
        damaged = tensor.image.with_entry(block, crc=crc)
        await bench.run_damaged(
            tensor,
            Damage(
                f"CRC of block {block} is {crc:#x}",
                damaged.memory_frame(),
                damaged.index_frame(),
                frozenset({block}),
                frozenset({"CRC"}),
            ),
        )


@cocotb.test()
async def tells_an_entry_with_any_bit_too_many(dut):
    """A block, of which the entry says more bits than it can have; its words are too few then."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    widths = bench.widths
    for block in sorted({widths.block_values, widths.block_max}):
        tensor = bench.tensor(block=block, length=random.randint(2, widths.lanes + 2))
        most = 1 + (len(tensor.values) * widths.value_w - 1) // widths.word_w
        names = ("code_bits", "offset_bits")
        places = range(8 * tensor.image.entries.dtype[names[0]].itemsize)
        found = []
        for name, place in itertools.product(names, places):
            wrong = int(tensor.image.entries[name][0]) | 1 << place
            damaged = tensor.image.with_entry(0, **{name: wrong})
            if damaged.starts[1] > most:
                found.append(entry_damage(tensor, damaged, f"{name} {wrong}"))
        assert found, f"no entry speaks of more than {most} words"
        for damage in random.sample(found, min(4 * ROUNDS, len(found))):
            await bench.run_damaged(tensor, damage)


def entry_damage(tensor: Tensor, damaged: MemoryImage, story: str) -> Damage:
    """A tensor of one block with an entry that speaks of more words than there are."""
    return Damage(
        f"the entry says {story}",
        tensor.image.memory_frame(),
        damaged.index_frame(),
        frozenset({0}),
        frozenset({"LENGTH"}),
        frozenset({"TRUNCATED"}),
        events=frozenset({"MEMORY_LENGTH"}),
    )


@cocotb.test()
async def survives_words_and_entries_of_any_content(dut):
    """Nothing can be said of the causes: no value leaves unmarked that does not fit its CRC."""
    bench = await DecompressorBench.started(dut)
    for _ in range(2 * ROUNDS):
        tensor = bench.tensor(2 * bench.widths.block_values)
        await bench.prepare(tensor)
        await bench.unit.start()
        for name, beats in bench.input_of(tensor).items():
            width = 8 * beats[0]["tkeep"].bit_length()
            noise = [beat | {"tdata": random.getrandbits(width)} for beat in beats]
            sent(bench.ins[name], noise)
        frame = await bench.outs["values"].next_frame(bench.patience(tensor))
        bench.check_values(frame, tensor, set(range(tensor.blocks)))
        await bench.unit.wait_idle(bench.patience(tensor) // 4)
        assert await bench.unit.clear_events() >= {"DONE", "BLOCK_BAD"}
        await bench.run(tensor)


@cocotb.test()
async def keeps_the_counters_of_a_tensor_while_the_next_one_runs(dut):
    await top_control.check_held_counters(await DecompressorBench.started(dut))


@cocotb.test()
async def counts_cycles_and_who_makes_them_wait(dut):
    await top_control.check_counters(await DecompressorBench.started(dut), "memory")


WAITS = ("CYCLES", "STALL_INPUT", "STALL_OUTPUT", "STALL_ENGINE")


@dataclass(frozen=True)
class Pause:
    """Beats of each input that come before a pause, and those that come after it.

    held: whether nothing is taken from the output before the pause ends.
    counted: the counters that have to notice the pause.
    events: that the tensor ends with.
    """

    story: str
    before: dict[str, list[Beat]]
    after: dict[str, list[Beat]]
    counted: frozenset[str]
    held: bool = False
    events: frozenset[str] = frozenset({"DONE"})


async def check_pause(bench: DecompressorBench, tensor: Tensor, pause: Pause) -> None:
    """The same tensor with two pauses: what is counted differs by what they differ."""
    longer = longer_pause(bench)
    rest = resting_cycles(bench)
    found = [await counted_waits(bench, tensor, pause, length) for length in (rest, rest + longer)]
    wanted = {name: longer * (name in pause.counted | {"CYCLES"}) for name in WAITS}
    grown = {name: found[1][name] - found[0][name] for name in WAITS}
    story = f"{pause.story} for {longer} cycles more"
    assert grown == wanted, f"{story}: counters grew by {grown}, expected {wanted}"


def resting_cycles(bench: DecompressorBench) -> int:
    """Cycles in which everything comes to rest that needs at most one block of each stream."""
    return 100 + bench.widths.streams * (bench.widths.lanes + 12)


def longer_pause(bench: DecompressorBench) -> int:
    """Cycles in which all streams have as many turns."""
    return 12 * bench.widths.streams


async def counted_waits(
    bench: DecompressorBench, tensor: Tensor, pause: Pause, length: int
) -> dict[str, int]:
    """The counters of a tensor whose input stops for so many cycles."""
    for name, beats in pause.before.items():
        sent(bench.ins[name], beats)
    if pause.held:
        bench.hold()
    await cycles(bench.dut, 10)  # what is sent waits at the inputs
    await bench.unit.start()
    if pause.held:
        await cycles(bench.dut, top_control.filling_cycles(bench))
    await cycles(bench.dut, length)
    bench.release()
    for name, beats in pause.after.items():
        sent(bench.ins[name], beats)
    await bench.outs["values"].next_frame(bench.patience(tensor))
    await bench.unit.wait_idle(HOST_READS)
    counters = await bench.unit.counters()
    await bench.expect_quiet(pause.events)
    return counters


@cocotb.test()
async def counts_each_cycle_that_an_input_is_late(dut):
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    lanes = bench.widths.lanes
    tensor = bench.tensor(block=lanes, length=3 * lanes)
    await bench.prepare(tensor)
    beats = bench.input_of(tensor)
    starts = tensor.image.starts
    for name, other, places in (
        ("index", "memory", (0, 1, 2)),
        ("memory", "index", (0, starts[1])),
    ):
        for place in places:
            before = {other: beats[other], name: beats[name][:place]}
            await check_pause(
                bench,
                tensor,
                Pause(
                    f"{name} stops after {place} beats",
                    {key: some for key, some in before.items() if some},
                    {name: beats[name][place:]},
                    frozenset({"STALL_INPUT"}),
                ),
            )
        unended = [*beats[name][:-1], beats[name][-1] | {"tlast": 0}]
        await check_pause(
            bench,
            tensor,
            Pause(
                f"the tlast of {name} is late",
                {other: beats[other], name: unended},
                {name: [NULL]},
                frozenset(),
            ),
        )


@cocotb.test()
async def counts_each_cycle_that_no_buffer_is_free(dut):
    """It is the engine's only while there is a word that waits for the buffer."""
    bench = await DecompressorBench.started(dut)
    tensor = await overfull_tensor(bench)
    whole = bench.input_of(tensor)
    dealt = await blocks_that_fit(bench, tensor)
    words = tensor.image.starts[dealt]
    await check_pause(
        bench,
        tensor,
        Pause("no room", whole, {}, frozenset({"STALL_ENGINE", "STALL_OUTPUT"}), held=True),
    )
    await check_pause(
        bench,
        tensor,
        Pause(
            "no room and no words",
            {"index": whole["index"], "memory": whole["memory"][:words]},
            {"memory": whole["memory"][words:]},
            frozenset({"STALL_OUTPUT"}),
            held=True,
        ),
    )
    await check_pause(
        bench,
        tensor,
        Pause(
            "no room and no further entries",
            {"index": whole["index"][: dealt + 1], "memory": whole["memory"]},
            {"index": whole["index"][dealt + 1 :]},
            frozenset({"STALL_ENGINE", "STALL_OUTPUT"}),
            held=True,
        ),
    )
    await bench.run(tensor)


@cocotb.test()
async def beats_that_keep_nothing_wait_for_no_buffer(dut):
    """They pass while no buffer is free, each in a cycle that no counter of waits counts."""
    bench = await DecompressorBench.started(dut)
    tensor = await overfull_tensor(bench)
    whole = bench.input_of(tensor)
    words = tensor.image.starts[await blocks_that_fit(bench, tensor)]
    found = []
    for count in (0, 40):
        nulls = [NULL | {"tlast": 0}] * count
        before = {"index": whole["index"], "memory": [*whole["memory"][:words], *nulls]}
        pause = Pause("", before, {"memory": whole["memory"][words:]}, frozenset(), held=True)
        found.append(await counted_waits(bench, tensor, pause, resting_cycles(bench)))
    without, among = found
    assert among["STALL_ENGINE"] == without["STALL_ENGINE"], f"{found} with {count} of no word"


async def overfull_tensor(bench: DecompressorBench) -> Tensor:
    """A tensor of more blocks than there are buffers, prepared at a host without delays."""
    bench.unit.bus.longest_delay = 0
    widths = bench.widths
    lanes, blocks = widths.lanes, widths.engines * (widths.streams + 3) + 10
    tensor = bench.tensor(block=lanes, length=blocks * lanes)
    await bench.prepare(tensor)
    return tensor


async def blocks_that_fit(bench: DecompressorBench, tensor: Tensor) -> int:
    """Blocks whose words are taken while no value is."""
    words = await top_control.beats_that_fit(bench, tensor, "memory")
    starts = tensor.image.starts
    return max(block for block in range(tensor.blocks) if starts[block] <= words)


@cocotb.test()
async def words_of_the_next_tensor_wait_for_no_buffer_of_this_one(dut):
    bench = await DecompressorBench.started(dut)
    tensor = await overfull_tensor(bench)
    whole = bench.input_of(tensor)
    words = tensor.image.starts[await blocks_that_fit(bench, tensor)]
    found = []
    rest = resting_cycles(bench)
    for length in (rest, rest + longer_pause(bench)):
        cut = {
            "index": whole["index"],
            "memory": [*ended(whole["memory"][:words]), *whole["memory"]],
        }
        events = frozenset({"DONE", "MEMORY_LENGTH", "BLOCK_BAD"})
        pause = Pause("", cut, {}, frozenset(), held=True, events=events)
        found.append(await counted_waits(bench, tensor, pause, length))
        sent(bench.ins["index"], whole["index"])
        await bench.unit.start()
        await bench.expect(tensor)
        await bench.unit.wait_idle(HOST_READS)
        await bench.expect_quiet({"DONE"})
    assert found[0]["STALL_ENGINE"] == found[1]["STALL_ENGINE"], found


@cocotb.test()
async def aborts_at_any_time_and_goes_on_with_the_next_tensor(dut):
    await top_control.check_aborts(await DecompressorBench.started(dut))


@cocotb.test()
async def drops_input_after_an_abort_until_its_end_or_a_second_abort(dut):
    await top_control.check_discard(await DecompressorBench.started(dut))


@cocotb.test()
async def a_beat_that_waits_stays_after_an_abort_until_taken(dut):
    await top_control.check_abort_with_waiting_beats(await DecompressorBench.started(dut))


@cocotb.test()
async def an_aborted_tensor_is_over_when_its_last_closing_beat_is_taken(dut):
    await top_control.check_abort_with_waiting_ends(await DecompressorBench.started(dut))


@cocotb.test()
async def an_abort_as_an_empty_tensor_begins_waits_for_no_input(dut):
    """The tensor before it ends around the cycle of the ABORT: one of them is aborted, or none."""
    bench = await DecompressorBench.started(dut)
    tensor, empty = bench.tensor(length=1), bench.tensor(length=0)
    out = bench.outs["values"]
    for early in range(1, 13):
        await bench.prepare(tensor)
        bench.hold()
        await bench.unit.start()
        bench.send(tensor)
        await bench.set_up(empty)
        await bench.unit.start()
        await until_settled(dut, lambda: out.valid.value == 1, bench.patience(tensor), "a value")
        aborted = cocotb.start_soon(bench.unit.abort())
        await cycles(dut, early)
        bench.release()
        await aborted
        await bench.unit.wait_idle(50)
        await bench.expect(tensor)
        assert await bench.unit.clear_events() <= {"DONE", "ABORTED"}
        await bench.expect_quiet()


@cocotb.test()
async def a_tensor_of_any_length_waits_for_more_until_its_abort(dut):
    """VALUES has 48 bits: the first block comes out and is not the last."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    block = bench.widths.block_values
    places = range(17, 48) if ROUNDS > 1 else random.sample(range(17, 48), 3)
    for place in places:
        await check_unended(bench, 1 << place, bench.widths.lanes)
    for length in ((1 << 48) - 1, (1 << 47) + block):
        await check_unended(bench, length, block)
        await bench.run(bench.tensor())


async def check_unended(bench: DecompressorBench, length: int, block: int) -> None:
    """One block of a tensor of so many values, and an ABORT in place of the others."""
    out = bench.outs["values"]
    tensor = bench.tensor(block=block, length=block)
    wanted = bench.value_frame(tensor, ())
    wanted[-1] |= {"tlast": 0}
    await bench.prepare(tensor)
    await bench.unit.set_values(length)
    await bench.unit.start()
    for name, beats in bench.input_of(tensor).items():
        sent(bench.ins[name], [beat | {"tlast": 0} for beat in beats])
    patience = bench.patience(tensor)
    await until_settled(
        bench.dut, lambda: len(out.frame_so_far) == len(wanted), patience, "a block"
    )
    await cycles(bench.dut, 10)
    assert "BUSY" in await bench.unit.status(), f"{length} values are over after {block}"
    for _ in range(2):
        await bench.unit.abort()
    await bench.unit.wait_idle(50)
    *found, closing = out.frames.pop(0)
    assert closing.items() >= CLOSING.items(), f"the end after an abort is {closing}"
    assert_frame([bench.meaning(beat) for beat in found], wanted, "values", tensor.story())
    await bench.expect_quiet({"ABORTED"})


@cocotb.test()
async def an_abort_while_idle_does_nothing(dut):
    await top_control.check_idle_abort(await DecompressorBench.started(dut))


@cocotb.test()
async def an_abort_between_two_tensors_does_nothing(dut):
    await top_control.check_abort_between(await DecompressorBench.started(dut))


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    await top_control.check_resets(await DecompressorBench.started(dut))
