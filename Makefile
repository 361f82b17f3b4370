# Two commands set everything up on a machine with Python 3.11 or later: `make demo` and `make test`.
# Everything is installed into .venv and nowhere else.

PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE :=  # hundreds of tests start a process, which need not compile all there is again
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo matrix test slow check elsewhere bench clean

demo: .venv/demo
	$(BIN)/simcore demo

matrix: .venv/dev
	$(BIN)/simcore matrix

# What runs code under control forks its process for each run, and runs in one that has not collected all the rest.
CONTROL := tests/control $(addprefix tests/command/test_,pytest_control.py pytest_pages.py confirm.py foreign.py) \
	tests/explain/test_missed.py tests/report/test_film_of_code.py
test: .venv/dev
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(addprefix --ignore=,$(CONTROL))
	$(BIN)/python -m pytest -q -n 2 --dist worksteal $(CONTROL)

slow: .venv/dev
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow $(addprefix --ignore=,$(CONTROL))
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow $(CONTROL)

# Types are checked where models and properties are inside the package, as they are once installed.
check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf .venv/typed && mkdir -p .venv/typed/simcore
	ln -s $(wildcard $(CURDIR)/simcore/*) $(CURDIR)/models $(CURDIR)/properties .venv/typed/simcore
	cd .venv/typed && ../bin/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache

# What depends on the interpreter, on another one: make elsewhere PYTHON=python3.15
HERE := .venv/elsewhere/$(notdir $(PYTHON))
ANYWHERE := $(addprefix tests/control/test_,command.py conforms.py every_order.py lanes.py model_of_code.py older.py thoroughly.py wrong_once.py)
elsewhere:
	$(PYTHON) -m venv $(HERE)
	$(HERE)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[fast,test]' pytest-xdist
	$(HERE)/bin/python -m pytest -q -n 2 --dist loadfile tests/kernel tests/execute tests/model tests/explore/compiled tests/explore/test_checkpoint*.py tests/explore/reduction/test_*natural*.py
	$(HERE)/bin/python -m pytest -q -n 2 --dist worksteal $(filter-out $(ANYWHERE),$(wildcard tests/control/test_*.py))
	$(HERE)/bin/python -m pytest -q -n 2 -m "slow or not slow" tests/control/test_recognised.py -k named_and_its_repaired_twin

bench: .venv/dev
	$(PIP) --editable '.[bench]'
	$(BIN)/python -m benchmarks

# A stamp is written only when everything before it succeeded, so an interrupted install is repeated.
.venv/demo: pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --editable '.[plots]'
	touch $@

.venv/dev: .venv/demo
	$(PIP) --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis reports
