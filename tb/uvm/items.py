# SPDX-License-Identifier: Apache-2.0
"""A single item handed to one agent, out of a sequence for a whole unit."""

from __future__ import annotations

from pyuvm import uvm_sequence, uvm_sequence_item, uvm_sequencer


class OneItem(uvm_sequence):
    """A single item for one agent."""

    def __init__(self, item: uvm_sequence_item) -> None:
        super().__init__("one item")
        self._item = item

    async def body(self) -> None:
        await self.start_item(self._item)
        await self.finish_item(self._item)


async def give(item: uvm_sequence_item, sequencer: uvm_sequencer) -> None:
    """Hand an item to an agent's driver."""
    await OneItem(item).start(sequencer)
