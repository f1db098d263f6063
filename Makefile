# On a machine with python3, git and make, `make demo` and `make test` do everything else.
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint unit fuzz trust bench bench-loop bench-server docs lock format clean chromium compiler browser arm64 android jvm

PYTHON ?= python3
N      ?= 1000
SEED   ?=
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
UV     := $(or $(shell command -v uv),$(BIN)/uv)
PYTEST := $(BIN)/pytest -n auto --maxprocesses=4 --dist loadfile $(if $(SEED),--randomly-seed=$(SEED))

export TF_CPP_MIN_LOG_LEVEL ?= 3
export ORT_DISABLE_TELEMETRY = 1

# $(call apt,PACKAGE,WHY): on Debian as root, install it; elsewhere, say so and fail.
apt = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	&& echo "installing $(1): $(2)" \
	&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
	--no-install-recommends $(1) </dev/null >/dev/null; } \
	|| { echo "please install $(1): $(2)" >&2; false; }

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Build examples/digits for all its targets; ends with the artifacts and the report
	$(BIN)/kspec build examples/digits/model.yaml

test: lint unit ## Run everything CI runs: lint, format, types, import contracts, tests

lint: $(READY) ## Check style, types and the order of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.words

unit: $(READY) chromium compiler browser arm64 android jvm ## Run the tests alone, in an order that SEED decides
	$(PYTEST)

fuzz: $(READY) ## Judge N random networks from SEED in every format against Keras
	$(BIN)/python -W ignore -m tests.fuzz --count $(N) $(if $(SEED),--seed $(SEED))

trust: $(READY) ## Run the hostile suites: 5,000 mutants, hostile paths, flipped bytes, builds at once
	$(BIN)/python -m tests.fuzz.mutants --count 5000 --seed $(or $(SEED),1)
	KSPEC_TRUST=all $(PYTEST) tests/trust
	$(BIN)/python -m tests.trust.builds_at_once --rounds 20

bench: $(READY) ## Measure emission beside today's converters; writes docs/benchmarks.md (ONLY=name)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes \
		-r requirements-benchmarks.lock
	$(BIN)/python -m benchmarks.emit $(if $(ONLY),--only $(ONLY))

bench-loop: $(READY) ## Measure the inner loop: check, plan, build; writes docs/loop.md
	$(BIN)/python -m benchmarks.loop --out docs/loop.md

bench-server: $(READY) ## Measure the server bundle's web service; writes docs/server.md
	$(UV) venv --quiet --allow-existing --python $(BIN)/python .tools/server
	$(UV) pip install --quiet --python .tools/server/bin/python --require-hashes \
		-r benchmarks/server.lock
	$(BIN)/python -m benchmarks.server --peers .tools/server

docs: $(READY) ## Write the generated pages and the JSON Schema again
	$(BIN)/python -m kspec.schemas.json_schema > kspec/schemas/kspec-v1.json
	$(BIN)/python -m kspec.features.description > kspec/schemas/kspec-bundle-v2.json
	$(BIN)/python -m kspec.features.page > docs/host-steps.md
	$(BIN)/python -m kspec.schemas.reference > docs/spec.md
	$(BIN)/python -m tests.conformance.page
	$(BIN)/python -m kspec.spec.handbook > docs/diagnostics.md

format: $(READY) ## Format the code and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY) ## Resolve the dependencies again, for every Python and platform at once
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
		--output-file requirements.lock
	$(UV) pip compile --group pyproject.toml:benchmarks --constraint requirements.lock --universal \
		--python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --quiet --output-file requirements-benchmarks.lock
	$(UV) pip compile kspec/targets/platforms/server/requirements.in \
		--constraint requirements.lock --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
		--output-file kspec/targets/platforms/server/templates/requirements.txt
	grep -o '^[a-z].*==[^ ]*' kspec/targets/platforms/server/templates/requirements.txt \
		| grep -v protobuf | $(UV) pip compile benchmarks/server.in --constraint - \
		--universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --quiet --output-file benchmarks/server.lock
	$(UV) pip compile kspec/targets/platforms/raspberry_pi/requirements.in --constraint \
		requirements.lock --python-version 3.11 --python-platform aarch64-manylinux_2_28 \
		--upgrade --only-binary :all: --emit-build-options --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --quiet --output-file \
		kspec/targets/platforms/raspberry_pi/templates/bundle/requirements.txt

clean: ## Remove the virtual environment, caches and everything that was built
	rm -rf $(VENV) .tools .kspec examples/*/.kspec examples/*/dist dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find kspec tests -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@command -v chromium >/dev/null || [ "$$(uname)" = Darwin ] \
		|| $(call apt,chromium,the report page is tested in it) || true

compiler:
	@command -v cc >/dev/null || $(call apt,gcc libc6-dev,SavedModels are loaded from C)

# The tests of the android platform need a JDK, Kotlin's compiler and Android's classes.
android: .tools/android/.ready

.tools/android/.ready: tests/platforms/android/pom.xml
	@{ command -v javac && command -v mvn; } >/dev/null || $(call apt,default-jdk-headless maven,Kotlin is compiled)
	@mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(abspath $(@D)) >/dev/null
	@touch $@

browser: $(READY) chromium
	@{ command -v node && command -v npm; } >/dev/null \
		|| $(call apt,nodejs npm,the browser's bundles are tested with it) || true
	@$(BIN)/python -m tests.platforms.web || true

# Maven loads what the bundle's own project names when the tests build it.
jvm:
	@{ command -v javac && command -v mvn; } >/dev/null \
		|| $(call apt,default-jdk-headless maven,the JVM's bundle is built with it) || true

arm64: $(READY)
	@$(BIN)/python -m tests.platforms.arm64 || true

$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@[ -x "$(UV)" ] || { awk '/^uv==/ {on = 1} on; on && !/\\$$/ {exit}' requirements.lock \
		> $(VENV)/uv.lock && $(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/uv.lock; }
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ..." >&2; false; }
	@if [ "$(UV)" != "$(BIN)/uv" ]; then \
		$(UV) venv --quiet --python "$$(command -v $(PYTHON))" $(VENV); \
	else \
		$(PYTHON) -c 'import ensurepip' 2>/dev/null \
			|| $(call apt,python3-venv,Debian keeps the venv module apart); \
		$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); false; }; \
	fi
