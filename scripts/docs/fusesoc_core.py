# SPDX-License-Identifier: Apache-2.0
"""The filesets of `apack.core`, for FuseSoC: one for each folder of rtl/, kept by `make docs`."""

from __future__ import annotations

from tb.sim.builds import waivers
from tb.sim.modules import rtl_modules
from tb.sim.paths import ROOT

CORE = ROOT / "apack.core"
PART = "# begin of generated part: {0}\n", "# end of generated part: {0}\n"


def filesets() -> str:
    """A fileset for each folder, with its waivers, which only Verilator takes."""
    lines = []
    for folder in folders():
        sources = [path for path in rtl_modules().values() if path.parent.name == folder]
        lines += [f"  {folder}:\n", "    files:\n"]
        lines += [f"      - {path.relative_to(ROOT)}\n" for path in sources]
        for path in waivers(sources):
            lines.append(f"      - {path.relative_to(ROOT)}: {{file_type: vlt}}\n")
        lines.append("    file_type: verilogSource-2005\n")
    return "".join(lines)


def systems() -> str:
    """The names of these filesets."""
    return "".join(f"      - {folder}\n" for folder in folders())


def folders() -> list[str]:
    """The folders of rtl/ with modules."""
    return sorted({path.parent.name for path in rtl_modules().values()})


def core(text: str) -> str:
    """The core with its generated parts.

    Raises ValueError when it has no markers for one.
    """
    for name, lines in (("filesets", filesets()), ("systems", systems())):
        begin, end = (marker.format(name) for marker in PART)
        if text.count(begin) != 1 or end not in text.split(begin)[1]:
            raise ValueError(f"no markers for {name}")
        head, _, rest = text.partition(begin)
        text = head + begin + lines + rest[rest.index(end) :]
    return text


def write_core() -> None:
    """Bring the core up to date."""
    CORE.write_text(core(CORE.read_text(encoding="utf-8")), encoding="utf-8")
