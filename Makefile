# The commands of Countersign. `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test fuzz requirements check fmt bench docs

PYTHON ?= python3
BIN := .venv/bin
export FLASK_APP := wsgi
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:
	@echo "Countersign: a package index in which nobody changes anything without a second factor."
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/installed  ## Set up and serve; settings come from the environment and .env
	@$(BIN)/python -m deploy.preflight
	@$(BIN)/flask db upgrade
	@$(BIN)/gunicorn --config deploy/gunicorn.py

test: .venv/installed-dev  ## Run the tests; ARGS="-k totp" is handed to pytest
	@$(BIN)/pytest $(ARGS)

fuzz: .venv/installed-dev  ## Try to break the reader of archives: 10,000 made by hypothesis, then atheris for a minute
	@$(BIN)/pytest -n 0 --hypothesis-profile=fuzz --hypothesis-show-statistics tests/index/test_hostile_archives.py
	@$(BIN)/python -c 'import importlib.util as u; raise SystemExit(not u.find_spec("atheris"))' || { \
	  echo "atheris is not made for this machine: it needs Linux on x86-64 and Python 3.11 to 3.13."; exit 1; }
	@$(BIN)/python -m tests.fuzz_archives

requirements: .venv/installed-dev  ## Print what is asked of signing in, with the tests that prove it
	@$(BIN)/python -m pytest -p tests.requirement_table -m requirement --quiet

check: .venv/installed-dev  ## Look for mistakes without running anything: ruff, mypy, djlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates

fmt: .venv/installed-dev  ## Format the Python code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: .venv/installed-dev  ## Measure this index beside devpi, pypiserver and nginx; ARGS="--without-peers" is shorter
	@$(BIN)/python -m bench.run $(ARGS)

docs: .venv/installed-dev  ## Take the pictures of README and docs anew
	@$(BIN)/python -m docs.pictures.make

# A file in .venv remembers what was installed, so that the second run starts at once
# and a changed list of requirements is installed again.
.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing what Countersign runs on. This takes a minute, once."
	@$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

.venv/installed-dev: requirements.txt requirements-dev.txt | .venv/bin/python
	@echo "Installing what the tests and checks need. This takes a minute, once."
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Countersign needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)."; \
	  echo "Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment."; \
	  echo "On Debian and Ubuntu: apt-get install $$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"; \
	  exit 1; }
	@$(PYTHON) -m venv --clear .venv
