# make run      start everything on this machine: an embedded store with demo accounts and all protocols
# make test     run the tests          make check   lint, types, layers and tests, as CI does
# make bench    print what things cost make fuzz    feed garbage to every parser for a while
# make clean    remove what these made (never ./var: your data)

PYTHON ?= python3
DATA ?= var
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
WORKERS ?= 2

.PHONY: run test check bench fuzz lock clean

run: $(VENV)/.run
	@exec $(BIN)/gateway-admin demo --data "$(DATA)"

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) -W error $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -n $(WORKERS) -W error $(PYTEST_ARGS)

bench: $(VENV)/.dev
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

fuzz: $(VENV)/.dev
	$(BIN)/python -m pytest tests/fuzz --hypothesis-profile=fuzz -p no:xdist --timeout=3600 $(PYTEST_ARGS)

lock: $(VENV)/.dev
	$(BIN)/python etc/lock.py

# The stamps are newer than the lock files once everything is installed; an interrupted installation is begun again.
$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find gateway tests twisted bench etc -name __pycache__ -prune -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache
