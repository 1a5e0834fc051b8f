# make run    start the gateway with an embedded mailbox, all on loopback
# make test   every check and every test
# make help   the rest
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# Much of the time is waiting for mail servers: two processes halve it, many would make each other late.
PYTEST_PROCESSES ?= 2

.PHONY: run test install check unit fmt lock rfc bench help clean
.DEFAULT_GOAL := help

run: install ## start gateway, embedded mailbox and status page on loopback
	$(BIN)/mxgw demo

test: install check unit ## all checks and all tests

install: $(VENV)/.installed ## make .venv with the program and the developers' tools

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mxgw needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "This Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: install ## lint, types, import order
	$(BIN)/ruff check mxgw tests docker bench
	$(BIN)/ruff format --check mxgw tests docker bench
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: install ## the tests
	$(BIN)/python -m pytest -n $(PYTEST_PROCESSES) $(PYTEST_ARGS)

fmt: install ## format and mend what the linter can
	$(BIN)/ruff check --fix mxgw tests docker bench
	$(BIN)/ruff format mxgw tests docker bench

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

lock: install ## pin every package with its hashes anew, of the developers and of the image
	$(COMPILE) --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --extra admin --extra aws --constraint requirements.lock pyproject.toml -o requirements-runtime.lock
	printf '%s\n' hatchling setuptools | $(COMPILE) --constraint requirements.lock - -o docker/requirements-build.lock

rfc: install ## print the table of RFC sentences and the tests that show them
	$(BIN)/python -m tests.rfc

bench: install ## measure beside the peers (docs/benchmarks.md)
	-$(BIN)/python -m bench fetch
	$(BIN)/python -m bench

clean: ## remove what the targets made
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | column -t -s "$$(printf '\t')"
