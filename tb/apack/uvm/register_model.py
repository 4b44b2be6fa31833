# SPDX-License-Identifier: Apache-2.0
"""The registers as pyuvm's register layer sees them, built from the map of the RTL."""

from __future__ import annotations

from pyuvm import (
    uvm_access_e,
    uvm_endianness_e,
    uvm_reg,
    uvm_reg_adapter,
    uvm_reg_block,
    uvm_reg_bus_op,
    uvm_reg_field,
    uvm_sequencer,
    uvm_status_e,
)

from tb.apack.env.top_registers import WRITABLE, WRITABLE_IN_DECOMPRESSOR, reset_values
from tb.apack.uvm.config import TopConfig
from tb.bus.axi_lite import OKAY
from tb.bus.register_map import Register
from tb.uvm.register_agent import RegisterItem

WORD_W = 32
STABLE = ("ID", "VERSION", "SHAPE", "CODER", "BLOCK_MAX")


class BusAdapter(uvm_reg_adapter):
    """Between register operations and accesses of the bus."""

    def reg2bus(self, rw: uvm_reg_bus_op) -> RegisterItem:
        return RegisterItem(rw.addr, rw.kind == uvm_access_e.UVM_WRITE, int(rw.data))

    def bus2reg(self, bus_item: RegisterItem, rw: uvm_reg_bus_op) -> None:
        rw.data = bus_item.data
        okay = bus_item.response == OKAY
        rw.status = uvm_status_e.UVM_IS_OK if okay else uvm_status_e.UVM_NOT_OK


class RegisterModel(uvm_reg_block):
    """Every register of the map with its reset value; those that the unit changes are volatile."""

    def __init__(self, config: TopConfig, sequencer: uvm_sequencer) -> None:
        super().__init__(config.kind)
        self.configure()
        self.create_map("bus", 0, WORD_W // 8, uvm_endianness_e.UVM_LITTLE_ENDIAN)
        self.set_default_map(self.get_maps()[0])
        self._by_name: dict[str, uvm_reg] = {}
        self.writable = WRITABLE | (WRITABLE_IN_DECOMPRESSOR if config.decompressor else {})
        self.writable["TABLE_BASE"] = (1 << config.widths.value_w) - 1
        resets = reset_values(config, config.decompressor)
        for register in config.unit.map.values():
            self._add(register, resets[register.name])
        self.lock_model()
        self.get_default_map().set_sequencer(sequencer, BusAdapter("adapter"))
        self.get_default_map().set_auto_predict(True)
        self.reset()

    def _add(self, register: Register, reset: int) -> None:
        name = register.name
        reg = uvm_reg(name, WORD_W)
        reg.configure(self)
        stored = name in self.writable
        width = self.writable[name].bit_length() if stored else WORD_W
        access = register.access if stored or register.access != "RW" else "RO"
        content = uvm_reg_field("content")
        volatile = not stored and name not in STABLE
        content.configure(reg, width, 0, access, volatile, reset, True, False, True)
        rights = access if access in ("RO", "WO") else "RW"
        self.get_default_map().add_reg(reg, register.address, rights)
        self._by_name[name] = reg

    def register(self, name: str) -> uvm_reg:
        """A register by its name in the map."""
        return self._by_name[name]

    async def write(self, name: str, data: int) -> None:
        """Write a register over the bus."""
        status = await self._by_name[name].write(data)
        assert status == uvm_status_e.UVM_IS_OK, f"the write of {name} answered {status}"

    async def read(self, name: str) -> int:
        """Read a register over the bus."""
        status, data = await self._by_name[name].read()
        assert status == uvm_status_e.UVM_IS_OK, f"the read of {name} answered {status}"
        return data

    async def check(self, name: str) -> None:
        """Read a register and compare it with what the model holds of it."""
        wanted = self._by_name[name].get_mirrored_value()
        found = await self.read(name)
        assert found == wanted, f"{name} is {found:#x}, the register model has {wanted:#x}"
