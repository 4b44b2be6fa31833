# SPDX-License-Identifier: Apache-2.0
"""The timing diagrams of the architecture page: which signals of which run, in which cycles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tb.apack.env.register_map import register_map
from tb.sim.waveform import Condition, Sample, Wave
from tb.sim.wavejson import Box, Group, Row, always, bit, wave_json, write_diagram

SMALL = {"STREAMS": 2, "WORD_W": 32, "LANES": 4, "BLOCK_VALUES": 16}
BLOCK, LANES, WORD_W = SMALL["BLOCK_VALUES"], SMALL["LANES"], SMALL["WORD_W"]
VALUES = 38  # of the tensor in the diagrams of both tops
COLOURS = "3457689"
ENGINE = "g_channel[0].channel_inst.engine_inst"
STREAMS = 4  # of the engines in the diagrams of slots
KINDS = ("-", "clear", "first", "value", "raw")

Text = Callable[[Sample], str]
Content = tuple[list[int], list[Group]]  # cycles, rows


@dataclass(frozen=True)
class Diagram:
    """A timing diagram: the run it shows, and how to find its cycles and rows in the waveform."""

    name: str
    title: str
    top: str
    testcase: str
    content: Callable[[Wave], Content]
    parameters: dict[str, int] = field(default_factory=dict)


def draw(diagram: Diagram, waves: Path, path: Path) -> None:
    """Write the diagram of a waveform to `path`.json and `path`.svg."""
    wave = Wave(waves)
    cycles, groups = diagram.content(wave)
    write_diagram(wave_json(diagram.title, wave, cycles, groups), path)


# ---- streams


def passes(sample: Sample, port: str) -> bool:
    """Whether a beat of a stream port is taken in this cycle."""
    return bool(sample(f"{port}_tvalid") and sample(f"{port}_tready"))


def beats(wave: Wave, port: str) -> dict[int, int]:
    """Number of the beat that stands on a port, by cycle."""
    found, number = {}, 0
    for cycle in range(wave.cycles):
        sample = wave.sample(cycle)
        if sample(f"{port}_tvalid"):
            found[cycle] = number
        number += passes(sample, port)
    return found


def stream(wave: Wave, port: str, box: Callable[[int], Box], *flags: str) -> Group:
    """Handshake, content and flags of a stream port; `box` shows a beat by its number."""
    numbers = beats(wave, port)

    def content(sample: Sample) -> Box | None:
        return box(numbers[sample.cycle]) if sample.cycle in numbers else None

    def flag(name: str) -> Row:
        def level(sample: Sample) -> int | None:
            return sample(f"{port}_{name}") if sample.cycle in numbers else None

        return Row(name, level)

    rows = [bit("tvalid", f"{port}_tvalid"), bit("tready", f"{port}_tready")]
    rows += [Row("tdata", content, lambda sample: passes(sample, port))]
    return port.split("_")[-1], [*rows, *(flag(name) for name in flags)]


def of_block(text: str, block: int) -> Box:
    """A box in the colour of a block."""
    return Box(text, COLOURS[block])


def value_box(beat: int) -> Box:
    """A beat of values by the numbers of its values."""
    first = beat * LANES
    return of_block(f"{first}-{min(first + LANES, VALUES) - 1}", first // BLOCK)


def entry_box(beat: int) -> Box:
    """An index entry."""
    return of_block("entry", beat)


def word_boxes(wave: Wave, index: str) -> list[Box]:
    """The memory words of a tensor, as its entries on the index port tell."""
    boxes = []
    for block, entry in enumerate(entries(wave, index)):
        for name, length in (("code", entry & 0xFFFF), ("offs", entry >> 16 & 0xFFFF)):
            boxes += [of_block(name, block)] * -(-length // WORD_W)
    return boxes


def entries(wave: Wave, port: str) -> list[int]:
    """What passes on the index port."""
    samples = map(wave.sample, range(wave.cycles))
    return [sample(f"{port}_tdata") for sample in samples if passes(sample, port)]


def event(name: str) -> Row:
    """A bit of EVENTS as a level."""
    return bit(name, "registers_inst.events", register_map()["EVENTS"].fields[name].low)


BUSY = bit("BUSY", "registers_inst.busy_reg")


# ---- what the diagrams show


def registers(wave: Wave) -> Content:
    """A table of two rows and a START on the register bus."""
    begin = wave.first(lambda sample: sample("s_axil_awvalid"))
    end = wave.first(lambda sample: sample("registers_inst.busy_reg"))
    bus = [
        Row(
            "awaddr",
            lambda sample: (
                Box(_register(sample).removeprefix("TABLE_")) if sample("s_axil_awvalid") else None
            ),
        ),
        bit("awvalid, wvalid", "s_axil_awvalid"),
        bit("awready, wready", "s_axil_awready"),
        Row("wdata", _write_data),
        bit("bvalid", "s_axil_bvalid"),
        bit("bready", "s_axil_bready"),
    ]
    unit = [bit("TABLE0_VALID", "table_valid"), bit("QUEUED", "registers_inst.queued_reg"), BUSY]

    def shown(sample: Sample) -> bool:
        return bool(sample("s_axil_awvalid") or sample("s_axil_bvalid")) or sample.cycle == end

    return wave.active(range(begin, end + 1), shown), [("write", bus), ("STATUS", unit)]


def _register(sample: Sample) -> str:
    """Name of the register that is written."""
    address = sample("s_axil_awaddr")
    return next(name for name, one in register_map().items() if one.address == address)


def _write_data(sample: Sample) -> Box | None:
    if not sample("s_axil_wvalid"):
        return None
    data, name = sample("s_axil_wdata"), _register(sample)
    if name == "CONTROL":
        return Box(" ".join(register_map()[name].names(data)))
    if name == "TABLE_CUM":
        fields = register_map()[name].fields
        return Box(f"{fields['CUM'].of(data)}{', LAST' * fields['LAST'].of(data)}")
    return Box(str(data))


def compressing(wave: Wave) -> Content:
    """Three blocks through the compressor."""
    words = word_boxes(wave, "m_axis_index")
    groups = [
        stream(wave, "s_axis_values", value_box, "tlast"),
        stream(wave, "m_axis_index", entry_box, "tlast"),
        stream(wave, "m_axis_memory", words.__getitem__, "tlast"),
        ("registers", [BUSY, event("DONE")]),
    ]
    ports = ("s_axis_values", "m_axis_index", "m_axis_memory")
    return _while_running(wave, ports), groups


def decompressing(wave: Wave) -> Content:
    """Three blocks through the decompressor, the middle one damaged."""
    words = word_boxes(wave, "s_axis_index")
    groups = [
        stream(wave, "s_axis_index", entry_box, "tlast"),
        stream(wave, "s_axis_memory", words.__getitem__, "tlast"),
        stream(wave, "m_axis_values", value_box, "tuser", "tlast"),
        ("registers", [BUSY, event("BLOCK_BAD"), event("DONE")]),
    ]
    ports = ("s_axis_index", "s_axis_memory", "m_axis_values")
    return _while_running(wave, ports), groups


def _while_running(wave: Wave, ports: tuple[str, ...]) -> list[int]:
    begin = wave.first(lambda sample: passes(sample, ports[0]))
    end = wave.first(lambda sample: not sample("registers_inst.busy_reg"), begin)
    return wave.active(
        range(begin, end + 1),
        lambda sample: any(passes(sample, port) for port in ports) or sample.cycle == end,
    )


def by_stream(name: str, stream: str, text: Text, valid: Condition = always) -> Row:
    """A row with a box a cycle, in the colour of the stream that a signal of the engine names."""

    def box(sample: Sample) -> Box | None:
        if not valid(sample):
            return None
        return Box(text(sample), COLOURS[engine(sample, stream) % STREAMS])

    return Row(name, box, always)


def engine(sample: Sample, name: str) -> int:
    """A signal of the engine."""
    return sample(f"{ENGINE}.{name}")


def number(name: str, style: str = "d") -> Text:
    """The value of a signal of the engine, in a format."""
    return lambda sample: format(engine(sample, name), style)


def turn(tag: str) -> Text:
    """The stream that a tag names."""
    return lambda sample: str(engine(sample, tag) % STREAMS)


def encoding(wave: Wave) -> Content:
    """The registers of an encoder engine of four streams, slot by slot."""
    begin = wave.first(lambda sample: bool(engine(sample, "s_valid")))

    def since(cycles: int) -> Condition:
        return lambda sample: sample.cycle >= begin + cycles

    def slot(sample: Sample) -> str:
        if not engine(sample, "s_valid"):
            return "-"
        return "end" if engine(sample, "s_end") else number("s_value", "02X")(sample)

    loop = "interval_loop_inst"
    stages = [
        by_stream("slot: value", "s_stream", slot),
        by_stream(
            "symbol",
            "slot_stream_reg",
            number("symbol"),
            lambda sample: bool(engine(sample, "slot_valid_reg")),
        ),
        by_stream("offset bits", "symbol_stream_reg", number("symbol_offset_w_reg"), since(2)),
        by_stream("carry-save: stream", f"{loop}.pair_tag", turn(f"{loop}.pair_tag"), since(3)),
        by_stream("LO, narrowed", f"{loop}.new_tag", number(f"{loop}.new_low", "04X"), since(4)),
        by_stream("shifts", "shift_stream", number("shift_count"), since(5)),
        by_stream(
            "LO at next slot", "symbol_stream_reg", number(f"{loop}.back_low", "04X"), since(6)
        ),
    ]
    words = [
        by_stream(
            f"{name} word",
            f"m_{name}_stream",
            number(f"m_{name}_data", "04X"),
            lambda sample, name=name: bool(engine(sample, f"m_{name}_valid")),
        )
        for name in ("code", "offset")
    ]
    cycles = {*range(begin - 1, begin + 14)}
    for name in ("code", "offset"):
        first = wave.first(lambda sample, name=name: bool(engine(sample, f"m_{name}_valid")), begin)
        cycles |= {*range(first - 1, first + 4)}
    return sorted(cycles), [("stages", stages), ("out", words)]


def decoding(wave: Wave) -> Content:
    """The stages of a decoder engine of four streams, slot by slot."""
    begin = wave.first(lambda sample: bool(engine(sample, "s_kind")))
    clear = wave.first(lambda sample: KINDS[engine(sample, "s_kind")] == "clear", begin)
    loop = "search_loop_inst"

    def kind(signal: str) -> Condition:
        return lambda sample: sample.cycle > begin and bool(engine(sample, signal) >> 2)

    def decodes(sample: Sample) -> bool:
        return KINDS[engine(sample, "s_kind")] == "value"

    def symbol(sample: Sample) -> str:
        return str(engine(sample, "hit").bit_length() - 1)

    slots = [by_stream("slot", "s_stream", lambda sample: KINDS[engine(sample, "s_kind")])]
    stages = [
        by_stream("leaf", f"{loop}.leaf_tag", turn(f"{loop}.leaf_tag"), kind(f"{loop}.leaf_tag")),
        by_stream("symbol", "hit_tag", symbol, kind("hit_tag")),
        by_stream("shifts", "loop_tag", number("loop_count"), kind("loop_tag")),
        by_stream("LO", "s_stream", number(f"{loop}.low", "04X"), decodes),
    ]
    out = [
        by_stream(
            "value",
            "m_stream",
            number("m_value", "02X"),
            lambda sample: bool(engine(sample, "m_valid")),
        )
    ]
    cycles = [*range(begin - 1, begin + 16), *range(clear - 1, clear + 6)]
    return cycles, [("slots", slots), ("stages", stages), ("out", out)]


DIAGRAMS = (
    Diagram(
        "registers",
        "A table of two rows for bank 0, then START",
        "apack_compressor",
        "loads_a_table_and_starts",
        registers,
        SMALL,
    ),
    Diagram(
        "compressor",
        "38 values in blocks of 16: values in, index entries and memory words out",
        "apack_compressor",
        "compresses_two_blocks_and_a_rest",
        compressing,
        SMALL,
    ),
    Diagram(
        "decompressor",
        "The same tensor with a bit of block 1 inverted: entries and words in, values out",
        "apack_decompressor",
        "marks_a_damaged_block",
        decompressing,
        SMALL,
    ),
    Diagram(
        "encoder-slots",
        "Encoder engine, STREAMS 4: a colour is a stream, and goes down one row a cycle",
        "apack_compressor",
        "encodes_streams_in_turn",
        encoding,
    ),
    Diagram(
        "decoder-slots",
        "Decoder engine, STREAMS 4: a colour is a stream, and goes down one row a cycle",
        "apack_decompressor",
        "decodes_streams_in_turn",
        decoding,
    ),
)
