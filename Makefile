# make run     set everything up, then open the app
# make test    set everything up, then run the tests
# make again   run the tests that have failed once more
# make check   formatting, lint, types, import contracts
# make bench   what things cost, in ratios within one run
# make faults  run the tests that try faults, write the table of docs/faults.md
# make shot    draw the pictures of the README anew (needs an sshd)
#
# All of it lives in .venv; `make clean` removes that.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Most tests wait for processes and terminals, so that a core serves two workers.
WORKERS ?= -n 4 --dist worksteal

# llama.cpp without what a chat does not need: 1m48 instead of 4m30 on two cores.
# A plain -DLLAMA_BUILD_COMMON=OFF is overridden by the wrapper's own CMakeLists.
LEAN   := $(VENV)/lean.cmake
export CMAKE_ARGS ?= -DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama.cpp_INCLUDE=$(CURDIR)/$(LEAN)

.PHONY: run test again check bench faults shot clean

run: $(VENV)/.run
	@$(BIN)/lazychat

test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(WORKERS) --cov --cov-report=term:skip-covered --cov-fail-under=93

# Those that have failed once more, without coverage; exit code 5 when none has.
again: $(VENV)/.dev
	@$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

check: $(VENV)/.dev
	@echo "Formatting ..."
	@$(BIN)/ruff format --check .
	@echo "Lint ..."
	@$(BIN)/ruff check .
	@echo "Types ..."
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@echo "Import contracts ..."
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	@$(BIN)/python tests/bench/llama_loop.py
	@$(BIN)/python tests/bench/wire.py
	@$(BIN)/python tests/bench/ssh_link.py
	@$(BIN)/python tests/bench/store.py

faults: $(VENV)/.dev
	@$(BIN)/python tests/fault_table.py

shot: $(VENV)/.dev
	@$(BIN)/python docs/screenshot.py docs/lazychat.svg
	@PYTHONPATH=tests $(BIN)/python docs/hangup.py docs/hangup.svg

clean:
	rm -rf $(VENV)

$(VENV)/.venv:
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lazychat needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv $(VENV)
	@printf 'set(LLAMA_BUILD_COMMON OFF)\n' > $(LEAN)
	@touch $@

# By itself and first: the slow part, and the one that can fail for want of a compiler.
$(VENV)/.llama: $(VENV)/.venv
	@echo "Building llama.cpp; about two minutes on two cores, once ..."
	@$(PIP) install --quiet 'llama-cpp-python>=0.3.36' || { echo "llama.cpp could not be built: is a C++ compiler installed? (Debian: apt install g++)"; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.llama pyproject.toml
	@echo "Installing lazychat and the starter model (about 100 MB) ..."
	@$(PIP) install --quiet --editable '.[local]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "Installing what the checks need ..."
	@$(PIP) install --quiet --editable '.[local,dev]'
	@touch $@
