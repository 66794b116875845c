# The commands of everyday work; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEVELOPMENT := $(VENV)/.development

# Compiled once, for all processes of the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run dev test test-all test-postgres test-browser screenshots lint format docs lock \
	bench bench-quick scale charts clean clean-data

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# Only what a run needs; the first command that needs developers' tools adds them.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PYTHON) install.py $(BIN)/python requirements.lock
	@touch $@

$(DEVELOPMENT): $(INSTALLED) requirements-dev.lock
	@echo "Installing the developers' tools into $(VENV) (once) ..."
	@$(PYTHON) install.py $(BIN)/python requirements-dev.lock
	@touch $@

run: $(INSTALLED) ## Start a local Invoiced, replicate it into data/demo/warehouse.duckdb, show rows and a report
	@INVOICED_CONFIG=demo.toml $(BIN)/invoiced-pipeline demo

dev: $(INSTALLED) ## Start a local Invoiced and Dagster's UI on http://localhost:3000
	@mkdir -p data/demo; trap 'kill $$emulator 2>/dev/null' EXIT; \
	$(BIN)/invoiced-pipeline emulator --database data/demo/emulator.sqlite & emulator=$$!; \
	INVOICED_CONFIG=demo.toml $(BIN)/invoiced-pipeline ui

# The tap pins packages that the project needs newer; it runs as a process of its own anyway.
TAP := .venv-tap/.installed

test: $(DEVELOPMENT) $(TAP) ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-all: $(DEVELOPMENT) $(TAP) .venv-target/.installed ## Run all tests, including the slow ones
	@$(BIN)/python -m pytest -n auto --dist worksteal --slow --everywhere $(ARGS)

TESTS := invoiced_pipeline_tests
OF_A_WAREHOUSE := $(addprefix $(TESTS)/,change commands defs replication warehouse writeback \
	test_cli.py test_crash.py test_crash_on_a_server.py test_faults.py test_several_connections.py)

test-postgres: $(DEVELOPMENT) $(TAP) ## Run all tests that touch a warehouse on PostgreSQL
	@$(BIN)/python -m pytest -n auto --dist worksteal --slow --warehouse postgres $(OF_A_WAREHOUSE) $(ARGS)

test-browser: $(DEVELOPMENT) ## Test Dagster's UI in a headless Chromium
	@$(BIN)/python -m pytest --browser $(TESTS)/browser $(ARGS)

screenshots: $(DEVELOPMENT) ## Take the pictures in docs/images with the same browser
	@$(BIN)/python -m $(TESTS).browser.screenshots docs/images

lint: $(DEVELOPMENT) ## Check style, types and spelling
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/codespell \
		&& $(BIN)/pyright --pythonpath $(BIN)/python

format: $(DEVELOPMENT) ## Fix the style
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs: $(DEVELOPMENT) .venv-diagram/.installed ## Generate docs/settings.md, docs/schema.md, docs/cli.md and dbt's staging models from the code
	@$(BIN)/python -m invoiced_pipeline.settings.reference
	@$(BIN)/python -m invoiced_pipeline.replication.documentation.reference .venv-diagram/bin/graphviz-pure
	@$(BIN)/python -m invoiced_pipeline.commands.reference
	@$(BIN)/python -m invoiced_pipeline.models.staging
	@$(BIN)/python -m invoiced_pipeline.models.manifest

# Graphviz, for the diagram in docs/schema.md, has its own environment.
.venv-diagram/.installed: docs/diagram.lock
	@echo "Installing into .venv-diagram (once) ..."
	@$(PYTHON) -m venv .venv-diagram
	@.venv-diagram/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

UPGRADE := --upgrade
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --quiet

lock: $(DEVELOPMENT) ## Compile the lock files with today's versions (UPGRADE= keeps the present ones)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(LOCK) $(UPGRADE) --no-strip-extras pyproject.toml --extra models -o requirements.lock
	@$(LOCK) $(UPGRADE) --no-strip-extras pyproject.toml --extra dev -c requirements.lock \
		-o requirements-dev.lock
	@$(LOCK) $(UPGRADE) --no-strip-extras pyproject.toml --extra alerts --extra celery --extra models \
		-c requirements-dev.lock -o requirements-server.lock
	@for name in benchmarks/tap benchmarks/target benchmarks/airbyte benchmarks/plot docs/diagram; do \
		$(LOCK) $(UPGRADE) $$name.in -o $$name.lock; \
	done

# The engines to compare with and the charts have their own environments.
BENCH_ENVIRONMENTS := $(foreach name,tap target airbyte plot,.venv-$(name)/.installed)

$(BENCH_ENVIRONMENTS): .venv-%/.installed: benchmarks/%.lock
	@echo "Installing into .venv-$* (once) ..."
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

bench: $(DEVELOPMENT) $(BENCH_ENVIRONMENTS) ## Compare with the engines of Stitch and Airbyte, into benchmarks/results.md (ARGS=--help)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(DEVELOPMENT) $(BENCH_ENVIRONMENTS) ## The same with a small account, in about two minutes
	@$(BIN)/python -m benchmarks --quick $(ARGS)

scale: $(DEVELOPMENT) ## Load eight accounts on one Celery worker and on two, into benchmarks/results.md
	@$(BIN)/python -m benchmarks.scale $(ARGS)

charts: .venv-plot/.installed ## Draw the charts again from benchmarks/results.md
	@.venv-plot/bin/python -m benchmarks.plot benchmarks/results.md benchmarks

clean: ## Remove environments and caches; data/ stays
	@rm -rf $(VENV) .venv-* .pytest_cache .ruff_cache .hypothesis

clean-data: ## Delete everything under data/, ledgers of write-backs included (asks first; YES=1 does not)
	@if [ -z "$$(find data -mindepth 1 ! -name .gitkeep)" ]; then echo "data/ is empty: nothing to delete."; exit 0; fi; \
	echo "This deletes for good:"; \
	find data -mindepth 1 -maxdepth 1 ! -name .gitkeep -exec du -sh {} +; \
	echo "A warehouse also holds the ledger of its write-backs, the only record of what was sent to"; \
	echo "Invoiced. Without it a push sends every row again: invoices and payments are doubled."; \
	if [ "$(YES)" != 1 ]; then \
		if [ ! -t 0 ]; then \
			echo "Nothing was deleted: there is no terminal to ask. To delete without a question: make clean-data YES=1"; exit 1; \
		fi; \
		printf 'Stop every sync and make dev first. Delete all of it? Type yes: '; read -r answer; \
		if [ "$$answer" != yes ]; then echo "Nothing was deleted."; exit 1; fi; \
	fi; \
	find data -mindepth 1 ! -name .gitkeep -delete; \
	echo "Deleted."
