# SPDX-License-Identifier: Apache-2.0
"""The environment of either top: an agent a port, scoreboard, register model, coverage."""

from __future__ import annotations

from cocotb.triggers import RisingEdge
from pyuvm import uvm_env, uvm_sequencer

from tb.apack.uvm.coverage import CoverageCollector
from tb.apack.uvm.register_model import RegisterModel
from tb.apack.uvm.scoreboard import Scoreboard
from tb.bus.cycles import reset
from tb.uvm.register_agent import RegisterAgent
from tb.uvm.settings import CONFIG
from tb.uvm.stream_agent import SinkAgent, SourceAgent


class TopSequencer(uvm_sequencer):
    """Where sequences for a whole top run: they reach every port and the registers from here."""

    def build_phase(self) -> None:
        self.config = self.cdb_get(CONFIG)

    def attach(self, environment: Environment) -> None:
        """Take the sequencers, the register model and the reset of an environment."""
        self.sources = {name: agent.sequencer for name, agent in environment.sources.items()}
        self.sinks = {name: agent.sequencer for name, agent in environment.sinks.items()}
        self.monitors = {name: agent.monitor for name, agent in environment.sinks.items()}
        self.registers = environment.registers.sequencer
        self.model = environment.model
        self.scoreboard = environment.scoreboard
        self.reset = environment.reset_unit


class Environment(uvm_env):
    """One top with everything around it; the configuration says which one it is."""

    def build_phase(self) -> None:
        self._config = self.cdb_get(CONFIG)
        self.registers = RegisterAgent("registers", self)
        self.sources = {name: SourceAgent(name, self) for name in self._config.inputs}
        self.sinks = {name: SinkAgent(name, self) for name in self._config.outputs}
        self.scoreboard = Scoreboard("scoreboard", self)
        self.coverage = CoverageCollector("coverage", self)
        self.sequencer = TopSequencer("sequencer", self)

    def connect_phase(self) -> None:
        for agent in (*self.sources.values(), *self.sinks.values()):
            agent.monitor.beats.connect(self.coverage.beats)
            agent.monitor.frames.connect(self.scoreboard.frames)
        accesses = self.registers.monitor.accesses
        accesses.connect(self.scoreboard.accesses)
        accesses.connect(self.coverage.accesses)
        self.scoreboard.tensors.connect(self.coverage.tensors)
        inputs = {name: agent.monitor for name, agent in self.sources.items()}
        self.scoreboard.watch(inputs)
        self.coverage.watch(self.scoreboard, list(self.sinks.values()))
        self.model = RegisterModel(self._config, self.registers.sequencer)
        self.sequencer.attach(self)

    async def reset_unit(self) -> None:
        """Reset the unit in whatever it does; every component forgets what was before."""
        await RisingEdge(self._config.dut.clk)  # monitors sample at the falling one
        self.coverage.reset_seen()
        self._config.dut.rst.value = 1
        for agent in self.sources.values():
            agent.forget()
        self._config.unit.bus.abort()
        await reset(self._config.dut)
        for agent in self.sinks.values():
            agent.forget()
        self.scoreboard.forget()
        self.model.reset()
