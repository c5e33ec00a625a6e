# make run       set everything up, then open the app
# make test      set everything up, then run the tests
# make coverage  the same, measuring branch coverage, which takes twice as long
# make fast      run the tests that need no terminal, process, link, model or app
# make check     formatting, lint, types, import contracts
# make bench     what things cost, in ratios within one run
# make faults    run the tests that try faults, write the table of docs/faults.md
# make messages  find new words of the app for the translations, compile these
# make shot      draw the pictures of the README anew (needs sshd and chromium)
# make pictures  draw all screens, in all themes, to look at them: PICTURES=FOLDER
#
# All of it lives in .venv; `make clean` removes that. .ci/setup does the setting up:
#
# make run PYTHON=python3.13   with another Python than the first that is new enough
# make run LOCAL=no            without local models, which need a C++ compiler

BIN := .venv/bin
# Most tests wait for processes and terminals, so that a core serves two workers.
WORKERS ?= -n 4 --dist worksteal

# A path with a space is one word for the shell only in quotes; none is in a variable.
export PYTHON
SET_UP := .ci/setup $(if $(filter no 0 false,$(LOCAL)),--no-local)

PICTURES ?= build/pictures

.PHONY: run test coverage fast check bench faults messages shot pictures clean
.PHONY: set-up

run:
	@$(SET_UP)
	@$(BIN)/lazychat

test: set-up
	@$(BIN)/python -m pytest $(WORKERS)

coverage: set-up
	@$(BIN)/python -m pytest $(WORKERS) --cov --cov-report=term:skip-covered --cov-fail-under=93

# While one works; properties are tried with fewer examples.
fast: set-up
	@$(BIN)/python -m pytest $(WORKERS) -m "not outside" \
		--hypothesis-profile=fast

check: set-up
	@echo "Formatting ..."
	@$(BIN)/ruff format --check .
	@echo "Lint ..."
	@$(BIN)/ruff check .
	@echo "Types ..."
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@echo "Import contracts ..."
	@$(BIN)/lint-imports --no-cache
	@echo "Structure ..."
	@$(BIN)/python .ci/structure.py

bench: set-up
	@$(BIN)/python tests/bench/llama_loop.py
	@-$(BIN)/python tests/bench/local_keys.py
	@$(BIN)/python tests/bench/wire.py
	@$(BIN)/python tests/bench/ssh_link.py
	@$(BIN)/python tests/bench/store.py

faults: set-up
	@$(BIN)/python tests/fault_table.py

messages: set-up
	@$(BIN)/python tests/catalogue.py

shot: set-up
	@PYTHONPATH=tests $(BIN)/python docs/screenshot.py docs
	@PYTHONPATH=tests $(BIN)/python docs/cast.py docs/cast.svg
	@PYTHONPATH=tests $(BIN)/python docs/hangup.py docs/hangup.svg
	@PYTHONPATH=tests $(BIN)/python docs/browser.py docs/browser.png

# SCREENS="start help" draws only these.
pictures: set-up
	@PYTHONPATH=tests $(BIN)/python docs/pictures.py $(PICTURES) $(SCREENS)
	@echo "See $(PICTURES)/index.html"

clean:
	rm -rf .venv

# For the checks; 0.1 s when it is done.
set-up:
	@$(SET_UP) --dev
