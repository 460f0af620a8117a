# Everything from a fresh clone: `make demo` shows the lesson, `make test` runs every test. Set-up is part of each target.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup demo test lint format build bench advice unseen forms watch soak clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## only the set-up: .venv, node modules, the built panel (each target below does it by itself)
	@scripts/setup.sh

demo: setup  ## run and check the lesson notebook, then serve it in JupyterLab with the panel open (SERVE=0: do not serve)
	@$(PY) scripts/run_lesson.py
	@if [ "$(SERVE)" != 0 ]; then exec $(PY) scripts/serve_lesson.py; fi

test:  ## lint, types, Python tests, TypeScript tests, browser tests; ends with the counts
	@scripts/setup.sh browser
	@$(PY) scripts/run_tests.py

lint: setup  ## lint, format and types only, Python and TypeScript
	@$(PY) scripts/run_tests.py --only lint

format: setup  ## put Python and TypeScript into the project's format
	@ruff check -q --fix . && ruff format -q . && jlpm prettier --log-level warn --write labextension ui-tests '*.{json,mjs,ts}'

build:  ## wheel and sdist in dist/, the panel inside
	@rm -rf dist jupyter_jitmagic/labextension jupyter_jitmagic/static && scripts/setup.sh
	@$(PY) -m build --no-isolation . && ls -l dist

bench: setup  ## what the wrapper costs, against plain jax.jit
	@$(PY) -m benchmarks.overhead
	@$(PY) -m benchmarks.loops

advice: setup  ## judge the advice on functions with known answers (FOLDERS="…" for your own)
	@$(PY) -m benchmarks.advice $(FOLDERS)

unseen: setup  ## judge the advice on programs made at random (ARGS="--count 100 --family loops"; see --help)
	@$(PY) -m benchmarks.unseen $(ARGS)

forms: setup  ## judge %jitfix on such programs in the cells of notebooks, in many forms (ARGS="--count 100"; see --help)
	@$(PY) -m benchmarks.forms $(ARGS)

watch: setup  ## rebuild the panel at each change (reload the page to see it)
	@rm -f node_modules/.stamp-panel && jlpm build && trap 'kill 0' EXIT && { jlpm watch:lib & jlpm watch:labextension; }

soak:  ## what takes long: slow tests, packaging, the other Pythons and JAXs, other JupyterLabs
	@scripts/setup.sh browser
	@$(PY) scripts/soak.py

clean:  ## remove every environment and everything built
	@rm -rf .venv .venv-* .demo dist node_modules .yarn labextension/lib labextension/*.tsbuildinfo jupyter_jitmagic/labextension jupyter_jitmagic/static \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis ui-tests/test-results test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
