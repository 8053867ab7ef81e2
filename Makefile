# Everything is set up in .venv; only python3 (3.11 or newer) and make are needed.
PYTHON ?= python3
BIN := .venv/bin
# For two cores: a test waits as often as it works.
TEST_PROCESSES ?= 3
# Every process would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
# Written after an install: another one follows only when what it installs has changed.
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run check test lint site bench

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv and install the service with its development tools

run: $(STAMP) ## Start Postgres, service, worker and simulator; send one message end to end
	@$(BIN)/python -m simulator.playground

# Coverage sees nothing of other processes: what starts the service as one is left to `make test`.
check: lint ## Lint, then run the tests that your changes can touch
	$(BIN)/pytest -n $(TEST_PROCESSES) --testmon --ignore tests/e2e

test: lint ## Lint, then run every test
	$(BIN)/pytest -n $(TEST_PROCESSES)

lint: $(STAMP) site ## Check style, types, import directions and the links of the docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

site: $(STAMP) ## Build the documentation in site/; a broken link fails
	PYTHONPATH=docs $(BIN)/zensical build --clean --strict

bench: $(STAMP) ## Measure callbacks per second, latency and CPU
	$(BIN)/python -m benchmarks

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; %s is %s. Try: make PYTHON=python3.12 setup" % (sys.executable, sys.version.split()[0]) if sys.version_info < (3, 11) else 0)'
	@echo "Setting up .venv; the first time takes a minute or two."
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
