# Every target installs what it needs first: Python 3.11 or newer, make and PyPI are enough.
#   make demo                  the pipeline end to end, and the proof of its table
#   make demo ARGS="--rate 5"  options of the command behind a target
#   make test                  the tests (ARGS="-x -k redrive": options of pytest)
#   make test-browser          the dashboard in Chromium
#   make trials                what takes minutes: faults, kills, a simulation (ARGS=trials/faults)
#   make fuzz                  the property tests with ten times as many examples (FUZZ=50: more)
#   make long-run              100,000 events, many of them bad, two kills and a reshard, then verify
#   make cloudformation        a template of all resources in dist/, and the zip that it deploys
#   make pictures              make docs/pictures again, from a running stack and Chromium
#   make soak                  ten minutes of kills, faults and reshards (ARGS="--minutes 2 --seed 7")
#
# On LocalStack, with Docker and Compose v2; settings are in .env (see .env.example):
#   make up TARGET=localstack  build the images, start the containers, wait until all is well
#   make logs, ps              what they say (ARGS=producer: one of them); which there are
#   make down                  stop them (ARGS=-v forgets what they hold as well)
#   make images                build the images
#   make test-containers       the tests in containers

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
TARGET ?=
export TARGET
# Where it is set, Python keeps no bytecode: each process that a test starts compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE

BIN       := $(VENV)/bin
INVENTORY := $(BIN)/inventory
RUNTIME   := $(VENV)/.runtime
DASHBOARD := $(VENV)/.dashboard
DEVELOP   := $(VENV)/.develop
PROJECTS  := pyproject.toml services/pipes/pyproject.toml
PIP       := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help install up demo scenario produce table verify rejected dead-letters redrive audit \
        env plan provision destroy package cloudformation permissions \
        docker down logs ps images test test-browser test-containers trials docs-check fuzz unit integration \
        bench bench-pipes bench-function bench-simulation pictures long-run soak lint format \
        typecheck check lock clean

help:
	@sed -n -e 's/^#  *make/  make/p' -e 's/^# On LocalStack/On LocalStack/p' Makefile
	@echo "  make up, scenario, produce, table, verify, rejected, dead-letters, redrive, audit, env,"
	@echo "       plan, provision, destroy, package: see inventory --help"
	@echo "  make unit, integration, bench, bench-pipes, bench-function, bench-simulation, lint,"
	@echo "       format, typecheck, check, lock, permissions, clean: for developers"

install: $(RUNTIME)

cloudformation: $(RUNTIME)
	@$(INVENTORY) export $@ --output dist/inventory.yaml $(ARGS)

permissions: $(RUNTIME)
	@$(INVENTORY) export policies --account 123456789012 --region us-east-1 --output docs/policies
	@$(INVENTORY) export permissions docs/permissions.md

demo scenario produce table verify rejected dead-letters redrive audit env plan provision destroy \
package: $(RUNTIME)
	@$(INVENTORY) $@ $(ARGS)

ifeq ($(TARGET),localstack)
up: docker
	docker compose up --build --detach --wait $(ARGS)
	@echo "All is well, and events flow. make logs follows them, make table TARGET=localstack shows"
	@echo "the rows, make down stops it all."
else
up: $(DASHBOARD)
	@$(INVENTORY) $@ $(ARGS)
endif

down logs ps images: docker
	docker compose $(COMMAND) $(ARGS)
down:   COMMAND := down
logs:   COMMAND := logs --follow
ps:     COMMAND := ps --all
images: COMMAND := build

docker:
	@command -v docker >/dev/null || { \
	    echo "Docker is not installed: https://docs.docker.com/get-started/get-docker/" >&2; exit 2; }
	@docker compose version >/dev/null 2>&1 || { \
	    echo "Docker has no Compose v2: https://docs.docker.com/compose/install/" >&2; exit 2; }

# The tests of a file share servers, so one worker runs them all. The files keep the order of
# testpaths in pyproject.toml; without the last option those with many tests would come first.
PYTEST := $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test: $(DEVELOP)
	$(PYTEST) $(ARGS)

test-containers: $(DEVELOP) docker
	REQUIRE_DOCKER=1 $(PYTEST) tests/containers $(ARGS)

test-browser: $(DEVELOP)
	REQUIRE_BROWSER=1 $(PYTEST) tests/browser $(ARGS)

trials: $(DEVELOP)
	$(BIN)/pytest --numprocesses auto --dist worksteal --timeout 300 \
	    $(if $(filter trials%,$(ARGS)),,trials) $(ARGS)

docs-check: $(DEVELOP)
	$(BIN)/pytest --numprocesses auto --timeout 600 tests/unit/docs \
	    trials/test_commands_in_the_docs.py $(ARGS)

fuzz: $(DEVELOP)
	FUZZ=$(or $(FUZZ),1) $(PYTEST) -m hypothesis --timeout 600 tests $(ARGS)

unit integration: $(DEVELOP)
	$(PYTEST) tests/$@ $(ARGS)

bench: $(DEVELOP)
	@$(BIN)/python -m bench $(ARGS)

bench-pipes: $(DEVELOP)
	@$(BIN)/python -m bench.pipes $(ARGS)

bench-function: $(DEVELOP)
	@$(BIN)/python -m bench.function_cost $(ARGS)

bench-simulation: $(DEVELOP)
	@$(BIN)/python -m bench.simulation $(ARGS)

pictures: $(DEVELOP)
	@$(BIN)/python -m pictures $(ARGS)

long-run: $(DEVELOP)
	@PYTHONPATH=tests:trials $(BIN)/python -m long_run $(ARGS)

soak: $(DEVELOP)
	@PYTHONPATH=tests:trials $(BIN)/python -m soak $(ARGS)

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
	$(BIN)/$(LOCK) $(PROJECTS) --extra dashboard -c requirements.txt \
	    -o services/dashboard/requirements.txt
	$(BIN)/$(LOCK) $(PROJECTS) --extra embedded --extra build --extra dashboard --extra dev \
	    -c requirements.txt -c services/dashboard/requirements.txt -o requirements-dev.txt
	$(BIN)/$(LOCK) services/lambda/requirements.in -c requirements.txt \
	    -o services/lambda/requirements.txt
	$(BIN)/$(LOCK) services/pipes/pyproject.toml -c requirements.txt \
	    -o services/pipes/requirements.txt
	$(BIN)/$(LOCK) services/producer/requirements.in -c requirements.txt \
	    -o services/producer/requirements.txt
	echo 'awscli>=1.46' | $(BIN)/$(LOCK) - -o trials/aws-requirements.txt

clean:
	rm -rf $(VENV) .inventory dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …, say" >&2; exit 2; }
	@test -w . || { echo "$(CURDIR) cannot be written to, and what this runs on is installed into it:" \
	    "copy it to where you may write" >&2; exit 2; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "This Python makes no environments: install its venv module (on Debian: python3-venv)" >&2; \
	    exit 2; }

$(RUNTIME): requirements.txt $(PROJECTS) | $(BIN)/python
	@echo "Installing what it runs on …"
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable . --editable services/pipes
	@touch $@

$(DASHBOARD): services/dashboard/requirements.txt $(RUNTIME)
	@echo "Installing what shows it …"
	@$(PIP) --require-hashes --requirement services/dashboard/requirements.txt
	@touch $@

$(DEVELOP): requirements-dev.txt $(RUNTIME)
	@echo "Installing what it is tested with (about a minute, once) …"
	@$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@
