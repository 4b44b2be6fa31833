# SPDX-License-Identifier: Apache-2.0
"""apack_encoder: streams and descriptor of every block, word by word, against the model."""

from __future__ import annotations

import os
import random

import cocotb
import numpy as np

from model.apack import SymbolTable, encode_block
from model.apack.hostile import longest_pending_run, pending_run
from tb.apack.env.coder import EncoderBench, value_beats
from tb.apack.env.stimulus import hostile_values, random_values
from tb.apack.env.widths import Widths
from tb.bus.cycles import cycles, now, until, within
from tb.bus.pace import always, every_other, rarely

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


@cocotb.test()
async def encodes_any_values_with_any_table_at_any_pace(dut):
    bench = await EncoderBench.started(dut)
    for _ in range(ROUNDS):
        bench.pace()
        table = bench.widths.random_table()
        await bench.load(table)
        lengths = random.choices((0, 1, 2, random.randint(3, 60), random.randint(60, 200)), k=6)
        blocks = [random_values(table, bench.widths.longest(length)) for length in lengths]
        nulls = random.choice((0.0, 0.3))
        for values in blocks:
            bench.send(values, nulls)
        for values in blocks:
            await bench.expect(values, table)
        await bench.expect_nothing_more()
    await bench.expect_status(table_illegal=0, block_too_long=0)


@cocotb.test()
async def encodes_hostile_values_at_any_pace(dut):
    bench = await EncoderBench.started(dut)
    for _ in range(ROUNDS):
        bench.pace()
        table = bench.widths.random_table()
        values = hostile_values(table, bench.widths.longest(150), bench.widths.code_w)
        await bench.load(table)
        bench.send(values)
        await bench.expect(values, table)
    await bench.expect_nothing_more()


@cocotb.test()
async def encodes_the_longest_pending_run(dut):
    """Every value of the block adds pending bits, and only the flush resolves them."""
    bench = await EncoderBench.started(dut)
    widths = bench.widths
    table = widths.hostile_table()
    values = pending_run(table, widths.longest(4096), widths.code_w)
    run = longest_pending_run(values, table, widths.code_w)
    if widths == Widths(8, 16, 10, 16, 32, 24):
        assert run > 16_000, f"the hostile values make a run of only {run} bits"
    await bench.load(table)
    begin = now()
    bench.send(values)
    bench.send(values[:1])
    await bench.expect(values, table)
    spent = now() - begin
    assert spent <= len(values) + run // widths.word_w + 12, (
        f"{spent} cycles for {len(values)} values and a run of {run} bits"
    )
    await bench.expect(values[:1], table)
    await bench.expect_nothing_more()


@cocotb.test()
async def encodes_blocks_of_no_and_one_value(dut):
    bench = await EncoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    blocks = [[], [0], [], [], [(1 << bench.widths.value_w) - 1], [0], []]
    for values in blocks:
        bench.send(values)
    for values in blocks:
        await bench.expect(values, table)
    await bench.expect_nothing_more()


@cocotb.test()
async def takes_a_value_a_cycle_and_a_cycle_for_the_flush(dut):
    bench = await EncoderBench.started(dut)
    widths = bench.widths
    for groups in (1, min(widths.symbols, 1 << widths.value_w, 1 << widths.count_w)):
        table = SymbolTable.uniform(widths.value_w, groups, widths.count_w)
        await bench.load(table)
        blocks = [random_values(table, widths.longest(n)) for n in (40, 1, 0, 100, 7)]
        stalls = sum(pending_stalls(values, table, widths) for values in blocks)
        begin = now()
        taken = [bench.send(values) for values in blocks][-1]
        await within(5000, taken.wait(), "the last value")
        spent = now() - begin - 1  # the driver starts at the next rising edge
        allowed = sum(len(values) + 1 for values in blocks) + stalls
        assert spent <= allowed, f"{spent} cycles to take blocks that should need {allowed}"
        for values in blocks:
            await bench.expect(values, table)


def pending_stalls(values: np.ndarray, table: SymbolTable, widths: Widths) -> int:
    """The most cycles that runs of pending bits may stall the encoder within a block."""
    if longest_pending_run(values, table, widths.code_w) <= widths.word_w - widths.code_w:
        return 0
    return encode_block(values, table, widths.code_w).code.bits // widths.word_w


@cocotb.test()
async def ends_both_streams_exactly_at_a_word_boundary(dut):
    bench = await EncoderBench.started(dut)
    for stream in ("code", "offsets"):
        for _ in range(3):
            table, values = block_ending_at_a_word(bench.widths, stream)
            await bench.load(table)
            bench.send(values)
            bench.send(values[:1])
            await bench.expect(values, table)
            await bench.expect(values[:1], table)
    await bench.expect_nothing_more()


def block_ending_at_a_word(widths: Widths, stream: str) -> tuple[SymbolTable, np.ndarray]:
    """A table and values whose code or offset stream fills its last word, unless it is empty."""
    # one group: the code stream is always 2 bits
    tries = 1 if stream == "code" and widths.symbols == 1 else 5000
    for _ in range(tries):
        table = widths.random_table()
        values = random_values(table, widths.longest(random.randint(1, 40)))
        block = encode_block(values, table, widths.code_w)
        if getattr(block, stream).bits % widths.word_w == 0:
            return table, values
    assert tries == 1, f"no block of {widths} ends its {stream} at a word"
    return table, values


@cocotb.test()
async def each_output_stops_the_encoder_until_it_is_taken(dut):
    bench = await EncoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    blocks = [random_values(table, bench.widths.longest(60)) for _ in range(8)]
    for name in ("code", "offset", "block"):
        monitor = getattr(bench, name)
        monitor.pace(rarely(400))
        sent = [bench.send(values) for values in blocks]
        await cycles(dut, 350)
        monitor.pace(None)
        for values in blocks:
            await bench.expect(values, table)
        assert all(event.is_set() for event in sent)
    await bench.expect_nothing_more()


@cocotb.test()
async def refuses_values_until_a_legal_table_is_there(dut):
    bench = await EncoderBench.started(dut)
    widths = bench.widths
    values = random_values(widths.random_table(), widths.longest(20))
    bench.send(values)
    await cycles(dut, 20)
    await bench.expect_status(table_valid=0, table_illegal=0, busy=0)
    assert bench.values_in.sent == 0, "a value was taken without a table"
    for rows, row in widths.illegal_tables():
        await within(2000, bench.offer_rows(rows).wait(), "the illegal table's last row")
        await bench.expect_status(table_valid=0, table_illegal=1, table_row=row)
        await cycles(dut, 5)
        assert bench.values_in.sent == 0, f"a value was taken with the illegal table {rows}"
    await bench.clear_status()
    await bench.expect_status(table_valid=0, table_illegal=0)
    table = widths.random_table()
    await bench.load(table)
    await bench.expect(values, table)
    await bench.expect_status(table_valid=1, table_illegal=0)
    await bench.expect_nothing_more()


@cocotb.test()
async def an_illegal_table_takes_the_legal_one_away(dut):
    bench = await EncoderBench.started(dut)
    table = bench.widths.random_table()
    for rows, row in bench.widths.illegal_tables():
        await bench.load(table)
        values = random_values(table, bench.widths.longest(9))
        await within(200, bench.send(values).wait(), "the last value")
        await within(200, bench.offer_rows(rows).wait(), "the illegal table's last row")
        await bench.expect(values, table)
        await bench.expect_status(table_valid=0, table_illegal=1, table_row=row)
        await bench.clear_status()


@cocotb.test()
async def a_waiting_table_goes_before_the_waiting_block(dut):
    bench = await EncoderBench.started(dut)
    tables = [bench.widths.random_table() for _ in range(6)]
    blocks = [random_values(table, bench.widths.longest(50)) for table in tables]
    await bench.load(tables[0])
    frames = [value_beats(values) for values in blocks]
    for frame in frames[::2]:  # no flush holds the stream up where a null beat ends the block
        frame[-1] |= {"tlast": 0}
        frame.append({"tdata": 0, "tkeep": 0, "tlast": 1})
    for frame in frames:
        bench.values_in.append(frame)
    begun = 0
    for table, frame in zip(tables[1:], frames, strict=False):
        await until(
            dut, lambda begun=begun: bench.values_in.sent > begun, 2000, "the block's first beat"
        )
        begun += len(frame)
        loaded = bench.offer_table(table)
        await within(2000, loaded.wait(), "the next table")
        assert bench.values_in.sent == begun, "the table was not taken between the blocks"
    for table, values in zip(tables, blocks, strict=True):
        await bench.expect(values, table)
    await bench.expect_nothing_more()


@cocotb.test()
async def starts_again_after_a_reset_at_any_time(dut):
    bench = await EncoderBench.started(dut)
    for cycle in range(0, 160, 5):
        bench.pace(random.choice((always, every_other, lambda: rarely(3))))
        table = bench.widths.random_table()
        bench.offer_table(table)
        for _ in range(3):
            values = hostile_values(table, bench.widths.longest(30), bench.widths.code_w)
            bench.send(values)
        await cycles(dut, cycle)
        await bench.restart()
        await bench.expect_status(
            table_valid=0, table_illegal=0, table_row=0, block_too_long=0, busy=0
        )
        table = bench.widths.random_table()
        values = random_values(table, bench.widths.longest(10))
        await bench.load(table)
        bench.send(values)
        await bench.expect(values, table)


@cocotb.test()
async def a_table_that_comes_in_the_same_cycle_as_a_block_goes_first(dut):
    bench = await EncoderBench.started(dut)
    await bench.load(bench.widths.random_table())
    for _ in range(ROUNDS):
        table = bench.widths.random_table()
        values = random_values(table, bench.widths.longest(random.randint(1, 20)))
        bench.offer_table(table)
        bench.send(values)
        await bench.expect(values, table)
        await bench.expect_nothing_more()


@cocotb.test()
async def takes_a_cycle_for_each_of_many_empty_blocks(dut):
    bench = await EncoderBench.started(dut)
    await bench.load(bench.widths.random_table())
    begin = now()
    taken = [bench.send([]) for _ in range(40)][-1]
    await within(500, taken.wait(), "the last empty block")
    assert now() - begin <= 40 + 4, f"{now() - begin} cycles to take 40 empty blocks"


@cocotb.test()
async def is_busy_from_the_first_beat_until_everything_has_left(dut):
    bench = await EncoderBench.started(dut)
    table = bench.widths.random_table()
    await bench.load(table)
    outputs = (bench.code, bench.offset, bench.block)
    for values in ([], [0], random_values(table, bench.widths.longest(25)), [0]):
        for paced in (*outputs, None):
            bench.pace(always)
            bench.values_in.set_valid_generator(rarely(9))
            if paced is not None:
                paced.pace(rarely(25))
            await bench.expect_status(busy=0)
            first, target = bench.values_in.sent + 1, bench.block.ended + 1
            bench.send(values, nulls=0.2)
            await bench.expect_busy(
                lambda first=first: bench.values_in.sent >= first,
                lambda target=target: all(output.ended == target for output in outputs),
            )
            await bench.expect(values, table)


@cocotb.test()
@cocotb.skipif(int(cocotb.top.BLOCK_W.value) > 8, reason="too long for a block cycle by cycle")
async def cuts_a_block_that_is_too_long(dut):
    bench = await EncoderBench.started(dut)
    longest = (1 << bench.widths.block_w) - 1
    table = bench.widths.random_table()
    await bench.load(table)
    for excess in (0, 1, 2, longest + 1, longest + 2, 0):
        bench.pace()
        values = random_values(table, longest + excess)
        follower = random_values(table, 1)
        bench.send(values, nulls=0.2)
        bench.send(follower)
        await bench.expect(values[:longest], table, cut=excess > 0)
        await bench.expect(follower, table)
        await bench.expect_status(block_too_long=int(excess > 0))
        if excess:
            await cycles(dut, 3)
            await bench.expect_status(block_too_long=1)
            await bench.clear_status()
        await bench.expect_status(block_too_long=0)
    await bench.expect_nothing_more()
