# Everything a user or a contributor types. `make` alone lists it.

PYTHON ?= python3
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000
# How many processes run the tests.
JOBS ?= 2
# How often an app is killed on each database; other faults come a tenth as often.
CYCLES ?= 100

APP := examples/chainlit_app
BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
SECRET := $(APP)/.chainkeep/auth-secret
PYTEST := $(if $(COVERAGE),coverage run -m pytest,python -m pytest)
SIDE_BY_SIDE := $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --no-loadscope-reorder)
# As root on Debian, a browser can be installed; elsewhere the tests say what they skip.
MAY_INSTALL := $(shell test "$$(id -u)" = 0 && command -v apt-get)

.DEFAULT_GOAL := help
.PHONY: help example test check format lint types layers fix wheel bench faults clean browser

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do \
		printf '  make %-9s %s\n' "$$name" "$$what"; done
	@printf '\n  PYTHON=%s is the interpreter (3.10 to 3.13); HOST and PORT say where the example listens.\n' '$(PYTHON)'

example: $(VENV)/.app $(SECRET) ## run the example app on http://localhost:8000
	@export CHAINLIT_AUTH_SECRET="$${CHAINLIT_AUTH_SECRET:-$$(cat $(SECRET))}" && \
		cd $(APP) && exec $(BIN)/chainlit run app.py --host $(HOST) --port $(PORT) $(ARGS)

test: $(VENV)/.dev browser ## run every test; ARGS='-k search' for some, COVERAGE=1 to measure, JOBS=1 one by one
	@rm -f .coverage .coverage.*
	$(BIN)/$(PYTEST) $(SIDE_BY_SIDE) $(ARGS)
	@$(if $(COVERAGE),$(BIN)/coverage combine --quiet && $(BIN)/coverage report)

faults: $(VENV)/.dev ## kill the app and break what it stands on, for minutes; CYCLES=500, DOCS=docs/reliability.md
	CHAINKEEP_FAULT_CYCLES=$(CYCLES) CHAINKEEP_FAULT_DOCS=$(DOCS) timeout --signal=INT $$((600 + 15 * $(CYCLES))) \
		$(BIN)/$(PYTEST) tests/faults $(SIDE_BY_SIDE) --timeout $$((180 + 5 * $(CYCLES))) $(ARGS)

check: format lint types layers ## everything that must hold before a change is proposed
	@$(MAKE) --no-print-directory test COVERAGE=1
	@$(MAKE) --no-print-directory wheel

format: $(VENV)/.dev
	$(BIN)/ruff format --check

lint: $(VENV)/.dev
	$(BIN)/ruff check

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo --no-cache

fix: $(VENV)/.dev ## format, and mend what can be mended by itself
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

wheel: $(VENV)/.dev ## build the distribution into dist/
	@rm -rf dist
	$(BIN)/hatchling build -d dist

bench: $(VENV)/.dev ## measure beside Chainlit's own layers; ARGS='--quick --only w1 r1'
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove the virtual environment and what the tools leave behind
	rm -rf $(VENV) dist htmlcov .coverage .coverage.* .*_cache .hypothesis

# pip 25.1 is the first that knows dependency groups.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; (3, 10) <= sys.version_info < (3, 14) or sys.exit("$(PYTHON) is Python %d.%d; choose one from 3.10 to 3.13, as in: make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo 'venv is missing; on Debian: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.app: $(VENV)/.pip pyproject.toml $(APP)/requirements.txt
	$(PIP) --editable . --requirement $(APP)/requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.pip pyproject.toml $(APP)/requirements.txt
	$(PIP) --editable '.[all]' --group dev --requirement $(APP)/requirements.txt
	@touch $@

# What Chainlit signs its cookies with; kept, so that a restart logs nobody out.
$(SECRET): | $(VENV)/.pip
	@mkdir -p -m 700 $(@D)
	@umask 077 && $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))' > $@

# libatomic1 is what Playwright's own Node.js needs.
browser:
	@if test -n '$(MAY_INSTALL)' && ! dpkg -s chromium libatomic1 >/dev/null 2>&1; then \
		echo 'installing chromium for the tests that drive a browser'; \
		(apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium libatomic1) >/dev/null || true; \
	fi; \
	command -v chromium >/dev/null || echo 'chromium is not installed: the tests that drive a browser are skipped'
