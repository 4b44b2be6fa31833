# SPDX-License-Identifier: Apache-2.0
"""solve and profile."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..apack import SymbolTable, solve
from ..apack.exact_solver import EXACT_VALUE_W, solve_exact
from ..apack.profile import ProfileCost, profile_cost, profiled_table
from ..apack.solver import checked_histogram
from ..errors import InputError
from ..tensors import QUANTIZE, LeftOut, read_file
from ..tensors.files import write_whole
from ..tensors.imposters import refuse_imposter
from ..tensors.statistics import entropy_bits, histogram
from . import options as shared
from .container_views import print_groups
from .output import check_output
from .terminal import percent, print_table, printable

SOLVE_EXAMPLES = """  %(prog)s histogram.npy -o table.json
  %(prog)s histogram.npy --method paper --json
histogram.npy holds one integer for each value, 2 to the power of the value width in all:
  np.save("histogram.npy", np.bincount(values.view(np.uint8).ravel(), minlength=256))
"""
PROFILE_EXAMPLES = """  %(prog)s input1.npy input2.npy -o table.json
  %(prog)s input*.npy --unseen other.npy -o table.json
"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the two commands."""
    command = shared.add_command(
        commands, _solve, "solve", "the symbol table of a histogram", SOLVE_EXAMPLES
    )
    command.add_argument("histogram", type=Path, metavar="HIST.npy")
    shared.add_output(command, "the table to write, as JSON", required=False)
    shared.add_solver(command)
    shared.add_json(command)
    command = shared.add_command(
        commands, _profile, "profile", "one table for activations, from a few inputs",
        PROFILE_EXAMPLES,
    )  # fmt: skip
    command.add_argument("inputs", type=Path, nargs="+", metavar="IN", help="profiled tensors")
    command.add_argument(
        "--unseen", type=Path, nargs="+", default=[], metavar="IN", help="tensors to try it on"
    )
    shared.add_output(command, "the table to write, as JSON")
    shared.add_reading(command, 8, QUANTIZE)
    shared.add_solver(command)
    shared.add_json(command)


def _solve(options: argparse.Namespace) -> None:
    if options.output:
        check_output(options.output, options.histogram, binary=False)
    counts, value_w = _load_histogram(options.histogram)
    result = _solution(counts, value_w, options)
    if options.output:
        _save(result["table"], options.output)
    if options.json:
        print(json.dumps(result | {"table": json.loads(result["table"].to_json())}))
        return
    print_groups(result["table"])
    values = result["values"]
    print(
        f"{result['bits'] / values:.4f} bits a value, "
        f"{percent(result['bits'], values * value_w)} of the raw size; "
        f"entropy {result['entropy_bits'] / values:.4f}"
    )
    if result["proven"]:
        print(f"proven: no table of {options.groups} groups takes fewer")


def _solution(counts: np.ndarray, value_w: int, options: argparse.Namespace) -> dict:
    result = {
        "method": options.method,
        "values": int(counts.sum()),
        "entropy_bits": entropy_bits(counts),
        "lower_bound": None,
        "proven": False,
    }
    if options.method == "exact" and value_w <= EXACT_VALUE_W:
        solution = solve_exact(counts, value_w, options.groups, options.count_width)
        table = solution.table
        result |= {"lower_bound": float(solution.lower_bound), "proven": bool(solution.proven)}
    else:
        table = solve(counts, value_w, options.groups, options.count_width, options.method)
    return result | {"bits": table.expected_bits(counts), "table": table}


def _load_histogram(path: Path) -> tuple[np.ndarray, int]:
    """The counts and the value width they stand for."""
    try:
        refuse_imposter(path, "NumPy array")
        counts = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:
        # NumPy's header parser raises anything from ValueError to SyntaxError on a damaged file.
        raise InputError(f"{path}: not a .npy file ({' '.join(str(error).split())})") from error
    if not isinstance(counts, np.ndarray) or counts.ndim != 1:
        raise InputError(f"{path}: a histogram is one array of one dimension")
    value_w = len(counts).bit_length() - 1
    if len(counts) != 1 << value_w or not 2 <= value_w <= 16:
        raise InputError(f"{path}: {len(counts)} counts; a power of two from 4 to 65536 is needed")
    try:
        return checked_histogram(counts, value_w), value_w
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _profile(options: argparse.Namespace) -> None:
    check_output(options.output, *options.inputs, *options.unseen, binary=False)
    read = {path: _read(path, options) for path in (*options.inputs, *options.unseen)}
    table = profiled_table(
        [read[path][0] for path in options.inputs],
        options.value_width,
        options.groups,
        options.count_width,
        options.method,
    )
    _save(table, options.output)
    costs = {
        str(path): profile_cost(table, read[path][0], options.groups) for path in options.unseen
    }
    if options.json:
        print(json.dumps({
            "table": json.loads(table.to_json()),
            "unseen": {path: _cost_json(cost) for path, cost in costs.items()},
            "left_out": {
                str(path): [asdict(one) for one in left_out]
                for path, (_, left_out) in read.items()
            },
        }))  # fmt: skip
        return
    print_groups(table)
    if costs:
        print_table(
            ("unseen input", "values", "entropy", "own table", "this table", "penalty"),
            [_cost_row(path, cost, table.value_w) for path, cost in costs.items()],
        )
    for path, (_, left_out) in read.items():
        for one in left_out:
            print(printable(f"left out: {path}: {one}"))


def _read(path: Path, options: argparse.Namespace) -> tuple[np.ndarray, list[LeftOut]]:
    """The histogram of all tensors of a file, and what was left out of it."""
    contents = read_file(path, options.value_width, options.float, options.tensor)
    contents = contents.of_width(options.value_width)
    contents.check(path, options.strict)
    counts = sum(histogram(tensor.values, options.value_width) for tensor in contents.tensors)
    return counts, contents.left_out


def _cost_json(cost: ProfileCost) -> dict:
    return {
        "values": cost.values,
        "bits": cost.profiled_bits,
        "own_table_bits": cost.own_bits,
        "entropy_bits": cost.entropy_bits,
        "penalty": cost.penalty,
    }


def _cost_row(path: str, cost: ProfileCost, value_w: int) -> tuple[str, ...]:
    raw = cost.values * value_w
    parts = (cost.entropy_bits, cost.own_bits, cost.profiled_bits)
    return (
        path,
        f"{cost.values:,}",
        *(percent(bits, raw) for bits in parts),
        f"{100 * cost.penalty:.2f} %",
    )


def _save(table: SymbolTable, path: Path) -> None:
    write_whole(path, [f"{table.to_json()}\n".encode()])
