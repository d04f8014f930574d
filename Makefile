# `make` or `make help` lists what there is. Everything runs in .venv and node_modules of this folder.
PYTHON  ?= python3
EXAMPLES ?= 1000
SEED    ?= 1
BIN     := .venv/bin
LOCAL   := $(BIN)/hosted-model-local
PYTEST  := $(BIN)/pytest --durations=10
# Most of an end-to-end test is waiting: four clouds fit two cores. Tests of one file share one. The order of the
# files is that of tests/e2e/conftest.py: pytest-xdist's own has files of one test last, however long that takes.
E2E     := $(PYTEST) -n 4 --dist loadfile --no-loadscope-reorder -m 'not newcomer' tests/e2e
# What the shell evaluates where `up` could not even be run: nothing after it may meet a real account.
NOWHERE := export AWS_ENDPOINT_URL=https://hosted-model-local-up-failed.invalid AWS_ACCESS_KEY_ID=none \
	AWS_SECRET_ACCESS_KEY=none; unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN; false

.DEFAULT_GOAL := help
.PHONY: help venv demo up status down synth lint unit protocol e2e newcomer test beside chaos mutants reliability hazards bench bench-report docs release newer oldest checkov constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: node_modules/.stamp ## install everything, once for each change of its versions

demo: venv ## the main job on this machine, no AWS account needed [SERVICE=rekognition, SERVICE=personalize]
	@$(LOCAL) demo $(if $(SERVICE),--service $(SERVICE))

up: ## start a local cloud; eval what `make -s up` prints to point a shell at it
	@$(MAKE) --no-print-directory venv >&2 || { echo '$(NOWHERE)'; exit 1; }
	@$(LOCAL) up || { echo '$(NOWHERE)'; exit 1; }

status: venv ## models, rules, schedules and functions of the local cloud
	@$(LOCAL) status || [ $$? -eq 3 ]

down: venv ## end the local cloud; eval what `make -s down` prints to give the shell back what it had
	@$(LOCAL) down

synth: venv ## write the sample app's template to cdk.out
	scripts/cdk.sh synth --quiet

lint: venv ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: venv ## pure logic, each part by itself
	$(PYTEST) -n 2 tests/unit

protocol: venv ## CloudFormation's event sequences, with faults
	$(PYTEST) -n 2 tests/protocol

e2e: venv ## the real cdk command on the local cloud
	$(E2E)

newcomer: venv ## type docs/first-ten-minutes.md from `git clone` on: installs, demo and all, some ten minutes
	$(PYTEST) -m newcomer tests/e2e/test_newcomer.py

# The end-to-end tests wait for much of their time: all else runs beside them, and gives way to them.
test: venv ## all of the four
	@$(MAKE) --no-print-directory -j 3 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) e2e lint beside

beside:
	nice -n 15 $(PYTEST) -n 3 --dist worksteal tests/unit tests/protocol

chaos: venv ## generated histories and every kill point [EXAMPLES=1000 SEED=1, or REPLAY=kind:service:seed]
	cd tests && ../$(BIN)/python -m chaos --examples $(EXAMPLES) --seed $(SEED) $(if $(REPLAY),--replay $(REPLAY))

mutants: venv ## break the runtime on purpose, again and again: the suite must see each
	cd tests && ../$(BIN)/python -m chaos.mutants

reliability: venv ## write docs/reliability.md from what the two before showed
	$(BIN)/python scripts/reliability.py

hazards: venv ## write docs/crhelper-hazards.md from a run against plain crhelper
	$(BIN)/python scripts/crhelper_hazards.py

bench: venv ## measure against the peers, then write docs/benchmarks.md [QUICK=1]
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) --out build/benchmarks.json
	$(BIN)/python -m benchmarks.report build/benchmarks.json

bench-report: venv ## write docs/benchmarks.md from benchmarks/results.json
	$(BIN)/python -m benchmarks.report

docs: venv .venv/.docs ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

release: venv .venv/.release ## build dist/, check it, list what is in it, install it and synthesise; nothing is uploaded
	$(BIN)/python scripts/release.py

newer: venv ## the runtime's tests on the newest Python that is installed, as the function may run on it
	$(BIN)/python scripts/newer_python.py

oldest: venv ## the constructs' tests on the oldest aws-cdk-lib that pyproject.toml admits
	scripts/oldest_cdk.sh $(BIN)/python

checkov: venv ## checkov, and cdk-nag, on the example for security teams; a minute more the first time
	scripts/checkov.sh $(BIN)/python

constraints: venv .venv/.docs .venv/.release ## write constraints.txt from what is installed
	{ echo '# Every version the two commands install; the same next year as today. Regenerate: make constraints'; \
	  $(BIN)/pip freeze --exclude-editable; } > constraints.txt.new
	mv constraints.txt.new constraints.txt

clean: ## remove what the other targets made
	rm -rf .venv .venvs node_modules .work cdk.out site build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.stamp: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON): install Python 3.11 or later." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, $(PYTHON) is " + sys.version.split()[0] + "; name another with make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cli,local,dev]'
	@touch $@

# Apart from the rest: neither the demo nor the tests need it.
.venv/.docs: .venv/.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

.venv/.release: .venv/.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[release]'
	@touch $@

node_modules/.stamp: package.json package-lock.json .venv/.stamp
	scripts/npm-ci.sh $(BIN)/python
	@touch $@
