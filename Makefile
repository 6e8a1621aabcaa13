# Every target installs what it needs first. You need Python 3.11 or newer, make and PyPI.
#   make demo                  run the pipeline once and check the resulting table
#   make up                    run the pipeline until Ctrl+C, with a dashboard
#   make demo ARGS="--rate 5"  pass options to the command behind a target
#   make test                  all tests (ARGS="-x -k redrive": pytest options)
#   make unit                  the tests without servers
#   make integration           the tests with servers, of one part each
#   make test-browser          the tests of the dashboard in Chromium
#   make trials                long tests with faults (ARGS=trials/faults: some)
#   make fuzz                  the property tests, longer (FUZZ=50: much longer)
#   make long-run              100,000 events with faults, then inventory verify
#   make soak                  ten minutes of faults (ARGS="--minutes 2 --seed 7")
#   make aws-smoke             deploy to AWS, send 100 events, verify, destroy
#   make pictures              make docs/pictures again, with Chromium
#
# On LocalStack, with Docker and Compose v2 (settings: see .env.example):
#   make up TARGET=localstack  build and start the containers, wait for them
#   make logs, ps              show logs (ARGS=producer: of one), list containers
#   make down                  stop the containers (ARGS=-v: delete their data)
#   make images                build the images
#   make test-containers       the tests in containers

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
TARGET ?=
export TARGET
# Where it is set, Python keeps no bytecode: each process that a test starts compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE
# A make that a test starts would take the options of this one.
unexport ARGS

BIN       := $(VENV)/bin
INVENTORY := $(BIN)/inventory
RUNTIME   := $(VENV)/.runtime
DASHBOARD := $(VENV)/.dashboard
DEVELOP   := $(VENV)/.develop
PROJECTS  := pyproject.toml services/pipes/pyproject.toml
COMMANDS  := demo scenario produce table verify rejected dead-letters redrive audit env plan \
             deploy destroy package
PIP       := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help install up $(COMMANDS) aws-smoke \
        docker down logs ps images test test-browser test-containers trials docs-check \
        fuzz unit integration \
        bench bench-pipes bench-function bench-simulation pictures long-run soak lint format \
        typecheck check lock clean

help:
	@sed -n -e 's/^#  *make/  make/p' -e 's/^# On LocalStack/On LocalStack/p' Makefile
	@echo "Each command has a target too (make table ARGS=--help describes one):"
	@echo "  make scenario, produce, table, verify, rejected, dead-letters, redrive,"
	@echo "       audit, env, plan, deploy, destroy, package"
	@echo "For developers:"
	@echo "  make bench, bench-pipes, bench-function, bench-simulation, lint, format,"
	@echo "       typecheck, check, docs-check, lock, install, clean"

# Messages then say `make table` in place of `inventory table`.
up $(COMMANDS): export INVENTORY_CALLED_BY := make

install: $(RUNTIME)

$(COMMANDS): $(RUNTIME)
	@$(INVENTORY) $@ $(ARGS)

# A stage of its own, which is destroyed whatever happens. `deploy` asks first, without ARGS=--yes.
aws-smoke: export TARGET := aws
aws-smoke: $(RUNTIME)
	@export STAGE=smoke-$$$$; trap '$(INVENTORY) destroy --yes' EXIT; set -e; \
	$(INVENTORY) deploy $(ARGS); \
	$(INVENTORY) produce --count 100 --rate 50 --output text; \
	$(INVENTORY) verify; \
	echo "In units, at most: 2 shard-hours, 100 records, 100 invocations of each function," \
	    "400 write request units, an hour of 5 alarms and 1 dashboard."

ifeq ($(TARGET),localstack)
up: docker
	@trap 'echo; echo "Stopped waiting. What was started still runs in Docker: make ps lists it,"; \
	    echo "make down stops it."; exit 130' INT TERM; \
	docker compose up --build --detach --wait $(ARGS) || { code=$$?; \
	    docker compose logs --no-log-prefix deployer >&2; \
	    echo "This failed. If a port is in use, set LOCALSTACK_PORT, PIPES_PORT or DASHBOARD_PORT." >&2; \
	    echo "make logs shows the logs of what was started, make down stops it." >&2; \
	    exit $$code; }
	@echo "All containers are healthy, and the producer sends events."
	@echo "  make logs                     shows the events"
	@echo "  make table TARGET=localstack  prints the rows"
	@echo "  make down                     stops the containers"
else
up: $(DASHBOARD)
	@$(INVENTORY) $@ $(ARGS)
endif

down logs ps images: docker
	docker compose $(COMMAND) $(ARGS)
down:   COMMAND := down --remove-orphans
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
	    trials/docs $(ARGS)

fuzz: $(DEVELOP)
	FUZZ=$(or $(FUZZ),1) $(PYTEST) -m hypothesis --timeout 600 tests services/pipes/tests \
	    trials/fuzzing/test_large_input.py $(ARGS)

unit: $(DEVELOP)
	$(PYTEST) tests/unit services/pipes/tests/unit $(ARGS)

integration: $(DEVELOP)
	$(PYTEST) tests/integration $(ARGS)

bench: $(DEVELOP)
	@$(BIN)/python -m bench $(ARGS)

bench-pipes: $(DEVELOP)
	@$(BIN)/python -m bench.pipes $(ARGS)

bench-function: $(DEVELOP)
	@$(BIN)/python -m bench.function_cost $(ARGS)

bench-simulation: $(DEVELOP)
	@$(BIN)/python -m bench.simulation $(ARGS)

pictures: $(DEVELOP)
	REQUIRE_BROWSER=1 $(BIN)/pytest tests/browser/pictures.py $(ARGS)

long-run: $(DEVELOP)
	@PYTHONPATH=tests/support:trials $(BIN)/python -m long_run $(ARGS)

soak: $(DEVELOP)
	@PYTHONPATH=tests/support:trials $(BIN)/python -m soak $(ARGS)

lint: $(DEVELOP)
	$(BIN)/ruff check $(or $(ARGS),.)
	$(BIN)/ruff format --check $(or $(ARGS),.)
	$(BIN)/lint-imports

format: $(DEVELOP)
	$(BIN)/ruff check --fix $(or $(ARGS),.)
	$(BIN)/ruff format $(or $(ARGS),.)

typecheck: $(DEVELOP)
	$(BIN)/mypy $(ARGS)

# ARGS are those of the tests.
check:
	@$(MAKE) --no-print-directory lint typecheck ARGS=
	@$(MAKE) --no-print-directory test

# The lock files: all versions with hashes, no addresses, the same on every Python and platform.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" $(ARGS)
lock: $(DEVELOP)
	$(BIN)/$(LOCK) $(PROJECTS) --extra embedded --extra build -o requirements.txt
	$(BIN)/$(LOCK) $(PROJECTS) --extra dashboard -c requirements.txt \
	    -o services/dashboard/requirements.txt
	$(BIN)/$(LOCK) $(PROJECTS) --extra embedded --extra build --extra dashboard --extra dev \
	    -c requirements.txt -c services/dashboard/requirements.txt -o requirements-dev.txt
	$(BIN)/$(LOCK) $(PROJECTS) --extra build -c requirements.txt -o cli/requirements.txt
	$(BIN)/$(LOCK) init/deploy/function-requirements.in -c requirements.txt \
	    -o init/deploy/function-requirements.txt
	$(BIN)/$(LOCK) services/pipes/pyproject.toml -c requirements.txt \
	    -o services/pipes/requirements.txt
	$(BIN)/$(LOCK) services/producer/requirements.in -c requirements.txt \
	    -o services/producer/requirements.txt
	echo 'awscli>=1.46' | $(BIN)/$(LOCK) - -o trials/docs/aws-requirements.txt

clean:
	rm -rf $(VENV) .inventory dist .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or newer is needed. Choose one: make PYTHON=python3.12 …" >&2; exit 2; }
	@test -w . || { echo "$(CURDIR) is read-only, but make installs into it. Copy it to a folder" \
	    "that you can write to." >&2; exit 2; }
	@echo "Creating $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "This Python cannot create an environment. Install its venv module (on Debian:" \
	    "python3-venv)." >&2; exit 2; }

$(RUNTIME): requirements.txt $(PROJECTS) | $(BIN)/python
	@echo "Installing the pipeline (about half a minute, once) …" >&2
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable . --editable services/pipes
	@touch $@

$(DASHBOARD): services/dashboard/requirements.txt $(RUNTIME)
	@echo "Installing the dashboard (about half a minute, once) …" >&2
	@$(PIP) --require-hashes --requirement services/dashboard/requirements.txt
	@touch $@

$(DEVELOP): requirements-dev.txt $(RUNTIME)
	@echo "Installing the tools for tests and checks (about a minute, once) …" >&2
	@$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@
