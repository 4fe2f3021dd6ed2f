# Every target sets up what it needs; all that is wanted is Python 3.11 or newer.
#   make PYTHON=python3.13 setup     another interpreter
#   make demo DEMO_FLAGS=--once      flags for the command behind a target

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two workers more than there are cores, since many tests wait for real servers, and no more than four:
# each that meets a PostgreSQL test starts a server.
# A file's tests share a worker, and begin in the order of tests/conftest.py.
CORES := $(shell getconf _NPROCESSORS_ONLN)
PYTEST_WORKERS ?= -n $(shell expr $(CORES) + 2) --maxprocesses=4 --dist=loadgroup --no-loadscope-reorder
PYTEST_FLAGS ?=
DEMO_FLAGS ?=
MODELMON_FUZZ_SEED ?= 0
MODELMON_FUZZ_MUTANTS ?= 10000

# Tests start Python hundreds of times, and where it may not keep what it compiled it compiles all of it each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo governance-demo programs compiled test test-fast fuzz lowest lint fmt bench bench-full bench-alarms bench-alarms-full bench-bias bench-slices bench-scrape dashboards golden wheel-test image-test lock clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamps make repeated calls quick; a changed pyproject.toml installs again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("modelmon needs Python 3.11 or newer, and $(PYTHON) is %d.%d: make PYTHON=python3.13 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: pyproject.toml | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# uv takes a sixth of pip's time, and does not read pip's settings: where it finds no index, pip does it.
# Dependency groups (PEP 735) need pip 25.1; a new environment has the pip of its Python.
INSTALL = $(BIN)/python -m pip install --quiet uv && $(BIN)/python -m uv pip install --quiet --python $(BIN)/python
$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	@$(BIN)/python -m pip install --help | grep -q -e '--group' || $(BIN)/python -m pip install --quiet --upgrade pip
	$(INSTALL) --editable . --group dev || $(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.dev  ## Make .venv with everything a developer needs

demo: $(VENV)/.runtime  ## Watch a real model drift, then serve its metrics until Ctrl-C
	@$(BIN)/modelmon demo $(DEMO_FLAGS)

governance-demo: $(VENV)/.dev  ## Watch a model lose its authority: fifteen checks, with a real MLflow and Prometheus (three minutes)
	@$(BIN)/python -m tests.governance_demo $(DEMO_FLAGS)

programs:  ## Install the programs that some tests run for real
	@tests/debian-packages.sh

# Every worker finds all tests. Each would compile all that they import, three times as long as the rest.
compiled: $(VENV)/.dev  ## Find the tests once, so that Python keeps what it compiles for them
	@$(BIN)/python -m pytest --collect-only -qq >$(VENV)/.found || { tail -n 60 $(VENV)/.found; exit 1; }

test: $(VENV)/.dev programs  ## Run every test, the slow ones too
	$(BIN)/python -m pytest $(PYTEST_WORKERS) $(PYTEST_FLAGS)

test-fast: $(VENV)/.dev  ## Run the tests that need no database server, process or many examples
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_WORKERS) $(PYTEST_FLAGS)

fuzz: $(VENV)/.dev  ## Try 10,000 damaged files and many more hostile tables (minutes)
	MODELMON_FUZZ=1 MODELMON_FUZZ_SEED=$(MODELMON_FUZZ_SEED) MODELMON_FUZZ_MUTANTS=$(MODELMON_FUZZ_MUTANTS) $(BIN)/python -m pytest tests/fuzz -rP $(PYTEST_WORKERS) $(PYTEST_FLAGS)

lowest: $(VENV)/.dev  ## Run the fast tests on the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear build/lowest
	$(BIN)/python -m uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct --editable . --group test
	build/lowest/bin/python -m pytest -m "not slow"

lint: $(VENV)/.dev  ## Check style, types, layers, spelling and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/hadolint Dockerfile

fmt: $(VENV)/.dev  ## Format the code and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.runtime  ## Compare speed and memory with other tools: some minutes
	$(BIN)/python -m benchmarks.run

bench-full: $(VENV)/.runtime  ## The same on millions of rows: an hour
	$(BIN)/python -m benchmarks.run --full

bench-alarms: $(VENV)/.runtime  ## Count false alarms and delays beside other tools: under an hour
	$(BIN)/python -m benchmarks.alarms.run

bench-alarms-full: $(VENV)/.runtime  ## The same with up to ten times the runs: hours
	$(BIN)/python -m benchmarks.alarms.run --full

bench-bias: $(VENV)/.runtime  ## Count how often equal groups are called unequal, beside other tools
	$(BIN)/python -m benchmarks.bias.run

bench-slices: $(VENV)/.runtime  ## Measure what segments and the scan of their pairs cost
	$(BIN)/python -m benchmarks.slices

bench-scrape: $(VENV)/.runtime  ## Render large fleets and let a real Prometheus scrape one
	$(BIN)/python -m benchmarks.scrape --full

golden: $(VENV)/.dev  ## Rewrite the golden files and show what changed
	$(BIN)/python -m pytest --rewrite-golden
	git --no-pager diff --stat -- tests/golden docs/reference

dashboards: $(VENV)/.dev  ## Write the Grafana dashboards from their code and show what changed
	$(BIN)/python -W "ignore:Prefer using dashboardv2:DeprecationWarning" -m dashboards.boards
	git --no-pager diff --stat -- dashboards/grafana

wheel-test: $(VENV)/.dev  ## Build the wheel and run it in an empty environment
	PYTHON=$(BIN)/python tests/wheel.sh

image-test:  ## Build the image and run it confined, without a container engine (root on Debian; minutes)
	deploy/container/try.sh

lock: $(VENV)/.dev  ## Pin what the container image installs, with hashes
	$(BIN)/python -m uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --extra postgres --output-file requirements.lock pyproject.toml
	$(BIN)/python -m uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --python-version 3.11 --output-file requirements-build.lock requirements-build.in

clean:  ## Remove the environment, caches and build output
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
