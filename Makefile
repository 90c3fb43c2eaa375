# Two commands on a fresh machine with Python 3.11 or newer and make: `make demo` and `make test`.
# The environments lie in .venv-demo and .venv-test and are made anew only when pyproject.toml changes.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
DEMO := .venv-demo/bin
TEST := .venv-test/bin
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint types check plain bench bench-quick clean

demo: .venv-demo/ready  ## train a digit classifier with NumPy and h5py alone
	@$(DEMO)/keras-front demo

test: lint types check plain  ## everything: lint, types, the suite on all backends, the suite on NumPy alone

lint: .venv-test/ready
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .

types: .venv-test/ready
	$(TEST)/mypy

check: .venv-test/ready
	$(TEST)/python -m pytest -q -n 2 --dist loadfile

plain: .venv-demo/ready  ## with NumPy and h5py only: imports, trains, saves
	$(DEMO)/python tests/plain.py

bench: .venv-test/ready
	$(TEST)/python benchmarks/run.py

bench-quick: .venv-test/ready
	$(TEST)/python benchmarks/run.py --quick

.venv-demo/ready: pyproject.toml
	@$(if $(PYTHON),,$(error this needs Python 3.11 or newer; set PYTHON=/path/to/python))
	@echo "making .venv-demo (NumPy and h5py) ..."
	@$(PYTHON) -m venv --clear .venv-demo
	@$(DEMO)/python $(PIP) --editable .
	@touch $@

.venv-test/ready: pyproject.toml
	@$(if $(PYTHON),,$(error this needs Python 3.11 or newer; set PYTHON=/path/to/python))
	@echo "making .venv-test (all engines; this downloads about 1 GB) ..."
	@$(PYTHON) -m venv --clear .venv-test
	@$(TEST)/python $(PIP) --editable '.[test]'
	@touch $@

clean:
	rm -rf .venv-demo .venv-test build *.egg-info
