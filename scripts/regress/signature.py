# SPDX-License-Identifier: Apache-2.0
"""What failures have in common: a message without what differs from seed to seed."""

from __future__ import annotations

import re

SIGNATURE_CHARACTERS = 160

# The name of the cocotb test or the exception that a message begins with is kept as it is.
NAME = re.compile(r"[A-Za-z_][\w.]*(?:\[[^\]]*\])?: ")
EXCEPTION = re.compile(r"(?:Error|Exception|Failure|Warning|Exit|Interrupt): $")
PATH = re.compile(r"(?<![\w.])[\w.\-~]*/[\w./\-\[\]=+@%~]+")
UNIT = "fs|ps|ns|us|\u00b5s|ms|s|sec|seconds?|min|minutes?|hours?"
TIME = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b"
    r"|\b\d\d?:\d\d:\d\d(?:\.\d+)?\b"
    rf"|(?<![\w.])-?\d[\d_]*(?:,\d{{3}})*(?:\.\d+)?(?:e[+-]?\d+)?\s?(?:{UNIT})\b"
)
# After one of these, up to three digits that may be hexadecimal are a value and no name.
TELLS = r"(?:\b(?:is|was|are|not|got|found|expected|read|wrote|than|value|word|byte|data)|[=,\[(])"
WORDS = "added|decade|deed|face|faced|fade|faded|feed"  # of English, with letters of hexadecimal
VALUE = re.compile(
    rf"""
      \bLogic(?:Array)?\('[^']*'(?:,\ Range\([^)]*\))?\)
    | \b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b         # UUID
    | \bb'(?:\\.|[^'\\])*' | \bb"(?:\\.|[^"\\])*"                   # bytes of Python
    | '(?=[^']*[01xXzZ])[01xXzZuUwWlLhH\-]{{2,}}'                     # logic in quotes
    | (?<![\w.])-?\d+(?:\.\d*)?[eE][+-]?\d+\b
    | \b0[xX][0-9a-fA-F_xXzZ]+\b | \b0[bB][01_xXzZ]+\b | \b0[oO][0-7_]+\b
    | (?<!\w)\d*'s?[bdohBDOH]\ ?[0-9a-fA-F_xXzZ?]+\b                # Verilog
    | \b(?=\w*\d)[0-9a-fA-F]{{2,}}(?:_[0-9a-fA-F]{{4}})+\b
    | \b[01][01xXzZ]+\b | \b[xXzZ][01xXzZ]{{3,}}\b                  # bits, some of them unknown
    | \b(?:\d[0-9a-f]*[a-f][0-9a-f]*|\d[0-9A-F]*[A-F][0-9A-F]*)\b
    | \b(?=\w*\d)(?:[0-9a-f]{{4,}}|[0-9A-F]{{4,}})\b
    | \b[A-F]{{4,}}\b | \b(?!(?:{WORDS})\b)[a-f]{{4,}}\b | \b([a-fA-F])\1+\b
    | (?<![A-Za-z_])(?<![A-Za-z_]\.)(?:(?<![\w.)\]])[+-])?\d[\d_]*(?:,\d{{3}})*(?:\.\d*)?
      (?:[eE][+-]?\d+)?(?:st|nd|rd|th)?\b
    | (?<![A-Za-z_])\d+(?:\.\d*)?
    """,
    re.VERBOSE,
)
SHORT = re.compile(rf"({TELLS}\s?)(?!(?:ad|add|bad|be|bed|fed|fee)\b)"
                   r"(?:[0-9a-f]{2,3}|[0-9A-F]{2,3}|[b-fB-F]|[aA](?=$|[^\s\w]))\b")  # fmt: skip
BYTE = re.compile(r"(?<=<n> )(?!ad|be)[a-f]{2}\b|(?<=\.\.\. )(?!ad|be)[a-f]{2}\b"
                  r"|\b(?!ad|be)[a-f]{2}(?= <n>)")  # fmt: skip
ITEM = r"(?:<n>|<list>|<time>)(?:\s*[:=]\s*(?:<n>|<list>|<time>))?"
ROW = re.compile(rf"{ITEM}(?:(?:\s*[,;]\s*|\s+)(?:{ITEM}|\.\.\.))+")
LIST = re.compile(rf"(?<!\w)(?:\[\s*{ITEM}(?:, \.\.\.)?[\s,]*\]"
                  rf"|\(\s*{ITEM}(?:, \.\.\.|,)\s*\)|\{{\s*{ITEM}(?:, \.\.\.)?\s*\}})")  # fmt: skip


def names_its_test(message: str) -> bool:
    """Whether a message begins with the name of what failed, as those of cocotb tests do."""
    name = NAME.match(message.lstrip())
    return name is not None and not EXCEPTION.search(name[0])


def signature(message: str) -> str:
    """The first line of a message without what differs between seeds: failures alike share it.

    Values of any base, bits, times, paths and lists of any length are replaced; the test or
    exception that the line begins with stays.
    """
    line = next((line.strip() for line in message.splitlines() if line.strip()), "no message")
    name = NAME.match(line)
    kept = name[0] if name else ""
    return (kept + _without_values(line[len(kept) :]))[:SIGNATURE_CHARACTERS]


def _without_values(text: str) -> str:
    text = PATH.sub("<path>", text)
    text = TIME.sub("<time>", text)
    text = VALUE.sub("<n>", text)
    text = SHORT.sub(r"\1<n>", text)
    before = ""
    while text != before:  # a list of lists is a list
        before = text
        text = LIST.sub("<list>", ROW.sub("<n>, ...", BYTE.sub("<n>", text)))
    return text
