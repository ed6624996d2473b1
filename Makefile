# Few verbs; `make` lists them. Every one installs what it needs, says what it does, and can be called again.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
STAY ?= 1
DEMO_ROWS ?= 160
# Where `make test` keeps the environments of heavy programs and the converted model, which take minutes to make.
GOLDSMITH_TEST_HOME ?= $(CURDIR)/.goldsmith/test-home
export GOLDSMITH_TEST_HOME
export HF_HUB_OFFLINE = 1
# Where this is set, every worker rewrites the assertions of every test anew, at each step.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup test quick browser real check fix demo aristotle dev loop docs pictures migration

help:  ## list the verbs
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready  ## a virtual environment with the pinned requirements

.venv/ready: requirements.txt pyproject.toml
	@echo "Making .venv with the pinned requirements (about a minute the first time)"
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/ready
	@echo "Next: make demo, or $(BIN)/goldsmith up"

test: setup  ## everything: quick tests, PostgreSQL, then the loop with real training and a real engine
	@sh tests/run_all.sh

quick: setup  ## what needs no engine and no training
	$(BIN)/python -m pytest -n 3 -q --dist loadgroup -m "not real and not browser and not documents and not long and not postgresql"

browser: setup  ## the whole loop in a browser with stand-ins, and every page looked at
	@$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest -q -m browser -p no:xdist tests/browser

real: setup  ## the loop with real training and a real engine
	GOLDSMITH_TEST_STEP=real $(BIN)/python -m pytest -q -m real -p no:xdist tests/real

check: setup  ## format, ruff, types, imports, templates, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet src/goldsmith/web/templates
	$(BIN)/python docs/generate.py --check

fix: setup  ## format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: setup  ## from nothing to a better model: the whole loop, then the app stays open (STAY=0 ends)
	@$(BIN)/goldsmith demo --rows $(DEMO_ROWS) $(if $(filter 0,$(STAY)),--no-stay,--stay)

aristotle: setup  ## a host application on port 4000 with Goldsmith inside (ARISTOTLE_OPTIONS=--stand-in: only pretends)
	@$(BIN)/python examples/aristotle/up.py $(ARISTOTLE_OPTIONS)

dev: setup  ## web and supervisor
	$(BIN)/goldsmith up

docs: setup  ## generate docs/reference and docs/licences.md from the code
	$(BIN)/python docs/generate.py

pictures: setup  ## take the README's pictures from the running pages, over made-up rows
	$(BIN)/python docs/take_pictures.py

migration: setup  ## write the schema's revision from the tables (NAME=what_changed: the next one, once 0001 is released)
	$(BIN)/python -m goldsmith.migrations $(NAME)
