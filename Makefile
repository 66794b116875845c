# The commands of everyday work; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run dev test test-all test-postgres lint format docs lock bench bench-quick clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(INSTALLED) ## Start a local Invoiced, replicate it into data/demo.duckdb, show what arrived
	@INVOICED_CONFIG=demo.toml $(BIN)/invoiced-pipeline demo

dev: $(INSTALLED) ## Start a local Invoiced and Dagster's UI on http://localhost:3000
	@trap 'kill $$emulator 2>/dev/null' EXIT; \
	$(BIN)/invoiced-pipeline emulator --database data/emulator.sqlite & emulator=$$!; \
	INVOICED_CONFIG=demo.toml DAGSTER_HOME=$(CURDIR) $(BIN)/dagster dev

test: $(INSTALLED) ## Run the tests
	@$(BIN)/python -m pytest -n auto $(ARGS)

test-all: $(INSTALLED) ## Run all tests, the slow ones too
	@$(BIN)/python -m pytest -n auto --slow $(ARGS)

TESTS := invoiced_pipeline_tests
OF_A_WAREHOUSE := $(addprefix $(TESTS)/,change commands defs replication warehouse writeback \
	test_cli.py test_crash.py test_crash_on_a_server.py test_faults.py test_several_connections.py)

test-postgres: $(INSTALLED) ## Run all tests that touch a warehouse on PostgreSQL
	@$(BIN)/python -m pytest -n auto --slow --warehouse postgres $(OF_A_WAREHOUSE) $(ARGS)

lint: $(INSTALLED) ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright --pythonpath $(BIN)/python

format: $(INSTALLED) ## Mend style
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs: $(INSTALLED) ## Make docs/settings.md and docs/cli.md from the code
	@$(BIN)/python -m invoiced_pipeline.settings.reference
	@$(BIN)/python -m invoiced_pipeline.commands.reference

lock: $(INSTALLED) ## Compile the lock files anew
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-header --no-emit-index-url --quiet --upgrade -o requirements.lock
	@for name in tap target plot; do \
		$(BIN)/uv pip compile benchmarks/$$name.in --universal --python-version 3.11 \
			--generate-hashes --no-header --no-emit-index-url --quiet --upgrade -o benchmarks/$$name.lock; \
	done

# The engines that we are compared with, and the plot, have environments of their own.
BENCH_ENVIRONMENTS := $(foreach name,tap target plot,.venv-$(name)/.installed)

$(BENCH_ENVIRONMENTS): .venv-%/.installed: benchmarks/%.lock
	@echo "Installing into .venv-$* (once) ..."
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench: $(INSTALLED) $(BENCH_ENVIRONMENTS) ## Measure beside tap-invoiced | target-duckdb, into benchmarks/results.md (ARGS=--help)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(INSTALLED) $(BENCH_ENVIRONMENTS) ## The same over a small account, in about two minutes
	@$(BIN)/python -m benchmarks --quick $(ARGS)

clean: ## Remove the environments and everything under data/
	@rm -rf $(VENV) .venv-* .pytest_cache .ruff_cache .hypothesis && find data -mindepth 1 ! -name .gitkeep -delete
