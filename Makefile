# What one does here; `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help demo up down clean test check bench chaos pictures simulate lint types verify generate format lock runtime dev

BIN := .venv/bin
CODE := services deploy tests
SEED := 7
SECONDS := 60

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: runtime ## the whole system with the demo region, one referral walked through it, until Ctrl-C
	@$(BIN)/kindred demo

up: runtime ## the whole system in the background (REGION=demo loads the demo region)
	@$(BIN)/kindred up --region "$(REGION)"

down: ## stop it, keep its data
	@if [ -x $(BIN)/kindred ]; then $(BIN)/kindred down; fi

clean: ## stop it and remove its data
	@if [ -x $(BIN)/kindred ]; then $(BIN)/kindred clean; fi

test: dev ## all tests, on servers of their own
	@$(BIN)/python -m pytest --numprocesses 2 --no-loadscope-reorder

check: dev ## what CI runs: format, lint, import rules, types, generated files, tests
	@$(MAKE) --no-print-directory lint types verify test

bench: dev ## every performance figure (ONLY=<prefix> for some of them), also in .run/bench.json
	@$(BIN)/python -m tests.benchmarks --only "$(ONLY)"

chaos: dev ## random faults under load, and a verdict (SEED, SECONDS; ONLY=recovery: one at a time)
	@$(BIN)/python -m tests.chaos --seed "$(SEED)" --seconds "$(SECONDS)" --only "$(ONLY)"

pictures: dev ## the pictures in docs/pictures, of every main page
	@$(BIN)/python -m tests.acceptance.pictures

simulate: dev ## a year of a region under several ways to give out places, in docs/fairness.md
	@$(BIN)/python -m tests.simulation

lint: dev ## format and lint, and who may import whom
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/lint-imports

types: dev ## mypy --strict
	@$(BIN)/mypy $(CODE)

verify: dev ## are the generated files fresh, and compose.yaml and the lock valid?
	@$(BIN)/python -m deploy.verify

generate: dev ## write every generated file
	@$(BIN)/python -m deploy.verify --write

format: dev ## let ruff repair what it can
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

lock: ## write requirements/*.txt from *.in (needs uv)
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 requirements/runtime.in -o requirements/runtime.txt
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt

runtime:
	@deploy/bootstrap.sh runtime

dev: runtime
	@deploy/bootstrap.sh dev
