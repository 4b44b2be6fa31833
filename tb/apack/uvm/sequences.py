# SPDX-License-Identifier: Apache-2.0
"""What a host and its memory do with a top: tensors of every kind, commands, faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np
from cocotb.triggers import FallingEdge
from pyuvm import uvm_sequence

from model.apack import SymbolTable, solve
from model.apack.hostile import centred_table, pending_run
from model.tensors import pattern_dtype
from tb.apack.env import top_control
from tb.apack.env.damage import Damage, damages
from tb.apack.env.expected import CAUSES
from tb.apack.env.illegal import illegal_tables
from tb.apack.env.rows import rows_of
from tb.apack.env.stimulus import random_values
from tb.apack.env.top import ROUNDS, TABLE_LATENCY, Tensor, any_tensor, spoil, value_beats
from tb.apack.env.unit import COUNTERS, COUNTS
from tb.bus.axi_lite import EVERY_BYTE, SLVERR
from tb.bus.cycles import cycles
from tb.bus.frames import Frame
from tb.bus.pace import Pace, always, any_pace, rarely
from tb.uvm.items import give
from tb.uvm.register_agent import RegisterItem
from tb.uvm.stream_agent import FrameItem, ReadyItem

PATIENCE = 20_000  # cycles within which a tensor of a few small blocks is through at any pace
PATIENCE_PER_VALUE = 60  # further ones for a large tensor
EVERY_CAUSE = frozenset(CAUSES)
TENSOR_DRAWS, DRAWS = 20, 10
END_LATENCY = 20  # cycles from the last beat of a tensor until its bank is free


class TopSequence(uvm_sequence):
    """Steps that all sequences are made of; checks are the scoreboard's."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name or type(self).__name__)
        self._choose: Callable[[], Pace] = always

    async def pre_body(self) -> None:
        self.top = self.sequencer
        self.config, self.model = self.top.config, self.top.model
        self.widths, self.dut = self.config.widths, self.config.dut
        self.map = self.config.unit.map

    async def flow(self, choose: Callable[[], Pace] = any_pace) -> None:
        """Choose the pace of every port."""
        self._choose = choose
        for sequencer in self.top.sinks.values():
            await give(ReadyItem(choose()), sequencer)

    async def hold(self) -> None:
        """Take nothing from any output until `flow` says otherwise."""
        for sequencer in self.top.sinks.values():
            await give(ReadyItem(None), sequencer)

    async def send(self, frames: dict[str, Frame]) -> None:
        """Queue a frame on each of these inputs; empty ones are no frames."""
        for port, beats in frames.items():
            if beats:
                await give(FrameItem(beats, self._choose()), self.top.sources[port])

    def frames_of(self, tensor: Tensor) -> dict[str, Frame]:
        """The beats of a tensor for each input."""
        if self.config.decompressor:
            return {"memory": tensor.image.memory_frame()}
        return {"values": value_beats(tensor.values, self.widths)}

    async def write_rows(self, bank: int, rows: Iterable[tuple[int, int]], last: bool = True):
        """Write table rows (base, cum at the group's end)."""
        rows = list(rows)
        for number, (base, cum) in enumerate(rows):
            await self.model.write("TABLE_BASE", base)
            ends = int(last and number == len(rows) - 1)
            word = self.map["TABLE_CUM"].word(CUM=cum, BANK=bank, LAST=ends)
            await self.model.write("TABLE_CUM", word)

    async def load(self, bank: int, table: SymbolTable) -> None:
        """Write a table and read what the unit thinks of it."""
        await self.write_rows(bank, rows_of(table))
        await cycles(self.dut, TABLE_LATENCY)
        await self.model.read("STATUS")

    async def begin(self, tensor: Tensor, bank: int = 0) -> None:
        """START a tensor whose table is loaded."""
        await self.model.write("BLOCK", tensor.block)
        if self.config.decompressor:
            await self.model.write("VALUES_LO", len(tensor.values))
            await self.model.write("VALUES_HI", 0)
        await self.command(START=1, BANK=bank)

    async def command(self, **fields: int) -> None:
        """Write CONTROL."""
        await self.model.write("CONTROL", self.map["CONTROL"].word(**fields))

    async def status(self) -> set[str]:
        """Names of the status bits that are set."""
        return self.map["STATUS"].names(await self.model.read("STATUS"))

    async def finish(self, values: int = 0) -> None:
        """Wait until the unit is idle; read and clear what it says of the last tensor.

        values: how many there are of a large tensor.
        """
        for _ in range((PATIENCE + PATIENCE_PER_VALUE * values) // 10):
            if not await self.status() & {"BUSY", "QUEUED"}:
                break
        else:
            raise AssertionError(f"hang: the unit is {await self.status()}")
        await cycles(self.dut, 5)
        for name in COUNTERS:
            await self.model.read(f"{name}_LO")
            await self.model.read(f"{name}_HI")
        for name in COUNTS:
            await self.model.read(name)
        await self.clear_events()
        await self.model.read("EVENTS")

    async def clear_events(self) -> None:
        """Clear the events that stand."""
        await self.model.write("EVENTS", await self.model.read("EVENTS"))

    async def run(self, tensor: Tensor, bank: int = 0) -> None:
        """One tensor from its table to its counters."""
        await self.load(bank, tensor.table)
        await self.begin(tensor, bank)
        await self.send(self.frames_of(tensor))
        await self.finish(len(tensor.values))

    async def until_taken(self) -> None:
        """Wait until no START is in the queue."""
        for _ in range(PATIENCE):
            if "QUEUED" not in await self.status():
                return
            await cycles(self.dut, 20)
        raise AssertionError("hang: a START stays in the queue")

    async def until_free(self, bank: int) -> None:
        """Wait until no tensor that runs or waits has the table of a bank."""
        scoreboard = self.top.scoreboard
        await self.until(lambda: bank not in scoreboard.banks_in_use())
        await cycles(self.dut, END_LATENCY)

    async def until(self, condition: Callable[[], bool], limit: int = PATIENCE) -> bool:
        """Wait for something, `limit` cycles at most; returns whether it came."""
        falling = FallingEdge(self.dut.clk)
        for _ in range(limit):
            await falling
            if condition():
                return True
        return False

    def outputs_wait(self) -> bool:
        """Whether a beat stands on every output that is not taken."""
        return all(monitor.waiting for monitor in self.top.monitors.values())

    def any_tensor(self, blocks: int = 3, **fixed) -> Tensor:
        """A tensor of at most about so many of the largest blocks."""
        return any_tensor(self.widths, blocks * self.widths.block_values, **fixed)

    def tiny_tensor(self) -> Tensor:
        """A tensor of two beats, for which there is room while another one runs."""
        block = 2 * self.widths.lanes
        return self.any_tensor(block=block, length=block)

    def tensor_of(self, values: np.ndarray, table: SymbolTable, block: int | None = None):
        """A tensor of these values."""
        dtype = pattern_dtype(self.widths.value_w)
        return top_control.tensor_of(self.config, values.astype(dtype), table, block)

    def skewed_tensor(self, length: int, block: int) -> Tensor:
        """Values that gather at a random place, with the table solved for them: coded blocks."""
        widths, rng = self.widths, np.random.default_rng(random.getrandbits(32))
        top = 1 << widths.value_w
        values = (rng.geometric(0.08, length) + rng.integers(top)) % top
        counts = np.bincount(values, minlength=top)
        table = solve(
            counts, value_w=widths.value_w, symbols=widths.symbols, count_w=widths.count_w
        )
        return self.tensor_of(values, table, block)

    async def run_all(self, tensors: Iterable[Tensor]) -> None:
        """Tensors one by one, each at its own pace, in either bank."""
        for number, tensor in enumerate(tensors):
            await self.flow()
            await self.run(tensor, number % 2)


class AnyTensors(TopSequence):
    """Random tables, blocks, lengths; uniform, probable and edge values."""

    async def body(self) -> None:
        await self.run_all(self.any_tensor() for _ in range(ROUNDS))


class RealWeights(TopSequence):
    """Weights of the microWakeWord models, with the tables solved for them."""

    async def body(self) -> None:
        most = 4 * self.widths.block_values
        await self.run_all([top_control.real_tensor(self.config, most)])


class SparseTensors(TopSequence):
    """Mostly zeros, and one value only."""

    async def body(self) -> None:
        await self.run_all(self._tensors())

    def _tensors(self) -> Iterable[Tensor]:
        widths, length = self.widths, 2 * self.widths.block_values + 3
        table = widths.random_table()
        mask = np.random.default_rng(random.getrandbits(32)).random(length) < 0.1
        yield self.tensor_of(random_values(table, length) * mask, table)
        constant = random.randrange(1 << widths.value_w)
        yield self.tensor_of(np.full(length, constant), widths.random_table())


class PendingRuns(TopSequence):
    """Values that keep bits pending for as long as the widths let them.

    With the fewest counts in the middle, blocks grow and are stored raw; with a sixteenth of them
    the runs reach memory.
    """

    async def body(self) -> None:
        await self.run_all([top_control.hostile_tensor(self.config), *self._coded()])

    def _coded(self) -> Iterable[Tensor]:
        widths = self.widths
        table = centred_table(widths.value_w, widths.count_w, 1 << widths.count_w - 4)
        for run in (2, 4, 6, 8, 20, 30, None):
            seed = random.getrandbits(32)
            values = pending_run(table, widths.block_values, widths.code_w, seed, run)
            yield self.tensor_of(values, table)


class ShortBlocks(TopSequence):
    """Many short blocks that end at every place of a piece and of a word."""

    async def body(self) -> None:
        block = 2 * self.widths.lanes
        await self.run(self.skewed_tensor(40 * ROUNDS * block, block))


class ExtremeTables(TopSequence):
    """The fewest and the most groups, groups of one value, counts of one."""

    async def body(self) -> None:
        await self.run_all(self._tensors())

    def _tensors(self) -> Iterable[Tensor]:
        widths = self.widths
        value_w, count_w, rows = widths.value_w, widths.count_w, widths.symbols
        top, total = 1 << value_w, 1 << count_w
        ones = tuple(range(rows))
        crowded_end = (0, *range(top - rows + 1, top))
        halves = tuple(top - (top >> row) for row in range(min(rows, value_w + 1)))
        halved = (*(row + 1 for row in range(len(halves) - 1)), total)
        for table in (
            SymbolTable.uniform(value_w, 1, count_w),
            SymbolTable.uniform(value_w, rows, count_w),
            SymbolTable.uniform(value_w, 2, count_w),
            SymbolTable(value_w, count_w, ones, (*ones, total)),
            SymbolTable(value_w, count_w, crowded_end, (0, *range(total - rows + 1, total + 1))),
            SymbolTable(value_w, count_w, halves, (0, *halved)),
        ):
            yield self.any_tensor(2, table=table, block=widths.block_values)


class AnyLengths(TopSequence):
    """Tensors that end at every place around a beat and around a block, empty ones included."""

    async def body(self) -> None:
        lanes, turn = self.widths.lanes, self.widths.streams
        block = 2 * lanes
        lengths = [0, 1, lanes - 1, lanes + 1, block - 1, block, block + 1, 3 * block, 0, 1]
        lengths += [turn - 1, turn, turn + 1, 2 * turn - 1, 2 * turn + 1, block + turn + 1]
        await self.run_all(self.any_tensor(block=block, length=length) for length in lengths)


class BackToBack(TopSequence):
    """Tensors that wait at the inputs while tables and STARTs for them come in time."""

    async def body(self) -> None:
        await self.flow()
        bank, table = 0, None
        for number in range(2 + 2 * ROUNDS):
            same = table is not None and number % 3 == 2
            if same or number % 2:
                tensor = self.any_tensor(2, table=table if same else None)
            else:  # raw blocks would hide which table they met
                most = self.widths.block_values
                tensor = self.skewed_tensor(random.randint(most, 2 * most), most)
            await self.send(self.frames_of(tensor))
            await self.until_taken()
            if not same:
                bank, table = 1 - bank, tensor.table
                await self.until_free(bank)
                await self.load(bank, table)
            await self.begin(tensor, bank)
        await self.finish()


class Overlaps(TopSequence):
    """Two tensors at a time, with the same table and with others, while the output waits."""

    async def body(self) -> None:
        for number in range(2 * ROUNDS):
            banks = (0, number % 2)
            tables = [self.tiny_tensor().table for _ in banks]
            for bank, table in enumerate(tables):
                await self.load(bank, table)
            await self.flow(always)
            await self.hold()
            for bank in banks:
                block = 2 * self.widths.lanes
                tensor = self.any_tensor(table=tables[bank], block=block, length=block)
                await self.begin(tensor, bank)
                await self.until_taken()
                await self.send(self.frames_of(tensor))
            await cycles(self.dut, random.randint(0, 60))
            await self.flow()
            await self.finish()


class SlowOutputs(TopSequence):
    """Outputs that take a beat now and then, so that every buffer fills."""

    async def body(self) -> None:
        block = 2 * self.widths.lanes
        slots = self.widths.engines * (self.widths.streams + 1) + 2
        await self.flow(lambda: rarely(12))
        tensor = self.any_tensor(block=block, length=slots * block)
        await self.load(0, tensor.table)
        await self.begin(tensor)
        self._choose = always
        await self.send(self.frames_of(tensor))
        await self.finish()


class SlowInputs(TopSequence):
    """Inputs that come now and then, so that every stage runs dry."""

    async def body(self) -> None:
        block = 2 * self.widths.lanes
        await self.flow(lambda: rarely(40))
        for sequencer in self.top.sinks.values():
            await give(ReadyItem(always()), sequencer)
        await self.run(self.any_tensor(block=block, length=8 * block))


class Aborts(TopSequence):
    """ABORT in every state; the tensor after it is whole."""

    async def body(self) -> None:
        states = [self._idle, self._before_input, self._within_input, self._held, self._queued]
        states += [self._twice_before_input, self._twice, self._two, self._two_twice]
        random.shuffle(states)
        for abort_in in states * max(ROUNDS // 3, 1):
            await self.flow(always)
            await abort_in(self.any_tensor(2, length=2 * self.widths.block_values + 1))
            await self.flow()
            await self.finish()
            await self.run(self.any_tensor(1), random.randint(0, 1))

    async def _idle(self, tensor: Tensor) -> None:
        await self.command(ABORT=1)

    async def _before_input(self, tensor: Tensor) -> None:
        await self.load(0, tensor.table)
        await self.begin(tensor)
        await self.command(ABORT=1)
        await cycles(self.dut, random.randint(0, 30))
        await self.send(self.frames_of(tensor))

    async def _within_input(self, tensor: Tensor) -> None:
        await self.flow(lambda: rarely(3))
        await self.load(0, tensor.table)
        await self.begin(tensor)
        await self.send(self.frames_of(tensor))
        await cycles(self.dut, random.randint(10, 60))
        await self.command(ABORT=1)

    async def _held(self, tensor: Tensor) -> None:
        await self.hold()
        await self.load(0, tensor.table)
        await self.begin(tensor)
        await self.send(self.frames_of(tensor))
        assert await self.until(self.outputs_wait), "hang: no beat on an output"
        await self.command(ABORT=1)
        await cycles(self.dut, random.randint(0, 30))

    async def _queued(self, tensor: Tensor) -> None:
        following = self.any_tensor(1, length=self.widths.block_values)
        await self.hold()
        await self.load(0, tensor.table)
        await self.load(1, following.table)
        await self.begin(tensor, 0)
        await self.send(self.frames_of(tensor))
        await self.begin(following, 1)
        await self.send(self.frames_of(following))
        await self.command(ABORT=1)

    async def _two(self, tensor: Tensor) -> None:
        """Two tensors that run, of which the second may lack its input."""
        await self._two_that_run()
        await self.command(ABORT=1)

    async def _two_twice(self, tensor: Tensor) -> None:
        """The second one's input does not come."""
        await self._two_that_run(ended=False)
        await self.command(ABORT=1)
        await self.flow(always)
        await cycles(self.dut, 50)
        await self._abort_again()

    async def _two_that_run(self, ended: bool = True) -> None:
        await self.hold()
        for bank in (0, 1):
            tensor = self.tiny_tensor()
            await self.load(bank, tensor.table)
            await self.begin(tensor, bank)
            await self.until_taken()
            if bank == 0 or ended:
                await self.send(self.frames_of(tensor))
                await cycles(self.dut, 60)

    async def _twice_before_input(self, tensor: Tensor) -> None:
        """Input that never comes."""
        await self.load(0, tensor.table)
        await self.begin(tensor)
        await self.command(ABORT=1)
        await cycles(self.dut, random.randint(0, 30))
        await self._abort_again()

    async def _twice(self, tensor: Tensor) -> None:
        """Input that stops on the way, before the first ABORT or after it."""
        frames = self.frames_of(tensor)
        await self.load(0, tensor.table)
        await self.begin(tensor)
        before = {
            port: beats[: random.randint(0, len(beats) // 2)] for port, beats in frames.items()
        }
        await self.send(before)
        await cycles(self.dut, random.randint(10, 60))
        await self.command(ABORT=1)
        after = {
            port: frames[port][len(beats) : len(frames[port]) - 1] for port, beats in before.items()
        }
        await self.send(after)
        await cycles(self.dut, sum(map(len, frames.values())) + 10)
        await self._abort_again()

    async def _abort_again(self) -> None:
        assert await self.status() >= {"BUSY", "DISCARD"}
        await self.command(ABORT=1)


class Resets(Aborts):
    """A reset in every state; nothing is left of what was before."""

    async def body(self) -> None:
        states = [self._no_tensor, self._table, self._waits, self._within, self._held_up]
        random.shuffle(states)
        for reach in [*states, self._aborted]:
            await self.flow(always)
            await reach(self.any_tensor(2, length=2 * self.widths.block_values + 1))
            await self.top.reset()
            await self.flow()
            await self.run(self.any_tensor(1), random.randint(0, 1))

    async def _no_tensor(self, tensor: Tensor) -> None:
        """Nothing goes on."""

    async def _table(self, tensor: Tensor) -> None:
        await self.write_rows(1, rows_of(tensor.table), last=False)

    async def _waits(self, tensor: Tensor) -> None:
        await self.load(0, tensor.table)
        await self.begin(tensor)

    async def _within(self, tensor: Tensor) -> None:
        await self._waits(tensor)
        self._choose = lambda: rarely(3)
        await self.send(self.frames_of(tensor))
        await cycles(self.dut, random.randint(10, 60))

    async def _held_up(self, tensor: Tensor) -> None:
        await self.hold()
        await self._waits(tensor)
        await self.send(self.frames_of(tensor))
        assert await self.until(self.outputs_wait), "hang: no beat on an output"

    async def _aborted(self, tensor: Tensor) -> None:
        await self._waits(tensor)
        await self.command(ABORT=1)


class Refusals(TopSequence):
    """What a unit must not do: STARTs without what they need, illegal tables, rows in use."""

    async def body(self) -> None:
        await self.top.reset()
        for bank in (0, 1):  # no table is loaded
            await self.command(START=1, BANK=bank)
            await self.finish()
        await self._illegal_tables()
        await self._illegal_blocks()
        await self._full_queue()
        await self.run(self.any_tensor(1), 1)

    async def _illegal_tables(self) -> None:
        widths = self.widths
        tables = illegal_tables(widths.value_w, widths.symbols, widths.count_w)
        for rows, wrong in random.sample(tables, len(tables)):
            bank = random.randint(0, 1)
            await self.write_rows(bank, rows)
            await cycles(self.dut, TABLE_LATENCY)
            field = self.map["TABLE_ROW"].fields[f"BANK{bank}"]
            found = field.of(await self.model.read("TABLE_ROW"))
            assert found == wrong, f"row {found} named, {wrong} is the first wrong one of {rows}"
            await self.command(START=1, BANK=bank)
            await self.status()
            await self.clear_events()

    async def _illegal_blocks(self) -> None:
        most = self.widths.block_values
        await self.load(0, self.widths.random_table())
        for block in (0, most + self.widths.lanes, 1 << 31, most | 1 << 17):
            await self.model.write("BLOCK", block)
            await self.command(START=1)
            await self.finish()

    async def _full_queue(self) -> None:
        tensors = [self.any_tensor(1, length=self.widths.block_values) for _ in range(2)]
        await self.hold()
        for bank, tensor in enumerate(tensors):
            await self.load(bank, tensor.table)
        for bank, tensor in enumerate(tensors):
            await self.begin(tensor, bank)
        await self.command(START=1)
        for bank, tensor in enumerate(tensors):
            await self.write_rows(bank, rows_of(tensor.table)[:1])
        for tensor in tensors:
            await self.send(self.frames_of(tensor))
        await self.flow()
        await self.finish()


def damage_of_every_cause(sequence: TopSequence) -> tuple[Tensor, list[Damage]]:
    """A tensor of coded blocks, with damage that has every cause, and every block damaged.

    Drawn until it has, as damage at random leaves out a cause now and then.
    """
    widths = sequence.widths
    total, size = 1 << widths.count_w, 4 * widths.lanes
    # Offsets of the first groups may be too large, and there is room for a piece too many.
    table = SymbolTable(
        widths.value_w, widths.count_w, (0, 3, 8), (0, total // 2, total - 1, total)
    )
    for _ in range(TENSOR_DRAWS):
        values = np.array(random.choices(range(8), k=4 * size - 1))
        tensor = sequence.tensor_of(values, table, size)
        wanted = {*EVERY_CAUSE, *range(tensor.blocks)}
        chosen = []
        for _ in range(DRAWS):
            for damage in damages(tensor):
                outcome = damage.outcome
                causes = {cause for block in outcome.blocks for cause in block.causes}
                if news := wanted & {*causes, *outcome.bad}:
                    wanted -= news
                    chosen.append(damage)
            if not wanted:
                return tensor, chosen
    raise AssertionError(f"no damage of every cause, at last without {wanted}")


class DamagedMemory(TopSequence):
    """Words that were damaged on the way; a sound tensor after each."""

    async def body(self) -> None:
        tensor, chosen = damage_of_every_cause(self)
        await self._damage(tensor, [*chosen, *damages(tensor)])
        most = self.widths.block_values
        tensors = [top_control.real_tensor(self.config, 3 * most)]
        for _ in range(ROUNDS // 3):
            block = 2 * self.widths.lanes * random.randint(1, 2)
            tensors.append(self.any_tensor(block=block, length=random.randint(3, 5) * block - 1))
        for tensor in tensors:
            await self._damage(tensor, damages(tensor))

    async def _damage(self, tensor: Tensor, drawn: list[Damage]) -> None:
        sound = self.any_tensor(1, length=2 * self.widths.lanes)
        for bank, each in enumerate((tensor, sound)):
            await self.load(bank, each.table)
        for damage in drawn:
            await self.flow()
            await self.begin(tensor, 0)
            await self.send({"memory": damage.memory})
            await self.finish()
            await self.begin(sound, 1)
            await self.send(self.frames_of(sound))
            await self.finish()


class IllegalKeeps(TopSequence):
    """A tkeep with holes, or short before the end: the tensor is given up."""

    async def body(self) -> None:
        for number in range(2 * max(ROUNDS // 3, 2)):
            tensor = self.any_tensor(length=2 * self.widths.block_values + 1)
            frames = self.frames_of(tensor)
            spoil(frames["values"], self.widths.lanes, self.widths.lane_bytes)
            await self.flow()
            await self.load(number % 2, tensor.table)
            await self.begin(tensor, number % 2)
            await self.send(frames)
            await self.finish()
            await self.run(self.any_tensor(1), number % 2)


class RegisterResets(TopSequence):
    """Every register holds its reset value, also after a reset."""

    async def body(self) -> None:
        for _ in range(2):
            names = [name for name, register in self.map.items() if register.access != "WO"]
            random.shuffle(names)
            for name in names:
                await self.model.check(name)
            for name, mask in self.model.writable.items():
                await self.model.write(name, random.getrandbits(32) & mask)
            await self.top.reset()


class RegisterAccesses(TopSequence):
    """What is written stays, byte by byte; what is read only stays too; holes answer SLVERR."""

    async def body(self) -> None:
        for _ in range(4):
            for name, mask in self.model.writable.items():
                await self._write(name, random.getrandbits(32) & mask)
            for name in random.sample(list(self.map), len(self.map)):
                if self.map[name].access in ("RO", "RW") and name not in self.model.writable:
                    item = RegisterItem(self.map[name].address, True, 0xFFFFFFFF)
                    await give(item, self.top.registers)
                if self.map[name].access != "WO":
                    await self.model.check(name)
        mapped = {register.address for register in self.map.values()}
        for address in random.sample(sorted(set(range(0, 256, 4)) - mapped), 6):
            for write in (True, False):
                item = RegisterItem(address, write, 0xFFFFFFFF)
                await give(item, self.top.registers)
                assert item.response == SLVERR, f"{address:#x} answered {item.response}"
        await self.model.check("BLOCK")

    async def _write(self, name: str, data: int) -> None:
        strobe = random.choice((EVERY_BYTE, 1, 5, 14))
        item = RegisterItem(self.map[name].address, True, data, strobe)
        await give(item, self.top.registers)
        mask = sum(0xFF << 8 * byte for byte in range(4) if strobe >> byte & 1)
        register = self.model.register(name)
        held = register.get_mirrored_value()
        register.predict(held & ~mask | data & mask)
