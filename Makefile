# Every target installs what it needs first: Python 3.11 or newer, make and PyPI are enough.
#   make demo                  the pipeline end to end, and the proof of its table
#   make demo ARGS="--rate 5"  options of the command behind a target
#   make test                  the tests
#   make soak                  ten minutes of kills, faults and reshards (ARGS="--minutes 2 --seed 7")

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

BIN       := $(VENV)/bin
INVENTORY := $(BIN)/inventory
RUNTIME   := $(VENV)/.runtime
DEVELOP   := $(VENV)/.develop
PROJECTS  := pyproject.toml services/pipes/pyproject.toml
PIP       := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help install up demo scenario produce table env provision destroy package \
        test unit integration bench bench-pipes soak lint format typecheck check lock clean

help:
	@sed -n 's/^#  *make/  make/p' Makefile
	@echo "  make up, scenario, produce, table, env, provision, destroy, package: see inventory --help"
	@echo "  make unit, integration, bench, bench-pipes, lint, format, typecheck, check, lock,"
	@echo "       clean: for developers"

install: $(RUNTIME)

up demo scenario produce table env provision destroy package: $(RUNTIME)
	@$(INVENTORY) $@ $(ARGS)

test: $(DEVELOP)
	$(BIN)/pytest --numprocesses auto $(ARGS)

unit integration: $(DEVELOP)
	$(BIN)/pytest --numprocesses auto tests/$@ $(ARGS)

bench: $(DEVELOP)
	@$(BIN)/python -m bench $(ARGS)

bench-pipes: $(DEVELOP)
	@$(BIN)/python -m bench.pipes $(ARGS)

soak: $(DEVELOP)
	@PYTHONPATH=tests $(BIN)/python -m soak $(ARGS)

lint: $(DEVELOP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEVELOP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(DEVELOP)
	$(BIN)/mypy

check: lint typecheck test

# The lock files: all versions with hashes, no addresses, the same on every Python and platform.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" $(ARGS)
lock: $(DEVELOP)
	$(BIN)/$(LOCK) $(PROJECTS) --extra embedded --extra build -o requirements.txt
	$(BIN)/$(LOCK) $(PROJECTS) --extra embedded --extra build --extra dev -c requirements.txt \
	    -o requirements-dev.txt
	$(BIN)/$(LOCK) services/lambda/requirements.in -c requirements.txt \
	    -o services/lambda/requirements.txt
	$(BIN)/$(LOCK) services/pipes/pyproject.toml -c requirements.txt \
	    -o services/pipes/requirements.txt
	$(BIN)/$(LOCK) services/producer/requirements.in -c requirements.txt \
	    -o services/producer/requirements.txt

clean:
	rm -rf $(VENV) .inventory dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …, say" >&2; exit 2; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "This Python makes no environments: install its venv module (on Debian: python3-venv)" >&2; \
	    exit 2; }

$(RUNTIME): requirements.txt $(PROJECTS) | $(BIN)/python
	@echo "Installing what it runs on …"
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable . --editable services/pipes
	@touch $@

$(DEVELOP): requirements-dev.txt $(RUNTIME)
	@echo "Installing what it is tested with …"
	@$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@
