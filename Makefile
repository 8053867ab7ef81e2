# Everything is set up in .venv; only python3 (3.11.5 or newer) and make are needed.
PYTHON ?= python3
BIN := .venv/bin
# Programs that look at the dependencies; installed when one of them is first needed. Not in .cache, which
# the build of the site empties.
TOOLS := .programs/tools/bin
# What generates clients of the API and compiles them; installed for the test of these clients.
CLIENTS := .programs/clients
# What changes the code to see whether a test notices; beside .venv, since it is rarely needed.
MUTANTS := .programs/mutants
# Which functions `make mutants` changes, for instance "app.wechat.crypto*".
NAMES ?=
# For two cores: a test waits as often as it works.
TEST_PROCESSES ?= 3
# The fuzzer, and what its runs leave behind.
FUZZ := .programs/fuzz
# For each of its targets; TARGETS names some, SEED tries other inputs.
CASES ?= 100000
SEED ?= 1
# Every process would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
# Written after an install: another one follows only when what it installs has changed.
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run check test lint site openapi clients screenshots bench fuzz mutants audit lock

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv and install the service with its development tools

run: $(STAMP) ## Start Postgres, service, worker and simulator; send one message end to end
	@$(BIN)/python -m simulator.playground

# Coverage sees nothing of other processes: what starts the service as one is left to `make test`.
check: lint ## Lint, then run the tests that your changes can touch
	$(BIN)/pytest -n $(TEST_PROCESSES) --testmon --ignore tests/e2e

test: lint clients ## Lint, then run every test
	$(BIN)/pytest -n $(TEST_PROCESSES)

lint: $(STAMP) site ## Check style, types, import directions and the links of the docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

site: $(STAMP) ## Build the documentation in site/; a broken link fails
	PYTHONPATH=docs $(BIN)/zensical build --clean --strict

openapi: $(STAMP) ## Write docs/openapi.json again, after a change of the API
	$(BIN)/python -m tools.write_openapi

clients: $(CLIENTS)/python/.installed
	@command -v npm >/dev/null || exit 0; $(MAKE) --silent $(CLIENTS)/node/.installed || \
		echo "npm could not install the packages of tests/clients: no TypeScript client is tested."

screenshots: $(STAMP) ## Take the pictures of the console in the documentation; needs Chromium
	$(BIN)/python -m tests.screenshots

bench: $(STAMP) ## Measure callbacks per second, latency and CPU
	$(BIN)/python -m benchmarks

fuzz: $(STAMP) $(FUZZ)/.installed ## Try inputs that nobody thought of; CASES=…, TARGETS=…, SEED=…
	@PYTHONPATH=$(FUZZ)/packages $(BIN)/python -m tests.fuzz $(TARGETS) --cases $(CASES) --seed $(SEED)

mutants: $(STAMP) $(MUTANTS)/.installed ## Change functions in small ways; list the changes that no test notices
	PYTHONPATH=$(MUTANTS) nice $(BIN)/python -m mutmut run --max-children 1 $(NAMES)
	PYTHONPATH=$(MUTANTS) $(BIN)/python -m mutmut results

audit: $(TOOLS)/.installed ## Look for known faults in every pinned dependency; needs the internet
	@$(PYTHON) -m tools.audit $(TOOLS)/pip-audit --strict --require-hashes --disable-pip \
		--progress-spinner off $(patsubst %,-r %,$(LOCKS))

lock: $(TOOLS)/.installed ## Write the pins again from what is asked for; UPGRADE=1 renews them all
	$(LOCK) pyproject.toml --extra dev -o requirements/dev.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/service.txt
	$(LOCK) pyproject.toml --extra otel -c requirements/dev.txt -o requirements/otel.txt
	$(LOCK) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(LOCK) requirements/sbom.in -c requirements/dev.txt -o requirements/sbom.txt
	$(LOCK) requirements/tools.in -c requirements/dev.txt -o requirements/tools.txt
	$(LOCK) requirements/mutants.in -c requirements/dev.txt -o requirements/mutants.txt
	$(LOCK) requirements/clients.in -o requirements/clients.txt
	$(LOCK) requirements/fuzz.in -o requirements/fuzz.txt

LOCKS := requirements/service.txt requirements/otel.txt requirements/dev.txt requirements/build.txt \
	requirements/sbom.txt requirements/tools.txt requirements/mutants.txt requirements/clients.txt \
	requirements/fuzz.txt
LOCK := $(TOOLS)/uv pip compile --quiet --universal --python-version 3.11.5 --generate-hashes \
	--no-header --no-annotate $(if $(UPGRADE),--upgrade)
PIP := python -m pip install --quiet --disable-pip-version-check

$(STAMP): pyproject.toml requirements/build.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11.5 or newer is needed; %s is %s. Try: make PYTHON=python3.12 setup" % (sys.executable, sys.version.split()[0]) if sys.version_info < (3, 11, 5) else 0)'
	@echo "Setting up .venv; the first time takes a minute or two."
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/$(PIP) --no-deps --require-hashes -r requirements/build.txt -r requirements/dev.txt
	@$(BIN)/$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(TOOLS)/.installed: requirements/tools.txt
	@$(PYTHON) -m venv --clear .programs/tools
	@$(TOOLS)/$(PIP) --no-deps --require-hashes -r requirements/tools.txt || \
		{ echo "make audit and make lock need the package index: run them where it can be reached." >&2; exit 1; }
	@touch $@

$(FUZZ)/.installed: requirements/fuzz.txt
	@$(BIN)/$(PIP) --no-deps --require-hashes --only-binary :all: --upgrade --target $(FUZZ)/packages \
		-r requirements/fuzz.txt || { echo "The fuzzer needs Linux on x86-64."; exit 1; }
	@touch $@

$(MUTANTS)/.installed: requirements/mutants.txt
	@rm -rf $(MUTANTS)
	@$(BIN)/$(PIP) --no-deps --require-hashes --target $(MUTANTS) -r requirements/mutants.txt
	@touch $@

$(CLIENTS)/python/.installed: requirements/clients.txt
	@$(PYTHON) -m venv --clear $(CLIENTS)/python
	@$(CLIENTS)/python/bin/$(PIP) --no-deps --require-hashes -r requirements/clients.txt
	@touch $@

$(CLIENTS)/node/.installed: tests/clients/package-lock.json tests/clients/.npmrc
	@mkdir -p $(CLIENTS)/node
	@cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc $(CLIENTS)/node/
	@cd $(CLIENTS)/node && npm ci --ignore-scripts --no-progress --silent --fetch-retries 1
	@touch $@
