# SPDX-License-Identifier: Apache-2.0
"""A test that ends before its checks passes: none may, whatever its parameters and its seed."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tb.sim.paths import ROOT

BENCHES = sorted((ROOT / "tb").rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def hardware_tests(tree: ast.Module) -> Iterator[Function]:
    """The cocotb tests of a module, and the phases of its UVM tests."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and any(map(makes_test, node.decorator_list)):
            yield node
        elif isinstance(node, ast.ClassDef) and (
            any(map(makes_test, node.decorator_list))
            or any(ast.unparse(base).endswith("uvm_test") for base in node.bases)
        ):
            yield from (each for each in node.body if isinstance(each, Function))


def makes_test(decorator: ast.expr) -> bool:
    """Whether a decorator is the one of cocotb or of pyuvm, by whatever name, or parametrizes."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called) in ("cocotb.test", "pyuvm.test", "test", "cocotb.parametrize")


def own_statements(function: Function) -> Iterator[ast.AST]:
    """What a function runs itself, without the functions and classes in it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(node)


def early_ends(source: str) -> list[str]:
    """Tests of a source that have a return statement, with its line."""
    return [
        f"{test.name}, line {node.lineno}"
        for test in hardware_tests(ast.parse(source))
        if test.name not in ("build_phase", "connect_phase")
        for node in own_statements(test)
        if isinstance(node, ast.Return)
    ]


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_returns_early(path: Path) -> None:
    found = early_ends(path.read_text(encoding="utf-8"))
    assert not found, f"{found}: skip the test with its reason, or construct the case"


def test_the_benches_have_tests() -> None:
    """The rule is kept by something."""
    found = [test for path in BENCHES for test in hardware_tests(ast.parse(path.read_text()))]
    names = {test.name for test in found}
    assert len(found) > 200
    assert {"stores_raw_only_what_would_grow", "run_phase"} <= names


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if narrow: return", ["t, line 3"]),
        ("for _ in range(9):\n    if fits: return True", ["t, line 4"]),
        ("async with x: return", ["t, line 3"]),
        ("def inner(): return 1", []),
        ("choose = lambda: 1", []),
        ("assert x", []),
    ],
)
@pytest.mark.parametrize(
    "decorator", ["@cocotb.test()", "@cocotb.test", "@cocotb.test(timeout_time=1)", "@test()"]
)
def test_the_rule_finds_returns(decorator: str, body: str, found: list[str]) -> None:
    source = f"{decorator}\nasync def t(dut):\n{textwrap.indent(body, '    ')}\n"
    assert early_ends(source) == found


def test_the_rule_looks_into_uvm_tests() -> None:
    body = "    async def run_phase(self):\n        if x:\n            return\n"
    for head in ("class T(uvm_test):", "@pyuvm.test()\nclass T(Base):"):
        assert len(early_ends(f"{head}\n{body}")) == 1
