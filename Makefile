# SPDX-License-Identifier: Apache-2.0
# Everything a person or the CI runs. `make help` lists the targets and the variables.

# The interpreter: that of .venv, else the first that is new enough, looked for once and only when
# needed; PYTHON=... overrides.
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11) and 2)
ifndef PYTHON
PYTHON = $(eval PYTHON := $(or $(shell for python in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -I -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done),python3))$(PYTHON)
endif
SIM ?= verilator
ECP5 ?= 1

# Whether a variable is on: 0, no, off, false and nothing, in any case, are not.
lower = $(subst A,a,$(subst E,e,$(subst F,f,$(subst L,l,$(subst N,n,$(subst O,o,$(subst S,s,$(1))))))))
on = $(filter-out 0 n no off f false,$(call lower,$(1)))

# Variables given to make reach the recipes through the environment, so that any file name is safe.
export SIM CODEC SEED TEST LF FAILED JOBS MAXFAIL WAVES COVERAGE TENSOR TABLE MODEL FLOAT BLOCK SEEDS SCHEDULER LIMIT DESIGN FO4 LIBERTY MUTANTS TARGET POINT
# `make test` alone passes this one on, as an option: other simulations have a log and a limit.
unexport DEBUG

# Each simulation starts Python: where no bytecode is to lie beside the sources, it is kept in build/.
ifdef PYTHONDONTWRITEBYTECODE
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/build/cache/python
endif

MAKEFLAGS += --no-print-directory
# What is started ends with make, whatever ends that; -I keeps the environment out of Python.
START = exec $(1) -I -X utf8 scripts/start.py
RUN = $(call START,.venv/bin/python) -m
NEED = "$$SIM" $(if $(call on,$(WAVES)),waves)
# What failed last is repeated on the simulator where it failed, unless one is named.
REPEAT = $(call on,$(LF)) $(call on,$(FAILED))
THIS_SIM = $(if $(strip $(REPEAT)),$(if $(filter file,$(origin SIM)),,--sim="$$SIM"),--sim="$$SIM")

define SET_UP
command -v "$(firstword $(PYTHON))" >/dev/null || \
	{ echo "setup: no $(PYTHON) on PATH: install Python 3.11 or newer, or say PYTHON=..." >&2; exit 2; }; \
code=0; $(PYTHON) -I -c '$(NEW_ENOUGH)' 2>/dev/null || code=$$?; case $$code in 0) ;; \
	2) echo "setup: $(PYTHON) is older than Python 3.11: say PYTHON=... to choose another" >&2; exit 2 ;; \
	*) echo "setup: $(PYTHON) does not run Python (exit code $$code): say PYTHON=... to choose another" >&2; exit 2 ;; \
esac; \
$(call START,$(PYTHON)) scripts/setup.py
endef

.DEFAULT_GOAL := help
.PHONY: help setup shell env demo test list coverage coverage-report regress mutate waves bench-sim throughput bench-codec bench-solver bench-floats report synth docs testplan lint wheels clean distclean

help: ## list the targets and the variables
	@echo "make TARGET [VARIABLE=value ...]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo
	@sed -n 's/^#> \(.*\)/  \1/p' Makefile

#> SIM=verilator|icarus   simulator of demo, test, regress, waves, docs and bench-sim (default verilator)
#> CODEC=apack            demo, throughput, bench-sim: the codec whose hardware is meant (default apack)
#> TENSOR=x.npy           demo: your own tensor or model file in place of the shipped ones
#> MODEL=x.tflite|x.onnx  demo: the same; TENSOR='conv* fc' then chooses tensors by name or wildcards
#> TABLE=table.json       demo: your own symbol table, with TENSOR
#> FLOAT=patterns|int8    demo: floats of up to 16 bits as they are (default), or quantized like wider ones
#> ALL=1                  demo: a line for each of the shipped tensors
#> BLOCK=4096             demo: values in a block, of APack a multiple of 8
#> WAVES=1                demo, test: record FST waveforms (0, no, off and false are off, here and below)
#> DEBUG=1                test: run one test at the terminal and without a limit, for breakpoint()
#> MAXFAIL=1              test: end after so many failures
#> COVERAGE=1             test, regress: count lines, branches and toggles of the hardware, with Verilator
#> TEST='encoder and not reset'  test, list, coverage, regress, waves: run only what this pytest -k expression, or node id, selects
#> LF=1                   test: only what failed last, with the seed of that run
#> FAILED=1               regress: only the jobs that failed last, with their seeds
#> SEED=1                 test, coverage, regress, waves: seed of the random stimulus (default: a new one, printed)
#> SEEDS=10               regress, mutate: seeds of each test, from SEED on (default 3)
#> SCHEDULER=tcp://host:8786  regress: use the workers of this Dask cluster
#> LIMIT=600              regress: seconds after which a job is ended (default 1200)
#> MUTANTS=200            mutate: most faults in a module, one at a time
#> TARGET=98              mutate: least share of them to be found, in percent
#> JOBS=2                 processes at once (default: one a core)
#> DESIGN='*encoder*'     synth, mutate: only the modules of this name
#> FO4=32                 synth: the delay to reach with the least area
#> ECP5=0                 synth: standard cells only
#> POINT='engines=1 streams=1,4 values=16384'  throughput: these points alone, with a tensor of so many values
#> LIBERTY=cells.lib      synth: the cell library, where the system has none
#> PYTHON=python3.13      interpreter that .venv is made with (3.11 or newer); stays until another is named
#> CXX='ccache g++'       C++ compiler of Verilator's builds, with a launcher and options

setup: ## create or update .venv and check the tools of SIM
	@$(SET_UP) --need $(NEED)

shell: ## a shell that finds verilator and cocotb of .venv, for simulations of your own
	@$(SET_UP)
	@$(RUN) scripts.environment --shell

env: ## the same for the shell at hand: eval "$(make env)"
	@{ $(SET_UP); } >&2
	@$(RUN) scripts.environment

demo: ## real weights and feature maps through the RTL compressor and decompressor and back
	@$(SET_UP) --need $(NEED) $(if $(TENSOR)$(MODEL),,--extra requirements-demo.txt)
	@$(RUN) scripts.demo --sim="$$SIM" $${CODEC:+--codec="$$CODEC"} $${TENSOR:+--tensor="$$TENSOR"} \
		$${TABLE:+--table="$$TABLE"} $${MODEL:+--model="$$MODEL"} $${FLOAT:+--float="$$FLOAT"} \
		$${BLOCK:+--block="$$BLOCK"} $${JOBS:+--jobs="$$JOBS"} \
		$(if $(call on,$(ALL)),--all) $(if $(call on,$(WAVES)),--waves)

test: ## model, script and hardware tests; the hardware on SIM
	@$(SET_UP) --need "$$SIM" waves --want liberty --extra requirements-regress.txt requirements-demo.txt \
		requirements-docs.txt requirements-fusesoc.txt
	@$(RUN) scripts.test $(THIS_SIM) $(if $(call on,$(LF)),--last-failed) $${TEST:+--test="$$TEST"} \
		$${SEED:+--seed="$$SEED"} $${JOBS:+--jobs="$$JOBS"} $${MAXFAIL:+--maxfail="$$MAXFAIL"} \
		$(if $(call on,$(WAVES)),--waves) $(if $(call on,$(COVERAGE)),--coverage) \
		$(if $(call on,$(DEBUG)),--debug)

list: ## what there is to test, by system and module: the names for TEST=...
	@$(SET_UP) --extra requirements-regress.txt requirements-docs.txt
	@$(RUN) scripts.list_tests --sim="$$SIM" $${TEST:+--test="$$TEST"}

coverage: ## lines, branches and toggles that the hardware tests cover, into build/coverage/
	@$(SET_UP) --need verilator
	@$(RUN) scripts.coverage --run $${TEST:+--test="$$TEST"} $${SEED:+--seed="$$SEED"} \
		$${JOBS:+--jobs="$$JOBS"}

coverage-report: ## the same of what has run: after make test SIM=verilator COVERAGE=1
	@$(SET_UP)
	@$(RUN) scripts.coverage

regress: ## the hardware tests with many seeds, here or over a cluster, into build/regress/
	@$(SET_UP) --need $(NEED) --extra requirements-regress.txt
	@$(RUN) scripts.regress $(THIS_SIM) $(if $(call on,$(FAILED)),--failed) $${TEST:+--test="$$TEST"} \
		$${SEEDS:+--seeds="$$SEEDS"} $${SEED:+--seed="$$SEED"} $${JOBS:+--jobs="$$JOBS"} \
		$${LIMIT:+--limit="$$LIMIT"} $${SCHEDULER:+--scheduler="$$SCHEDULER"} \
		$(if $(call on,$(COVERAGE)),--coverage)

mutate: ## which small faults put into the hardware its tests find, into build/mutate/
	@$(SET_UP) --need verilator
	@$(RUN) scripts.mutate $${DESIGN:+--design="$$DESIGN"} $${MUTANTS:+--mutants="$$MUTANTS"} \
		$${SEED:+--seed="$$SEED"} $${SEEDS:+--seeds="$$SEEDS"} $${JOBS:+--jobs="$$JOBS"} $${TARGET:+--target="$$TARGET"}

waves: ## waveform of one hardware test, with its transactions as text, into build/waves/
	@$(SET_UP) --need "$$SIM" waves
	@$(RUN) scripts.waves --sim="$$SIM" $${TEST:+--test="$$TEST"} $${SEED:+--seed="$$SEED"}

bench-sim: ## values per second through the simulated hardware, file-driven and signal-driven
	@$(SET_UP) --need $(NEED)
	@$(RUN) scripts.benchmark.simulation --sim="$$SIM" $${CODEC:+--codec="$$CODEC"}

throughput: ## values per cycle over the parameters of the hardware, into build/throughput/
	@$(SET_UP) --need "$$SIM"
	@$(RUN) scripts.benchmark.throughput --sim="$$SIM" $${CODEC:+--codec="$$CODEC"} \
		$${JOBS:+--jobs="$$JOBS"} $${POINT:+$$(printf -- '--%s ' $$POINT)}

bench-codec: ## speed and size of the software codec beside other coders
	@$(SET_UP) --extra requirements-zoo.txt requirements-codecs.txt
	@$(RUN) scripts.benchmark.codec

bench-solver: ## size and time of the exact and of the paper's solver
	@$(SET_UP) --extra requirements-zoo.txt
	@$(RUN) scripts.benchmark.solver

bench-floats: ## BF16 and FP16 weights without loss, beside zipnn and zstd, into build/bench/
	@$(SET_UP) --extra requirements-zoo.txt requirements-floats.txt
	@$(RUN) scripts.benchmark.floats

report: ## footprint of every model of the zoo under every coder, into build/report/
	@$(SET_UP) --extra requirements-zoo.txt
	@$(RUN) scripts.report

synth: ## area and delay in standard cells, LUTs and MHz on an ECP5, into build/synth/
	@$(SET_UP) --need liberty $(if $(call on,$(ECP5)),--extra requirements-synth.txt)
	@$(RUN) scripts.synth $${DESIGN:+--design="$$DESIGN"} $${FO4:+--fo4="$$FO4"} \
		$${JOBS:+--jobs="$$JOBS"} $(if $(call on,$(ECP5)),,--no-ecp5)

docs: ## file lists, register map files, tables and timing diagrams, from the RTL and from simulations
	@$(SET_UP) --need "$$SIM" waves --extra requirements-docs.txt
	@$(RUN) scripts.docs --sim="$$SIM"

testplan: ## check tb/<system>/testplan.yaml against results and coverage of make test, and rtl/
	@$(SET_UP)
	@$(RUN) scripts.testplan

lint: ## Verilator, Icarus, Yosys, slang and ruff, warnings as errors
	@$(SET_UP) --need verilator icarus
	@$(RUN) scripts.lint $${JOBS:+--jobs="$$JOBS"}

wheels: ## ask the package index for every pinned package, for each Python from 3.11 to 3.14
	@$(SET_UP)
	@$(RUN) scripts.wheels

clean: ## remove everything that was built, except .venv
	@rm -rf build .hypothesis .pytest_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	@rm -rf .venv
