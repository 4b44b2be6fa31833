# SPDX-License-Identifier: Apache-2.0
"""apack_decoder: values and faults of sound and of broken streams, against the model."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from model.apack import Bits, EncodedBlock, SymbolTable, encode_block
from tb.apack.env.coder import DecoderBench, split_words
from tb.apack.env.expected import FAULTS, flipped, resized
from tb.apack.env.stimulus import hostile_values, random_values
from tb.bus.cycles import cycles, now, until, within
from tb.bus.pace import always, every_other, in_bursts, rarely

PARAMETERS = ("VALUE_W", "SYMBOLS", "COUNT_W", "CODE_W", "WORD_W", "BLOCK_W")
SETS = {
    "default": (8, 16, 10, 16, 32, 24),
    "smallest": (2, 2, 1, 3, 3, 3),
    "narrow": (4, 5, 6, 8, 8, 6),
    "one-row": (12, 1, 4, 10, 16, 5),
    "wide": (16, 32, 14, 16, 64, 16),
    "long-code": (7, 11, 16, 20, 40, 10),
}
ILLEGAL = {
    "VALUE_W": (1, 17),
    "SYMBOLS": (0,),
    "COUNT_W": (0, 15),
    "WORD_W": (15,),
    "short-word": {"VALUE_W": 16, "CODE_W": 12, "WORD_W": 15},
    "BLOCK_W": (0,),
}
MUTATED = "narrow"

ROUNDS = int(os.environ.get("ROUNDS") or 12)


def coded(bench: DecoderBench, values: np.ndarray | list[int], table: SymbolTable) -> EncodedBlock:
    """A sound block."""
    return encode_block(np.asarray(values, dtype=np.uint16), table, bench.widths.code_w)


def random_block(bench: DecoderBench, table: SymbolTable, length: int) -> EncodedBlock:
    """A sound block of at most `length` values."""
    return coded(bench, random_values(table, bench.widths.longest(length)), table)


async def check_faults(
    bench: DecoderBench, block: EncodedBlock, table: SymbolTable
) -> frozenset[str]:
    """Send a broken block and a sound one; compare both and the status bits, then clear them.

    Returns the faults of the broken one.
    """
    sound = random_block(bench, table, 3)
    bench.send(block)
    bench.send(sound)
    faults = await bench.expect(block, table)
    await bench.expect_faults(faults)
    await bench.expect(sound, table)
    await bench.expect_faults(faults)
    await bench.clear_status()
    await bench.expect_faults(())
    return faults


@cocotb.test()
async def decodes_any_block_with_any_table_at_any_pace(dut):
    bench = await DecoderBench.started(dut)
    for _ in range(ROUNDS):
        bench.pace()
        table = bench.widths.random_table()
        await bench.load(table)
        lengths = random.choices((0, 1, 2, random.randint(3, 60), random.randint(60, 200)), k=6)
        blocks = [random_block(bench, table, length) for length in lengths]
        for block in blocks:
            bench.send(block, ragged=random.random() < 0.5)
        for block in blocks:
            await bench.expect(block, table)
        await bench.expect_nothing_more()
    await bench.expect_status(table_illegal=0)
    await bench.expect_faults(())


@cocotb.test()
async def decodes_hostile_values_at_any_pace(dut):
    bench = await DecoderBench.started(dut)
    for _ in range(ROUNDS):
        bench.pace()
        table = bench.widths.random_table()
        values = hostile_values(table, bench.widths.longest(150), bench.widths.code_w)
        block = coded(bench, values, table)
        await bench.load(table)
        bench.send(block)
        await bench.expect(block, table)
    await bench.expect_nothing_more()
    await bench.expect_faults(())


@cocotb.test()
async def decodes_the_longest_pending_run(dut):
    bench = await DecoderBench.started(dut)
    table = bench.widths.hostile_table()
    values = hostile_values(table, bench.widths.longest(4096), bench.widths.code_w)
    block = coded(bench, values, table)
    await bench.load(table)
    bench.send(block)
    await bench.expect(block, table)
    await bench.expect_nothing_more()
    await bench.expect_faults(())


@cocotb.test()
async def decodes_blocks_of_no_and_one_value(dut):
    bench = await DecoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    contents = [[], [0], [], [], [(1 << bench.widths.value_w) - 1], [0], []]
    blocks = [coded(bench, values, table) for values in contents]
    for block in blocks:
        bench.send(block)
    for block in blocks:
        await bench.expect(block, table)
    await bench.expect_nothing_more()
    await bench.expect_faults(())


@cocotb.test()
async def decodes_a_value_a_cycle(dut):
    bench = await DecoderBench.started(dut)
    widths = bench.widths
    step = 1 if widths.word_w >= 2 * widths.code_w - 1 else 4
    for _ in range(3):
        table = widths.random_table()
        await bench.load(table)
        blocks = [random_block(bench, table, length) for length in (1, 60, 0, 200, 0, 7)]
        begin = now()
        for block in blocks:
            bench.send(block)
        for block in blocks:
            await bench.expect(block, table)
        spent, allowed = now() - begin, sum(step * block.count + 5 for block in blocks) + 5
        assert spent <= allowed, f"{spent} cycles for blocks that should need {allowed}"


@cocotb.test()
async def needs_no_more_bits_than_the_next_value_can_take(dut):
    """After the first CODE_W bits, a value leaves when CODE_W and VALUE_W more wait for it."""
    bench = await DecoderBench.started(dut)
    widths = bench.widths
    table = SymbolTable.uniform(widths.value_w, 1, widths.count_w)
    values = random_values(table, widths.longest(30))
    block = coded(bench, values, table)
    await bench.load(table)
    code = Bits.from_bits(random.choices((0, 1), k=2 * widths.code_w))
    first = resized(block.offsets, widths.value_w)
    for driver, bits in ((bench.code_in, code), (bench.offset_in, first)):
        driver.append([{**beat, "tlast": 0} for beat in split_words(bits, widths.word_w)])
    bench.block_in.append([{"tdata": len(values)}])
    received = bench.value.stats
    before = received.received_transactions
    await until(dut, lambda: received.received_transactions > before, 50, "the first value")
    for driver in (bench.code_in, bench.offset_in):
        driver.append([{"tdata": 0, "tuser": 0, "tlast": 1}])
    frame = await bench.value.next_frame(100)
    assert [beat["tdata"] for beat in frame if beat["tkeep"]] == [values[0]], frame
    await bench.expect_faults({"code_leftover"} if len(values) == 1 else {"offset_early"})


@cocotb.test()
async def reports_code_that_ends_early_wherever_it_does(dut):
    bench = await DecoderBench.started(dut)
    for _ in range(2):
        table = bench.widths.random_table()
        await bench.load(table)
        block = random_block(bench, table, 6)
        for length in range(block.code.bits):
            await check_faults(bench, replace(block, code=resized(block.code, length)), table)
    empty = coded(bench, [], table)
    for length in range(2):
        await check_faults(bench, replace(empty, code=resized(empty.code, length)), table)


@cocotb.test()
async def reports_offsets_that_end_early_wherever_they_do(dut):
    """With any tables, whose values may have no offsets, and with one whose values all have."""
    bench = await DecoderBench.started(dut)
    widths = bench.widths
    one_group = SymbolTable.uniform(widths.value_w, 1, widths.count_w)
    for table in (widths.random_table(), widths.random_table(), one_group):
        await bench.load(table)
        block = random_block(bench, table, 6)
        for length in range(block.offsets.bits):
            broken = replace(block, offsets=resized(block.offsets, length))
            assert "offset_early" in await check_faults(bench, broken, table)
    assert block.offsets.bits >= widths.value_w


@cocotb.test()
async def reports_what_is_left_over_in_either_stream(dut):
    bench = await DecoderBench.started(dut)
    word_w = bench.widths.word_w
    for length in (0, 1, 5, 40):
        table = bench.widths.random_table()
        await bench.load(table)
        block = random_block(bench, table, length)
        for extra in (1, 2, bench.widths.code_w, word_w, 2 * word_w + 1, 5 * word_w):
            code = resized(block.code, block.code.bits + extra)
            offsets = resized(block.offsets, block.offsets.bits + extra)
            await check_faults(bench, replace(block, code=code), table)
            await check_faults(bench, replace(block, offsets=offsets), table)
            await check_faults(bench, replace(block, code=code, offsets=offsets), table)


@cocotb.test()
async def reports_a_leftover_that_comes_late(dut):
    """The streams' last words come long after the last value was decoded."""
    bench = await DecoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    for late, extra in ((bench.code_in, 0), (bench.code_in, 1), (bench.offset_in, 1)):
        block = random_block(bench, table, 10)
        name = "code" if late is bench.code_in else "offsets"
        bits = getattr(block, name)
        block = replace(block, **{name: resized(bits, bits.bits + extra)})
        late.set_valid_generator(rarely(60))
        bench.send(block, ragged=True)
        faults = await bench.expect(block, table)
        await bench.expect_faults(faults)
        await bench.clear_status()
        late.set_valid_generator(always())


@cocotb.test()
async def takes_flipped_bits_as_the_model_does(dut):
    bench = await DecoderBench.started(dut)
    for _ in range(2 * ROUNDS):
        bench.pace(lambda: random.choice((always, every_other, lambda: in_bursts(3)))())
        table = bench.widths.random_table()
        await bench.load(table)
        block = random_block(bench, table, random.choice((1, 8, 60)))
        for stream in ("code", "offsets"):
            bits: Bits = getattr(block, stream)
            places = random.sample(range(bits.bits), min(bits.bits, random.choice((1, 1, 4))))
            await check_faults(bench, replace(block, **{stream: flipped(bits, places)}), table)


@cocotb.test()
async def takes_random_streams_as_the_model_does(dut):
    bench = await DecoderBench.started(dut)
    for _ in range(3 * ROUNDS):
        table = bench.widths.random_table()
        await bench.load(table)
        code, offsets = (
            Bits.from_bits(random.choices((0, 1), k=random.randint(0, 200))) for _ in range(2)
        )
        block = EncodedBlock(bench.widths.longest(random.randint(0, 40)), code, offsets)
        await check_faults(bench, block, table)


@cocotb.test()
async def reports_a_wrong_number_of_values(dut):
    bench = await DecoderBench.started(dut)
    for _ in range(ROUNDS):
        table = bench.widths.random_table()
        await bench.load(table)
        block = random_block(bench, table, random.randint(0, 30))
        for count in {max(block.count - 1, 0), bench.widths.longest(block.count + 1)}:
            await check_faults(bench, replace(block, count=count), table)


@cocotb.test()
@cocotb.skipif(
    int(cocotb.top.VALUE_W.value) < 3 or int(cocotb.top.SYMBOLS.value) == 1,
    reason="needs a group of three values of eight",
)
async def reports_an_offset_beyond_its_group(dut):
    """Groups of sizes that are no power of two, and every offset that their bits can hold."""
    bench = await DecoderBench.started(dut)
    value_w, count_w = bench.widths.value_w, bench.widths.count_w
    table = SymbolTable(value_w, count_w, (0, 3), (0, 1, 1 << count_w))
    await bench.load(table)
    for value in (0, 3):
        block = coded(bench, [value] * 3, table)
        for offset in range(8):
            bits = Bits.from_bits(map(int, f"{offset:0{table.offset_w[0]}b}"))
            if value == 0 and bits.bits == 2:
                offsets = Bits.from_bits([*block.offsets.array()[:2], *bits.array(), 0, 0])
                await check_faults(bench, replace(block, offsets=offsets), table)
        ones = Bits.from_bits([1] * block.offsets.bits)
        assert "offset_illegal" in await check_faults(bench, replace(block, offsets=ones), table)


@cocotb.test()
async def a_fault_in_the_cycle_of_a_clear_is_not_lost(dut):
    bench = await DecoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    dut.status_clear.value = 1
    sound = random_block(bench, table, 5)
    code, offsets = sound.code, sound.offsets
    for block in (
        replace(sound, code=resized(code, 1)),
        replace(sound, code=resized(code, code.bits - 1)),
        replace(sound, code=resized(code, code.bits + 1)),
        replace(sound, offsets=resized(offsets, max(offsets.bits - 1, 0))),
        replace(sound, offsets=resized(offsets, offsets.bits + 1)),
    ):
        seen: set[str] = set()
        watch = cocotb.start_soon(collect_faults(dut, seen))
        bench.send(block)
        faults = await bench.expect(block, table)
        await cycles(dut, 3)
        watch.cancel()
        assert seen == faults, f"{seen} shown while clear was high, expected {faults}"
        await bench.expect_faults(())


async def collect_faults(dut, seen: set[str]) -> None:
    """Add the name of every status bit that is high in any cycle."""
    while True:
        await FallingEdge(dut.clk)
        seen |= {name for name in FAULTS if getattr(dut, f"status_{name}").value == 1}


@cocotb.test()
async def refuses_blocks_until_a_legal_table_is_there(dut):
    bench = await DecoderBench.started(dut)
    table = bench.widths.random_table()
    block = random_block(bench, table, 20)
    taken = bench.send(block)
    await cycles(dut, 20)
    await bench.expect_status(table_valid=0, table_illegal=0, busy=0)
    for rows, row in bench.widths.illegal_tables():
        await within(2000, bench.offer_rows(rows).wait(), "the illegal table's last row")
        await bench.expect_status(table_valid=0, table_illegal=1, table_row=row)
        await cycles(dut, 5)
        assert not taken.is_set(), f"a block was taken with the illegal table {rows}"
    await bench.clear_status()
    await bench.expect_status(table_valid=0, table_illegal=0)
    await bench.load(table)
    await bench.expect(block, table)
    await bench.expect_status(table_valid=1, table_illegal=0)
    await bench.expect_faults(())
    await bench.expect_nothing_more()


@cocotb.test()
async def a_waiting_table_goes_before_the_waiting_block(dut):
    bench = await DecoderBench.started(dut)
    tables = [bench.widths.random_table() for _ in range(6)]
    blocks = [random_block(bench, table, 30) for table in tables]
    await bench.load(tables[0])
    taken = [bench.send(block) for block in blocks]
    for index, table in enumerate(tables[1:]):
        await within(2000, taken[index].wait(), "the block's count")
        loaded = bench.offer_table(table)
        await within(2000, loaded.wait(), "the next table")
        assert bench.value.ended + len(bench.value.frames) >= index, "taken within a block"
        assert not taken[index + 1].is_set(), "the table was not taken before the next block"
    for table, block in zip(tables, blocks, strict=True):
        await bench.expect(block, table)
    await bench.expect_faults(())
    await bench.expect_nothing_more()


@cocotb.test()
async def starts_again_after_a_reset_at_any_time(dut):
    bench = await DecoderBench.started(dut)
    for cycle in range(0, 160, 5):
        bench.pace(random.choice((always, every_other, lambda: rarely(3))))
        table = bench.widths.random_table()
        bench.offer_table(table)
        for _ in range(3):
            block = random_block(bench, table, 30)
            bench.send(replace(block, code=resized(block.code, random.randint(0, 200))))
        await cycles(dut, cycle)
        await bench.restart()
        await bench.expect_status(table_valid=0, table_illegal=0, table_row=0, busy=0)
        await bench.expect_faults(())
        table = bench.widths.random_table()
        block = random_block(bench, table, 10)
        await bench.load(table)
        bench.send(block)
        await bench.expect(block, table)


@cocotb.test()
async def is_busy_from_the_count_until_the_last_value_has_left(dut):
    bench = await DecoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    for length in (0, 1, 25):
        for slow in (bench.code_in, bench.offset_in, bench.value):
            bench.pace(always)
            if slow is bench.value:
                slow.pace(rarely(9))
            else:
                slow.set_valid_generator(rarely(9))
            block = random_block(bench, table, length)
            first, target = bench.block_in.sent + 1, bench.value.ended + 1
            bench.send(block)
            await bench.expect_busy(
                lambda first=first: bench.block_in.sent >= first,
                lambda target=target: bench.value.ended == target,
            )
            await bench.expect(block, table)
