# Everything a person does with this project. `make` alone lists it.
# GNU make 3.81 (macOS) is enough; the virtual environment is made when it is first needed.

PYTHON ?= python3
PY := .venv/bin/python
N ?= 20
ARGS ?=
# Hundreds of processes start: what Python has compiled is kept.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test check lint types imports fmt simulate emulate bench chaos day sizes flash deploy provision repl logs test-board release enroll token password lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp ## start the broker, the backend and two emulated boards
	@$(PY) -m tools.run $(ARGS)

test: .venv/test.stamp system lint types imports ## everything CI runs: checks and all tests
	@$(PY) -m pytest -n 5 $(ARGS)

check: lint types imports ## the quick checks: lint, types, import rules, dialect
	@$(PY) -m pytest -q --durations=0 tests/test_rules.py

fmt: .venv/test.stamp ## put the code into its format
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

simulate: .venv/test.stamp ## the long deterministic simulation
	@$(PY) -m tools.simulate $(ARGS)

emulate: .venv/run.stamp ## start broker, backend and N emulated boards (N=20)
	@$(PY) -m tools.run -n $(N) $(ARGS)

bench: .venv/run.stamp ## measure this machine
	@$(PY) -m tools.bench $(ARGS)

chaos: .venv/test.stamp ## the long run of kills, power cuts and broken links
	@$(PY) -m tools.chaos $(ARGS)

day: .venv/test.stamp ## 24 hours of one board, its quiet hours skipped, a fault each minute
	@$(PY) -m tools.day $(ARGS)

sizes: .venv/run.stamp ## how large each file of the firmware is, and its budget (ARGS=board)
	@$(PY) -m tools.sizes $(ARGS)

flash: .venv/run.stamp ## write MicroPython onto a board (BOARD=ESP32_GENERIC PORT=/dev/ttyUSB0)
	@$(PY) -m tools.flash "$(BOARD)" --port "$(PORT)" $(if $(IMAGE),--image "$(IMAGE)") $(ARGS)

provision: .venv/run.stamp ## tell a board who it is (BOARD= PORT= ID=pond-1); asks for the rest
	@$(PY) -m tools.provision "$(BOARD)" --port "$(PORT)" --id "$(ID)" $(ARGS)

logs: .venv/run.stamp ## follow a board's console (PORT=; ARGS=--errors: first those on its flash)
	@$(PY) -m tools.logs --port "$(PORT)" $(ARGS)

test-board: .venv/run.stamp ## run the firmware's tests on a board that is plugged in (PORT=)
	@$(PY) -m tools.board_tests --port "$(PORT)" $(ARGS)
deploy: .venv/run.stamp ## put the firmware on a board (BOARD=UNIX PORT=/dev/ttyUSB0)
	@$(PY) -m tools.deploy $(BOARD) $(PORT) $(ARGS)

release: .venv/run.stamp ## make a release that boards can fetch (BOARD=UNIX OUT=folder)
	@$(PY) -m tools.release $(BOARD) $(OUT) $(ARGS)

repl: .venv/run.stamp ## a prompt on a board (PORT=/dev/ttyUSB0)
	@$(PY) -m mpremote $(if $(PORT),connect $(PORT)) repl

enroll: .venv/run.stamp ## make a board known (BOARD=pond-9); prints its key and password
	@$(PY) -m backend enroll $(BOARD) $(ARGS)

token: .venv/run.stamp ## make a bearer token for a program (NAME=script)
	@$(PY) -m backend token $(NAME) $(ARGS)

password: .venv/run.stamp ## set a new password for the administrator
	@$(PY) -m backend password $(ARGS)

lock: .venv/run.stamp ## renew the lock files from pyproject.toml (ARGS=--upgrade)
	@$(PY) -m tools.lock $(ARGS)

clean: ## remove what can be made again; the data in var/ stays
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: system
system: .venv/test.stamp
	@$(PY) -m tools.check_system

lint: .venv/test.stamp
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: .venv/test.stamp .venv/stubs.stamp
	@$(PY) -m mypy
	@$(PY) -m mypy --config-file firmware/mypy.ini

imports: .venv/test.stamp
	@PYTHONPATH=firmware .venv/bin/lint-imports --no-logo

.venv/run.stamp: requirements.lock pyproject.toml tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py requirements.lock
	@touch $@

.venv/test.stamp: requirements-test.lock pyproject.toml tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py requirements-test.lock
	@touch $@

.venv/stubs.stamp: requirements-stubs.lock tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py requirements-stubs.lock .venv/stubs
	@touch $@
