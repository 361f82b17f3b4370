# Two commands set everything up on a machine with Python 3.11 or later: `make demo` and `make test`.
# Everything is installed into .venv and nowhere else.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo matrix test slow check bench clean

demo: .venv/ready
	$(BIN)/simcore reproduce models/reports/nvflare-4171.toml

matrix: .venv/ready
	$(BIN)/simcore matrix

test: .venv/ready
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

slow: .venv/ready
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/ready
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks

# The last line is written only when everything before it succeeded, so an interrupted install is repeated.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis reports
