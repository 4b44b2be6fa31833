# SPDX-License-Identifier: Apache-2.0
"""apack_decompressor: every value of every block, and what it makes of damaged ones."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cocotb

from tb.apack.env import top_control, top_registers
from tb.apack.env.damage import (
    FIELDS,
    NULL,
    Damage,
    cut_short,
    damages,
    ended,
    flipped_bit,
    flipped_header,
    wrong_header,
)
from tb.apack.env.decompressor import DecompressorBench
from tb.apack.env.memory_image import HEADER_BITS
from tb.apack.env.top import CLOSING, ROUNDS, Tensor, load_codec, sent
from tb.bus.combinational import parameter
from tb.bus.cycles import cycles, until_settled
from tb.bus.frames import Beat, assert_frame, with_nulls

PARAMETERS = (
    "ENGINES", "STREAMS", "VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "LANES",
    "BLOCK_VALUES", "HOLD",
)  # fmt: skip
SETS = {
    "one-engine": (1, 4, 8, 16, 10, 16, 64, 8, 64, 0),
    "holding": (1, 4, 8, 16, 10, 16, 64, 8, 64, 1),
    "three-engines": (3, 2, 8, 11, 9, 16, 32, 4, 64, 1),
    "streaming-engines": (2, 4, 8, 6, 10, 16, 64, 8, 64, 0),
    "wide-values": (1, 8, 16, 16, 12, 16, 64, 2, 64, 0),
    "one-stream": (1, 1, 5, 7, 6, 9, 16, 1, 32, 0),
    "wide-pieces": (2, 4, 8, 6, 16, 24, 32, 4, 64, 0),
    "usual-blocks": (1, 4, 8, 16, 10, 16, 64, 8, 4096, 0),
    "long-blocks": (3, 2, 16, 5, 6, 8, 32, 8, 65536, 1),
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
    "BLOCK_VALUES": (4, 96, 131072),
    "HOLD": (2,),
    "long-count": {"COUNT_W": 17, "CODE_W": 19},
    "short-word": {"COUNT_W": 15, "CODE_W": 17, "WORD_W": 16},
}
MUTATED = "three-engines"
ICARUS_ROUNDS = 1

RATES = cocotb.skipif(
    parameter("BLOCK_VALUES") < top_control.RATE_BLOCK or parameter("ENGINES") > 1,
    reason="the rate is that of one engine, in blocks of 1,024",
)
SHORT_BLOCKS = cocotb.skipif(
    parameter("BLOCK_VALUES") > top_control.FILLED_BLOCK,
    reason="buffers of long blocks take too long to fill with short ones",
)
VALUE_LATENCY = 40  # cycles from the first word to the first value
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
    await top_control.check_tables(await DecompressorBench.started(dut))


@cocotb.test()
async def decompresses_tensors_that_end_anywhere(dut):
    await top_control.check_lengths(await DecompressorBench.started(dut))


@cocotb.test()
async def decompresses_blocks_that_end_anywhere_in_a_word(dut):
    await top_control.check_word_edges(await DecompressorBench.started(dut))


@cocotb.test()
async def beats_that_keep_nothing_bring_nothing(dut):
    """Before the first word, between two, and behind the last, with tlast."""
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
async def the_words_may_end_with_a_beat_that_keeps_nothing(dut):
    """Its tlast behind the last word, however late, is neither more nor less of them."""
    bench = await DecompressorBench.started(dut)
    tensor = bench.tensor(block=bench.widths.lanes, length=5 * bench.widths.lanes)
    await bench.prepare(tensor)
    await bench.unit.start()
    sent(bench.ins["memory"], [beat | {"tlast": 0} for beat in tensor.image.memory_frame()])
    await until_settled(
        dut, lambda: bench.outs["values"].frames, bench.patience(tensor), "the values"
    )
    await cycles(dut, 100)
    assert "BUSY" in await bench.unit.status(), "over without tlast"
    assert not await bench.unit.events()
    sent(bench.ins["memory"], [NULL | {"tlast": 0}, NULL])
    await bench.expect(tensor)
    await bench.unit.wait_idle(HOST_READS)
    await bench.expect_counters(**bench.counters_of(tensor))
    await bench.expect_quiet({"DONE"})


@cocotb.test()
async def a_beat_with_any_kept_byte_brings_all_of_its_bytes(dut):
    bench = await DecompressorBench.started(dut)
    tensor = bench.tensor(block=bench.widths.lanes, length=12 * bench.widths.lanes)
    await bench.prepare(tensor)
    await bench.unit.start()
    size = len(bench.ins["memory"].bus.tkeep)
    beats = tensor.image.memory_frame()
    sent(bench.ins["memory"], [beat | {"tkeep": 1 << n % size} for n, beat in enumerate(beats)])
    await bench.expect(tensor)
    await bench.unit.wait_idle(HOST_READS)
    await bench.expect_quiet({"DONE"})


@cocotb.test()
async def decompresses_raw_and_coded_blocks_in_turn(dut):
    bench = await DecompressorBench.started(dut)
    bench.pace()
    await bench.run(top_control.mixed_tensor(bench, 6))


@cocotb.test()
@cocotb.skipif(
    parameter("BLOCK_VALUES") < top_control.LIMIT_BLOCK,
    reason="the limit is met by blocks of some hundred values",
)
async def decompresses_runs_of_eight_pieces(dut):
    bench = await DecompressorBench.started(dut)
    for tensor in top_control.limit_tensors(bench):
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
async def works_on_two_tensors_at_a_time(dut):
    await top_control.check_overlap(await DecompressorBench.started(dut))


@cocotb.test()
async def takes_tensors_without_values_between_others(dut):
    await top_control.check_empty_between(await DecompressorBench.started(dut))


@cocotb.test()
@RATES
async def decodes_a_value_a_cycle(dut):
    bench = await DecompressorBench.started(dut)
    for kind in (top_control.weight_like, top_control.noise):
        await top_control.check_rate(bench, kind)


@cocotb.test()
@RATES
async def decodes_small_tensors_without_a_pause(dut):
    await top_control.check_small_tensors(await DecompressorBench.started(dut))


@cocotb.test()
@cocotb.skipif(
    parameter("ENGINES") > 1 or parameter("HOLD") == 1 or parameter("WORD_W") < 64,
    reason="the latency is that of one engine that holds nothing, on words of 64 bits",
)
async def a_value_leaves_soon_after_the_first_word(dut):
    bench = await DecompressorBench.started(dut)
    block = bench.widths.block_values
    values = top_control.weight_like(bench, 2 * block)
    table = top_control.table_for(bench, values)
    coded = top_control.tensor_of(bench, values, table, block)
    raw = top_control.tensor_of(bench, top_control.noise(bench, 2 * block), table, block)
    for tensor in (coded, raw):
        taken: list[int] = []
        left: list[int] = []
        watching = [
            cocotb.start_soon(top_control.transfers(bench, port, found))
            for port, found in ((bench.ins["memory"], taken), (bench.outs["values"], left))
        ]
        await bench.prepare(tensor)
        await bench.unit.start()
        await cycles(dut, 100)
        bench.send(tensor)
        await bench.expect(tensor)
        await bench.unit.wait_idle(HOST_READS)
        await bench.expect_quiet({"DONE"})
        for watch in watching:
            watch.cancel()
        story = f"{left[0] - taken[0]} cycles from the first word to the first value"
        dut._log.info(story)
        assert left[0] - taken[0] <= VALUE_LATENCY, story


def some_damages(tensor: Tensor) -> list[Damage]:
    """One of each kind; only some of them, drawn at random, where simulation is slow."""
    found = damages(tensor)
    return random.sample(found, min(len(found), 6 * ROUNDS))


@cocotb.test()
async def marks_damaged_blocks_and_loses_no_others(dut):
    bench = await DecompressorBench.started(dut)
    for _ in range((ROUNDS + 1) // 2):
        block = bench.widths.any_block()
        tensor = bench.tensor(block=block, length=random.randint(3, 5) * block - 1)
        for damage in some_damages(tensor):
            bench.pace()
            await bench.run_damaged(tensor, damage)
        await bench.run(bench.tensor(2 * bench.widths.block_values))


@cocotb.test()
async def marks_damage_in_real_weights(dut):
    bench = await DecompressorBench.started(dut)
    tensor = top_control.real_tensor(bench, 3 * bench.widths.block_values)
    for damage in some_damages(tensor):
        await bench.run_damaged(tensor, damage)
    await bench.run(tensor)


@cocotb.test()
async def believes_no_header_with_a_wrong_bit(dut):
    """Each bit of length, raw and CRC-7 in turn; nothing is decoded from there on."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    tensor = bench.tensor(block=bench.widths.lanes, length=3 * bench.widths.lanes)
    bits = range(FIELDS["CRC-7"][1])
    for bit in bits if ROUNDS > 1 else random.sample(bits, 6):
        damage = flipped_header(tensor.image, 1, [bit], f"bit {bit}")
        assert damage.outcome.bad == [1, 2]
        await bench.run_damaged(tensor, damage)


@cocotb.test()
async def compares_each_bit_of_the_crc(dut):
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    tensor = bench.tensor(block=bench.widths.lanes, length=3 * bench.widths.lanes)
    bits = range(FIELDS["CRC-7"][1], HEADER_BITS)
    for bit in bits if ROUNDS > 1 else random.sample(bits, 6):
        damage = flipped_header(tensor.image, 1, [bit], f"bit {bit}")
        assert damage.outcome.bad == [1]
        await bench.run_damaged(tensor, damage)


@cocotb.test()
async def believes_no_header_with_an_impossible_length(dut):
    """Numbers of pieces about the least and the most that a coded and a raw block can have."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    widths = bench.widths
    for count in {1, widths.streams, widths.lanes, widths.block_values}:
        tensor = bench.tensor(block=widths.block_values, length=count)
        image = tensor.image
        raw = -(-count * widths.value_w // widths.piece_w)
        least = widths.streams * -(-widths.code_w // widths.piece_w)
        per_word = widths.word_w // widths.piece_w
        most = -(-raw // per_word) * per_word
        edges = {0, least - 1, least, raw - 1, raw, raw + 1, most, most + 1, (1 << 24) - 1}
        cases = [(pieces, is_raw) for pieces in sorted(edges) for is_raw in (False, True)]
        for pieces, is_raw in cases if ROUNDS > 1 else random.sample(cases, 4):
            if pieces >= 0:
                damage = wrong_header(image, 0, pieces=pieces, raw=is_raw)
                await bench.run_damaged(tensor, damage)


@cocotb.test()
async def loses_the_blocks_behind_the_end_of_the_words(dut):
    """Words that end at every place, with the last word or behind it."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    block = min(2 * bench.widths.lanes, bench.widths.block_values)
    tensor = bench.tensor(block=block, length=3 * block)
    places = range(len(tensor.image.words))
    for kept in random.sample(places, min(len(places), 4 * ROUNDS)):
        await bench.run_damaged(tensor, cut_short(tensor.image, kept))
        await bench.run(tensor)


@cocotb.test()
@cocotb.skipif(
    parameter("WORD_W") == parameter("PIECE_W"), reason="a word of one piece has no padding"
)
async def looks_at_no_padding(dut):
    """A bit behind the last piece of a block: the values are right."""
    bench = await DecompressorBench.started(dut)
    tested = 0
    while not tested:
        tensor = bench.tensor(length=2 * bench.widths.block_values + random.randint(1, 20))
        image = tensor.image
        for block, header in enumerate(image.headers):
            bits = header.pieces * image.piece_w
            padded = image.piece_words(header.pieces) * image.word_w
            if bits < padded:
                damage = flipped_bit(image, block, random.randrange(bits, padded))
                assert not damage.outcome.bad
                await bench.run_damaged(tensor, damage)
                tested += 1


@cocotb.test()
async def a_damaged_tensor_harms_not_the_one_behind_it(dut):
    """Both are under way at a time, each with the table of its bank."""
    bench = await DecompressorBench.started(dut)
    unit = bench.unit
    for _ in range(2 * ROUNDS):
        damaged, sound = bench.tensor(), bench.tensor()
        await unit.load_table(0, damaged.table)
        await unit.load_table(1, sound.table)
        damage = random.choice(damages(damaged))
        bench.pace()
        sent(bench.ins["memory"], damage.memory)
        bench.send(sound)
        for bank, tensor in enumerate((damaged, sound)):
            await bench.set_up(tensor)
            await unit.start(bank)
        story = f"{damage.story}; {damaged.story()}"
        frame = await bench.outs["values"].next_frame(bench.patience(damaged))
        found = [bench.meaning(beat) for beat in frame]
        assert_frame(found, bench.frame_of(damage.outcome), "values", story)
        await bench.expect(sound)
        await unit.wait_idle(bench.patience(sound) // 4)
        await bench.expect_counters(**bench.counters_of(sound))
        await bench.expect_quiet(damage.outcome.events)


@cocotb.test()
async def names_the_first_damaged_block_of_many(dut):
    bench = await DecompressorBench.started(dut)
    lanes = bench.widths.lanes
    tensor = bench.tensor(block=lanes, length=130 * lanes)
    for block in (random.choice((15, 16, 31, 32, 63, 64)), 127, 128):
        bit = random.randrange(FIELDS["CRC-7"][1], HEADER_BITS)
        await bench.run_damaged(tensor, flipped_header(tensor.image, block, [bit], f"bit {bit}"))


@cocotb.test()
async def survives_words_of_any_content(dut):
    """Whatever comes is told as the model reads it; the tensor behind it is whole."""
    bench = await DecompressorBench.started(dut)
    for _ in range(2 * ROUNDS):
        tensor = bench.tensor(2 * bench.widths.block_values)
        noise = [
            beat | {"tdata": random.getrandbits(bench.widths.word_w)}
            for beat in tensor.image.memory_frame()
        ]
        await bench.run_damaged(tensor, Damage.of("noise", tensor.image, noise))
        pieces = [
            noise[place] if place in between(tensor) else beat
            for place, beat in enumerate(tensor.image.memory_frame())
        ]
        await bench.run_damaged(tensor, Damage.of("noise of pieces", tensor.image, pieces))
        await bench.run(tensor)


def between(tensor: Tensor) -> set[int]:
    """The words that are of no header."""
    image = tensor.image
    headers = {start + n for start in image.starts[:-1] for n in range(image.header_words)}
    return set(range(len(image.words))) - headers


@cocotb.test()
async def keeps_the_counters_of_a_tensor_while_the_next_one_runs(dut):
    await top_control.check_held_counters(await DecompressorBench.started(dut))


@cocotb.test()
async def counts_cycles_and_who_makes_them_wait(dut):
    await top_control.check_counters(await DecompressorBench.started(dut), "memory")


WAITS = ("CYCLES", "STALL_INPUT", "STALL_OUTPUT", "STALL_ENGINE")


@dataclass(frozen=True)
class Pause:
    """Beats that come before a pause, and those that come after it.

    held: whether nothing is taken from the output before the pause ends.
    counted: the counters that have to notice the pause.
    events: that the tensor ends with.
    """

    story: str
    before: list[Beat]
    after: list[Beat]
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
    """Cycles in which everything comes to rest that needs at most two blocks of one beat."""
    return 200 + 4 * bench.widths.streams * (bench.widths.lanes + 12)


def longer_pause(bench: DecompressorBench) -> int:
    """Cycles in which all streams have as many turns."""
    return 12 * bench.widths.streams


async def counted_waits(
    bench: DecompressorBench, tensor: Tensor, pause: Pause, length: int
) -> dict[str, int]:
    """The counters of a tensor whose input stops for so many cycles."""
    if pause.before:
        sent(bench.ins["memory"], pause.before)
    if pause.held:
        bench.hold()
    await cycles(bench.dut, 10)  # what is sent waits at the inputs
    await bench.unit.start()
    if pause.held:
        await cycles(bench.dut, top_control.filling_cycles(bench))
    await cycles(bench.dut, length)
    bench.release()
    if pause.after:
        sent(bench.ins["memory"], pause.after)
    await bench.outs["values"].next_frame(bench.patience(tensor))
    await bench.unit.wait_idle(HOST_READS)
    counters = await bench.unit.counters()
    await bench.expect_quiet(pause.events)
    return counters


@cocotb.test()
async def counts_each_cycle_that_the_words_are_late(dut):
    """In a header, behind it, among the pieces, between blocks; not the tlast behind the last."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    lanes = bench.widths.lanes
    tensor = bench.tensor(block=lanes, length=3 * lanes)
    await bench.prepare(tensor)
    beats, starts = tensor.image.memory_frame(), tensor.image.starts
    header = tensor.image.header_words
    for place in sorted({0, header - 1, header, starts[1] - 1, starts[1], starts[1] + header}):
        pause = Pause(
            f"the words stop after {place}",
            beats[:place],
            beats[place:],
            frozenset({"STALL_INPUT"}),
        )
        await check_pause(bench, tensor, pause)
    unended = [*beats[:-1], beats[-1] | {"tlast": 0}]
    await check_pause(bench, tensor, Pause("the tlast is late", unended, [NULL], frozenset()))


@cocotb.test()
@SHORT_BLOCKS
async def counts_each_cycle_that_no_buffer_is_free(dut):
    """It is the engine's only while there is a word that waits for the buffer."""
    bench = await DecompressorBench.started(dut)
    tensor = await prepared_overfull(bench)
    beats = tensor.image.memory_frame()
    words = await top_control.beats_that_fit(bench, tensor, "memory")
    stalls = frozenset({"STALL_ENGINE", "STALL_OUTPUT"})
    await check_pause(bench, tensor, Pause("no room", beats, [], stalls, held=True))
    pause = Pause(
        "no room and no words",
        beats[:words],
        beats[words:],
        frozenset({"STALL_OUTPUT"}),
        held=True,
    )
    await check_pause(bench, tensor, pause)
    await bench.run(tensor)


@cocotb.test()
@SHORT_BLOCKS
async def beats_that_keep_nothing_wait_for_no_buffer(dut):
    """They pass while no buffer is free, each in a cycle that no counter of waits counts."""
    bench = await DecompressorBench.started(dut)
    tensor = await prepared_overfull(bench)
    beats = tensor.image.memory_frame()
    words = await top_control.beats_that_fit(bench, tensor, "memory")
    found = []
    for count in (0, 40):
        nulls = [NULL | {"tlast": 0}] * count
        pause = Pause("", [*beats[:words], *nulls], beats[words:], frozenset(), held=True)
        found.append(await counted_waits(bench, tensor, pause, resting_cycles(bench)))
    without, among = found
    assert among["STALL_ENGINE"] == without["STALL_ENGINE"], f"{found} with {count} of no word"


async def prepared_overfull(bench: DecompressorBench) -> Tensor:
    """A tensor of more blocks than there are buffers, prepared at a host without delays."""
    bench.unit.bus.longest_delay = 0
    tensor = top_control.overfull_tensor(bench)
    await bench.prepare(tensor)
    return tensor


@cocotb.test()
@SHORT_BLOCKS
async def words_of_the_next_tensor_wait_for_no_buffer_of_this_one(dut):
    bench = await DecompressorBench.started(dut)
    tensor = await prepared_overfull(bench)
    beats = tensor.image.memory_frame()
    words = await top_control.beats_that_fit(bench, tensor, "memory")
    found = []
    rest = resting_cycles(bench)
    for length in (rest, rest + longer_pause(bench)):
        damage = Damage.of("", tensor.image, ended(beats[:words]))
        pause = Pause(
            "",
            [*damage.memory, *beats],
            [],
            frozenset(),
            held=True,
            events=frozenset(damage.outcome.events),
        )
        found.append(await counted_waits(bench, tensor, pause, length))
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
    """The tensor before it ends around the cycle of the ABORT: both are dropped, one, or none."""
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
        bench.check_cut_short(tensor)
        events = await bench.unit.clear_events()
        assert events and events <= {"DONE", "ABORTED"}, events
        if "ABORTED" in events and out.frames:
            assert out.frames.pop(0)[0].items() >= CLOSING.items()
        await bench.expect_quiet()


@cocotb.test()
async def a_tensor_of_any_length_waits_for_more_until_its_abort(dut):
    """VALUES has 48 bits: the first block comes out and is not the last."""
    bench = await DecompressorBench.started(dut)
    bench.unit.bus.longest_delay = 0
    block = bench.widths.block_values
    places = range(block.bit_length(), 48)
    places = places if ROUNDS > 1 else random.sample(places, 3)
    for place in places:
        await check_unended(bench, 1 << place, bench.widths.lanes)
    for length in ((1 << 48) - 1, (1 << 47) + block):
        await check_unended(bench, length, block)
        await bench.run(bench.tensor())


async def check_unended(bench: DecompressorBench, length: int, block: int) -> None:
    """One block of a tensor of so many values, and an ABORT in place of the others."""
    out = bench.outs["values"]
    tensor = bench.tensor(block=block, length=block)
    wanted = bench.output_of(tensor)["values"]
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
async def an_abort_about_the_end_of_a_tensor_drops_it_or_not(dut):
    await top_control.check_abort_about_an_end(await DecompressorBench.started(dut))


@cocotb.test()
async def an_abort_drops_both_tensors_under_way_and_not_the_queued_one(dut):
    await top_control.check_abort_of_two(await DecompressorBench.started(dut))


@cocotb.test()
async def a_reset_at_any_time_leaves_nothing_behind(dut):
    await top_control.check_resets(await DecompressorBench.started(dut))
