# What a person or CI does in this repository. Every target sets itself up in .venv; the machine
# needs Python 3.11 or later and make, nothing else. Choose another interpreter with PYTHON=...

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SETUP_LOG := $(VENV)/setup.log

CORE_SOURCES := $(wildcard vm_evm/vessel_evm/core/*.[ch] vm_evm/vessel_evm/engine/precompiles/c/*.[ch])
CORE := vm_evm/vessel_evm/core/core.wasm

# Passed on by run, demo and test: make test ARGS="tests/unit -k header"
ARGS ?=
# Processes of `make test` when ARGS does not say otherwise.
JOBS ?= 2

.PHONY: help run demo test check bench conformance fuzz core proto contracts clean
.DEFAULT_GOAL := help

help:
	@echo "make run        start a node                     (ARGS go to 'vessel run')"
	@echo "make demo       a chain, a contract and a call, start to finish"
	@echo "make test       every test                       (ARGS go to pytest)"
	@echo "make check      lint, format, types and the rules of the house"
	@echo "make bench      every benchmark in bench/"
	@echo "make conformance  Ethereum's state tests, all of them (VESSEL_CONFORMANCE names the data)"
	@echo "make fuzz       random programs: our EVM against the specification (VESSEL_EELS names its venv)"
	@echo "make core       compile the EVM core to WebAssembly"
	@echo "make proto      write the protobuf code anew from proto/"
	@echo "make contracts  build the sample contracts anew  (needs npm)"
	@echo "make clean      remove .venv, caches and build output; chain data stays"

run: $(INSTALLED) $(CORE)
	@$(BIN)/vessel run $(ARGS)

demo: $(INSTALLED) $(CORE)
	@$(BIN)/vessel demo $(ARGS)

# loadgroup: tests that share a fixed port or another single thing carry the mark `xdist_group`.
test: $(INSTALLED) $(CORE)
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),-n $(JOBS) --dist loadgroup -q)
	@echo "test: ok"

# The documents' examples are run by `make test`: they start nodes and are no matter of seconds.
check: $(INSTALLED) $(CORE)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { \
		echo "check: format differs in:"; $(BIN)/ruff format --check . | sed -n 's/^Would reformat: /  /p'; \
		echo "check: mend it with '$(BIN)/ruff format .'"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest -q tests/hygiene --deselect tests/hygiene/test_documents.py::test_examples_run
	@echo "check: ok"

bench: $(INSTALLED) $(CORE)
	@set -e; for file in bench/*.py; do \
		[ -e "$$file" ] || { echo "bench: there is no benchmark in bench/ yet"; continue; }; \
		echo "== $$file"; $(BIN)/python "$$file" || { echo "bench: $$file failed"; exit 1; }; \
	done
	@echo "bench: ok"

conformance: $(INSTALLED) $(CORE)
	@$(BIN)/python tests/conformance/evm/run.py --engine core -j $(JOBS) $(ARGS)

fuzz: $(INSTALLED) $(CORE)
	@$(BIN)/python tests/fuzz/evm/run.py --right specification --fork osaka --seconds 600 $(ARGS)

core: $(INSTALLED)
	@$(BIN)/python hatch_build.py
	@echo "core: ok"

# The installation compiles it first; from then on whoever changes the sources need not think of it.
$(CORE): $(CORE_SOURCES) hatch_build.py | $(INSTALLED)
	@echo "setup: compiling the EVM core"
	@$(BIN)/python hatch_build.py >/dev/null
	@touch $(CORE)

proto: $(INSTALLED)
	@$(BIN)/python proto/generate.py
	@echo "proto: ok"

contracts: $(INSTALLED)
	@command -v npm >/dev/null || { \
		echo "contracts: the Solidity compiler comes by npm, which is not here; on Debian: apt-get install npm"; exit 1; }
	@cd contracts && npm ci --silent --no-audit --no-fund
	@$(BIN)/python contracts/build.py
	@echo "contracts: ok"

clean:
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov dist build contracts/node_modules
	@find platform proto vm_* tests bench contracts -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "clean: ok"

# 3.12, 3.11 and 3.13 come first: every pinned dependency has a wheel for them, so no compiler is needed.
$(BIN)/python:
	@found=""; lacking=""; \
	for python in $(or $(PYTHON),python3.12 python3.11 python3.13 python3 python python3.14); do \
		command -v "$$python" >/dev/null 2>&1 || continue; \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { lacking="$${lacking:-$$python}"; continue; }; \
		found="$$python"; break; \
	done; \
	if [ -z "$$found" ] && [ -n "$$lacking" ]; then \
		version=$$("$$lacking" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "setup: $$lacking cannot make a virtual environment: its venv or ensurepip is missing." >&2; \
		echo "setup: on Debian and Ubuntu: apt-get install python$$version-venv" >&2; exit 1; \
	fi; \
	if [ -z "$$found" ]; then \
		echo "setup: there is no Python 3.11 or later here$(if $(PYTHON), by the name $(PYTHON));" \
			"python3 is $$(python3 --version 2>/dev/null || echo missing)." >&2; \
		echo "setup: on Debian and Ubuntu: apt-get install python3 python3-venv; or name another: make PYTHON=..." >&2; exit 1; \
	fi; \
	echo "setup: making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "setup: installing into $(VENV); the first time takes a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' >$(SETUP_LOG) 2>&1 || { \
		tail -n 30 $(SETUP_LOG) | cut -c 1-300 >&2; \
		echo "setup: the installation failed; all of it is in $(SETUP_LOG)" >&2; exit 1; }
	@touch $@
