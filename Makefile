# `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/installed
PEERS := $(VENV)/peers
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test bench lint format ui screenshots lock clean

help: ## Show this list
	@awk -F ': .*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

repro: $(INSTALLED) ## Run the whole pipeline, or TARGET=figures@rectangle alone
	pipeline check
	dvc repro $(TARGET)

test: $(INSTALLED) ## Run the tests; ARGS="-m 'not slow'" leaves out the slow ones
	pytest -n auto --dist worksteal $(ARGS)

bench: $(PEERS) ## Measure speed beside JAX, PyTorch, Keras, C; NAMES="fit echo", ARGS="--repetitions 3"
	python tests/benchmarks $(NAMES) $(ARGS)

lint: $(INSTALLED) ## Check style and types of faults that ruff knows
	ruff check .
	ruff format --check .

format: $(INSTALLED) ## Mend what ruff can mend
	ruff check --fix .
	ruff format .

ui: $(INSTALLED) ## Start the MLflow UI and print the links to its charts; PORT=5000
	pipeline ui --port $(or $(PORT),5000)

screenshots: $(INSTALLED) ## Look at MLflow's pages in Chromium and write docs/screenshots/
	python tests/screenshots.py

lock: $(INSTALLED) ## Write requirements.lock anew from pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --extra dask --extra dashboard --extra postgresql \
	    --extra dev pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment and caches; data, models and results stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis *.egg-info

# --no-build-isolation: the build backend, too, comes from the lock.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(INSTALLED)

# What is installed already keeps its version.
$(PEERS): $(INSTALLED)
	pip freeze --exclude-editable > $(VENV)/frozen.txt
	pip install --quiet --disable-pip-version-check --constraint $(VENV)/frozen.txt \
	    --no-build-isolation --editable ".[bench]"
	touch $(PEERS)
