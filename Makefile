# make run   sets up .venv and opens the bundled sample
# make test  sets up .venv and runs the tests
# make check runs the linters as well
# make docs  builds the documentation into build/site
# make test-shared  runs only the tests that read ../shared

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Half as many more than there are cores: tests of windows and of processes wait.
WORKERS ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) * 3 // 2)")

.PHONY: run test test-shared check lint speed docs clean

run: $(VENV)/.run
	@$(BIN)/kernelviewer sample

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-shared: $(VENV)/.test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m shared

speed: $(VENV)/.test
	$(BIN)/python -m pytest tests/speed -s

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.docs
	$(BIN)/python docs/make.py
	$(BIN)/mkdocs build --strict --quiet -f docs/mkdocs.yml

check: lint test

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit('kernelviewer needs Python 3.11 or later; set PYTHON=…') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/.lint: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[lint,test]'
	@touch $@

$(VENV)/.docs: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
