# Two commands matter: `make demo` shows it working, `make test` proves it. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
UV_VERSION := 0.13.9
DATA   ?= $(abspath ../shared/data)

.PHONY: help demo test lint types contracts unit fix lock proto train bench clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## Start engines, Envoy and the router, send one request, keep serving until Ctrl-C
	@exec $(BIN)/pointsman demo

test: $(VENV)/.dev lint types contracts unit ## Lint, types, import contracts, tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/pytest

fix: $(VENV)/.dev ## Format and apply safe lint fixes
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

lock: $(UV) ## Resolve requirements.lock anew
	$(UV) pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 --extra envoy \
	  --group dev --group training pyproject.toml -o requirements.lock --custom-compile-command "make lock"

proto: $(VENV)/.dev ## Generate the protobuf modules anew
	$(BIN)/python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src src/pointsman/transports/wire/*.proto
	sed -i '1i # mypy: disable-error-code=type-arg' src/pointsman/transports/wire/*_pb2.pyi

train: export OMP_NUM_THREADS = 1
train: export OPENBLAS_NUM_THREADS = 1
train: $(VENV)/.training ## Rebuild the encoder, its head and the model card (DATA=../shared/data)
	$(BIN)/python training/build_onnx.py
	$(BIN)/python training/verify_onnx.py --data $(DATA)
	$(BIN)/python training/train_domain.py --data $(DATA)
	$(BIN)/python training/write_manifest.py
	$(BIN)/python training/report_domain.py --data $(DATA)

bench: $(VENV)/.dev ## Measure CPU per request and added latency; writes bench/out
	$(BIN)/python bench/run.py

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/out

# The lock file constrains every install; uv verifies its hashes.
$(UV):
	$(PYTHON) -c 'import sys; sys.exit("pointsman needs Python 3.11 or newer: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.run: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install -q --python $(BIN)/python -c requirements.lock -e '.[envoy]'
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.lock | $(UV)
	$(UV) pip install -q --python $(BIN)/python -c requirements.lock -e '.[envoy]' --group dev
	@touch $@ $(VENV)/.run

$(VENV)/.training: pyproject.toml requirements.lock | $(VENV)/.dev
	$(UV) pip install -q --python $(BIN)/python -c requirements.lock --group training
	@touch $@
