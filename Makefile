# `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
PACKAGES := $(VENV)/packages
INSTALLED := $(VENV)/installed
PEERS := $(VENV)/peers
PYTEST := pytest -n auto --dist worksteal
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro quick verify test test-resilience test-all test-processors bench lint imports format ui page screenshots lock clean

help: ## Show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

repro: $(INSTALLED) ## Run the whole pipeline, or one stage: TARGET=figures@rectangle
	pipeline check
	dvc repro $(TARGET)

quick: $(INSTALLED) ## Run everything on 2% of the data, in .quick/; results are untouched
	pipeline quick

verify: $(INSTALLED) ## Compare the metrics in reports/ with those of a git revision; REV=HEAD
	pipeline verify $(or $(REV),HEAD)

test: $(INSTALLED) ## Run unit and integration tests; ARGS="tests/unit -k scale" selects some
	$(PYTEST) $(or $(ARGS),tests/unit tests/integration)

test-resilience: $(INSTALLED) ## Run the tests of kills, damage, full disks and hostile input
	$(PYTEST) tests/resilience

test-all: $(INSTALLED) ## Run unit and integration tests and those of make test-resilience
	$(PYTEST)

test-processors: $(INSTALLED) ## Compare results with those of an emulated processor (minutes)
	pytest tests/processors

bench: $(PEERS) ## Compare speed with JAX, PyTorch, Keras and C; NAMES="fit echo", ARGS="--repetitions 3"
	python -m benchmarks $(NAMES) $(ARGS)

lint: $(INSTALLED) ## Check style (ruff), layers (import-linter) and types (mypy)
	ruff check .
	ruff format --check .
	lint-imports
	mypy

imports: $(INSTALLED) ## Show which package imports which
	python docs/imports.py

format: $(INSTALLED) ## Fix what ruff can fix
	ruff check --fix .
	ruff format .

ui: $(INSTALLED) ## Start the MLflow UI and print links to its charts; PORT=5000
	pipeline ui --port $(or $(PORT),5000)

page: $(INSTALLED) ## Open reports/index.html, on which one can play with the networks
	@test -f reports/index.html || pipeline page
	@echo "file://$(CURDIR)/reports/index.html"
	@python -m webbrowser "file://$(CURDIR)/reports/index.html" > /dev/null || true

screenshots: $(INSTALLED) ## Take docs/screenshots/ from MLflow's pages in Chromium
	python tests/support/screenshots.py

lock: $(INSTALLED) ## Update requirements.lock from pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --extra dask --extra dashboard --extra postgresql \
	    --extra dev pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment and caches; data, models and results stay
	rm -rf $(VENV) .quick .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis *.egg-info

# --no-build-isolation: the build backend comes from the lock file, too.
$(INSTALLED): $(PACKAGES) pyproject.toml
	pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(INSTALLED)

# uv, whose version is in the lock file, too, takes a fifth of pip's time. But it does not read pip's
# settings, such as the address of a mirror: if it fails, pip installs.
$(PACKAGES): requirements.lock
	$(PYTHON) -m venv $(VENV)
	awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	uv pip install --quiet --python $(VENV) --require-hashes -r requirements.lock \
	    || pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $(PACKAGES)

# The constraint keeps the versions that are installed already.
$(PEERS): $(INSTALLED)
	pip freeze --exclude-editable > $(VENV)/frozen.txt
	pip install --quiet --disable-pip-version-check --constraint $(VENV)/frozen.txt \
	    --no-build-isolation --editable ".[bench]"
	touch $(PEERS)
