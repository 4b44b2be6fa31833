# SPDX-License-Identifier: Apache-2.0
"""What the demo says at its end: figures as JSON, a table that fits the terminal, a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from model.cli.terminal import printable
from model.tensors import LeftOut
from scripts.demo.measure import Measured, figure_names, rate
from tb.sim.round_trip import WRONG_VALUES, Codec

NAME_CHARACTERS = 25  # which most names can be told apart by
MISMATCHES_SHOWN = 5


def totals(results: Sequence[Measured]) -> dict[str, float]:
    """Sums over tensors, and the ratios of the sums."""
    codec = results[0].codec
    raw = sum(result.raw_bits for result in results)
    stored = sum(result.stored_bits for result in results)
    values = sum(result.values for result in results)
    figures = {
        name: sum(result.figures[name] for result in results) for name in figure_names(codec)
    }
    return {
        "tensors": len(results),
        "values": values,
        "raw_bits": raw,
        "entropy": round(sum(result.entropy for result in results) / raw, 6),
        "table_bits": sum(result.subject.job.table_bits for result in results),
        "stored_bits": stored,
        "footprint": round(stored / raw, 6),
        **figures,
        "values_per_cycle": rate(values, figures, codec),
        "mismatches": sum(result.mismatches for result in results),
        "simulation_seconds": round(sum(result.seconds for result in results), 3),
    }


def groups(results: Sequence[Measured]) -> dict[str, list[Measured]]:
    """The results by group, in the order in which the groups come."""
    found: dict[str, list[Measured]] = {}
    for result in results:
        found.setdefault(result.subject.group, []).append(result)
    return found


def best_and_worst(results: Sequence[Measured]) -> tuple[Measured, Measured]:
    """The tensors of the smallest and of the largest footprint."""
    ordered = sorted(results, key=lambda result: result.footprint)
    return ordered[0], ordered[-1]


# Column -> its text, in the order in which they are left out where the terminal is narrow: last
# ones first, and never the first two.
BY_IMPORTANCE: dict[str, Callable[[dict], str]] = {
    "mismatches": lambda row: f"{row['mismatches']:,}",
    "footprint": lambda row: f"{100 * row['footprint']:.2f} %",
    "values": lambda row: f"{row['values']:,}",
    "rate": lambda row: f"{row['values_per_cycle']:.3f}",
    "entropy": lambda row: f"{100 * row['entropy']:.2f} %",
    "tensors": lambda row: f"{row['tensors']:,}",
    "bytes": lambda row: f"{-(-row['stored_bits'] // 8):,}",
    "cycles": lambda row: f"{row['cycles']:,}",
}
LEFT_TO_RIGHT = (
    "tensors", "values", "entropy", "footprint", "bytes", "cycles", "rate", "mismatches",
)  # fmt: skip
ALWAYS_SHOWN = 2
LINE_CHARACTERS = 100  # of a name within a line of text


def print_table(console: Console, results: Sequence[Measured], each: bool) -> None:
    """A row for each tensor or for each group, and the sum, in the columns there is room for."""
    if each:
        rows = [(tensor_name(result, results), result.record()) for result in results]
    else:
        rows = [(printable(name), totals(members)) for name, members in groups(results).items()]
    rows.append(("all", totals(results)))
    names = [name for name, _ in rows]
    texts = {
        column: [text(row) for _, row in rows]
        for column, text in BY_IMPORTANCE.items()
        if column != "tensors" or not each
    }
    shown, name_width = _fitting(texts, max(map(len, names)), console.width)
    table = Table(
        title="Values through the hardware and back", box=box.SIMPLE,
        padding=0, title_justify="left",
    )  # fmt: skip
    table.add_column("tensor" if each else "group", no_wrap=True)
    for column in shown:
        table.add_column(column, justify="right", no_wrap=True)
    for place, name in enumerate(names):
        if place == len(names) - 1:
            table.add_section()
        table.add_row(shortened(name, name_width), *(texts[column][place] for column in shown))
    console.print(table)


def _fitting(texts: dict[str, list[str]], widest: int, width: int) -> tuple[list[str], int]:
    """Of the columns, those that fit beside a name that can be told apart, and the room for it."""
    room = width - 3
    shown = []
    for column, cells in texts.items():
        taken = 1 + max(len(column), *map(len, cells))
        if len(shown) >= ALWAYS_SHOWN and room - taken < min(widest, NAME_CHARACTERS):
            break
        room -= taken
        shown.append(column)
    return [column for column in LEFT_TO_RIGHT if column in shown], max(1, min(room, widest))


def tensor_name(result: Measured, results: Sequence[Measured]) -> str:
    """Its name, with the model's where the results are of several models."""
    name = printable(result.subject.name)
    one_file = len({other.subject.model for other in results}) == 1
    return name if one_file else f"{printable(result.subject.model)} {name}"


def shortened(name: str, width: int) -> str:
    """A name in so many characters: names of tensors differ at their ends."""
    if len(name) <= width:
        return name
    start = width // 3
    return f"{name[:start]}…{name[len(name) - width + start + 1 :]}"


def print_notes(console: Console, results: Sequence[Measured]) -> None:
    """The best and the worst tensor, what readers did to the values, and what the figures mean."""
    if len(results) > 1:
        for word, result in zip(("best", "worst"), best_and_worst(results), strict=True):
            name = shortened(tensor_name(result, results), LINE_CHARACTERS)
            console.print(
                f"{word}: {100 * result.footprint:.2f} %, {name} "
                f"({printable(result.subject.group)}, {result.values:,} values)"
            )
    subjects = [result.subject for result in results if result.subject.note]
    for group, note in dict.fromkeys((subject.group, subject.note) for subject in subjects):
        console.print(f"{printable(group)}: {printable(note)}")
    figures = totals(results)
    codec, tables = results[0].codec, 100 * figures["table_bits"] / figures["raw_bits"]
    more = f"; tables are {tables:.2f} % more" if tables else ""
    unit = "the slower unit" if len(codec.units) > 1 else f"the {codec.units[0]}"
    console.print(
        f"footprint: {codec.stored_text}, over raw bits{more}.\n"
        f"rate: values per cycle of {unit}, with its tensors one right behind the other."
    )


def print_left_out(console: Console, taken: int, left_out: Sequence[LeftOut]) -> None:
    """How much of a file was read, with a line on each tensor that was not."""
    for one in left_out:
        console.print(f"left out: {printable(str(one))}")
    console.print(f"{taken:,} {'tensor' if taken == 1 else 'tensors'}, {len(left_out):,} left out")


def print_verdict(console: Console, results: Sequence[Measured]) -> int:
    """The first mismatches, and a last line that says whether all is right; the exit code."""
    wrong = [result for result in results if result.mismatches]
    for result in wrong[:MISMATCHES_SHOWN]:
        where = printable(f"{result.subject.model} {result.subject.name}")
        line = f"MISMATCH in {shortened(where, LINE_CHARACTERS)}, {result.first_mismatch}"
        console.print(line, style="red", soft_wrap=True)
    if wrong:
        console.print("repeat with WAVES=1 to see the first of them in a waveform")
    console.print(
        verdict(totals(results), results[0].codec), style="bold red" if wrong else "bold green"
    )
    return 1 if wrong else 0


def verdict(figures: dict[str, float], codec: Codec) -> str:
    """One line: what was compared, and how much of it is right."""
    right = _right(figures, "values", WRONG_VALUES)
    kinds = [f"{_right(figures, one.number, one.wrong)} {one.name}" for one in codec.compared]
    compared = f"{right} values came back, {' and '.join(kinds)} equal the model's"
    if not figures["mismatches"]:
        return f"PASSED: {compared}"
    known = (WRONG_VALUES, *(one.wrong for one in codec.compared))
    others = figures["mismatches"] - sum(figures[kind] for kind in known)
    return f"FAILED: {compared}; {others:,} counters, marks or ends of a run are wrong"


def _right(figures: dict[str, float], number: str, wrong: str) -> str:
    return f"{figures[number] - figures[wrong]:,} of {figures[number]:,}"
