# `make demo` and `make test` are all one needs; the rest is for those who change Leadline.
# Settings: SERVE=no, PEOPLE=20000, SEED=7, SIZES="100k 10M", PYTHON=python3.12

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SERVE ?= yes
PEOPLE ?= 20000
SEED ?= 7
SIZES ?= 100k 10M
USERS ?= 1 20
DEMO := demo-workspace
BIN := .venv/bin
UV ?= uv
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-night test-engines test-sf-cli lint format bench bench-influence bench-pull bench-web screenshots manual requirements clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

# The environment: exactly the hashed files, then Leadline itself, nothing else from outside.
.venv/.for-use: requirements.txt requirements-build.txt pyproject.toml tools/environment
	@tools/environment .venv requirements.txt requirements-build.txt
	@touch $@

.venv/.for-development: .venv/.for-use requirements-dev.txt
	@tools/environment .venv requirements-dev.txt
	@touch $@

demo: .venv/.for-use ## the demo workspace, its summary and its report (SERVE=no: only the summary)
	@PEOPLE=$(PEOPLE) SEED=$(SEED) SERVE=$(SERVE) $(BIN)/python tools/demo.py $(DEMO)

test: .venv/.for-development ## every test; random and fault cases at a tenth of their numbers
	@tools/browser
	@tools/services
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

test-night: .venv/.for-development ## random and fault cases in full numbers, file by file; figures in benchmarks/night.md
	@tools/browser
	@$(BIN)/python -m benchmarks.night

test-engines: .venv/.for-development ## the same model and metrics on other engines than DuckDB
	@tools/services
	@$(BIN)/python -m pytest -q tests/engines tests/engines/spark_cluster.py

test-sf-cli: .venv/.for-development ## Salesforce's own command line judges connector and double (needs npm); before a release
	@tools/sf-cli .sf-cli
	@LEADLINE_SF_CLI=.sf-cli $(BIN)/python -m pytest -q -s tests/foreign/sf_cli.py

lint: .venv/.for-development ## formatting, lint rules, types
	@$(BIN)/ruff format --check --quiet . || { echo "to settle it: make format" >&2; exit 1; }
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy --no-error-summary

format: .venv/.for-development ## write the formatting that lint wants
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix .

bench: .venv/.for-development ## seconds, memory and distance to the limit (SIZES="100k 10M")
	@$(BIN)/python -m benchmarks.bench $(SIZES)

bench-influence: .venv/.for-development ## path models by size beside other tools, in one run
	@$(BIN)/python -m benchmarks.influence
	@$(BIN)/python -m benchmarks.deals

bench-pull: .venv/.for-development ## an org into the ledger: rows a second, memory, beside simple-salesforce
	@$(BIN)/python -m benchmarks.pull

bench-web: .venv/.for-development ## answer times of the dashboard under readers (USERS="20 50" SECONDS=300 PUBLISH=30)
	@$(BIN)/python -m benchmarks.web $(DEMO) $(USERS) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(PUBLISH),--publish $(PUBLISH))

screenshots: .venv/.for-development ## the pictures of the README and of every page, from the demo workspace
	@SERVE=no PEOPLE=$(PEOPLE) SEED=$(SEED) $(BIN)/python tools/demo.py $(DEMO) > /dev/null
	@$(BIN)/python tools/screenshots.py $(DEMO) docs/images
	@$(BIN)/python -m tools.dashboard_pictures $(DEMO) docs/images/dashboard

manual: .venv/.for-development ## the pages of the manual that are made from the program
	@$(BIN)/python -m tools.manual

requirements: ## pin the dependencies of pyproject.toml anew (needs uv)
	@$(COMPILE) pyproject.toml --all-extras --group build --group dev -o requirements-dev.txt
	@$(COMPILE) pyproject.toml --extra web -c requirements-dev.txt -o requirements.txt
	@$(COMPILE) --group build -c requirements-dev.txt -o requirements-build.txt

clean: ## remove what the other targets made
	@rm -rf .venv .sf-cli $(DEMO) bench-workspace .pytest_cache .mypy_cache .ruff_cache .hypothesis
