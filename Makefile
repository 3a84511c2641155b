# Two commands: `make book` and `make test`. Both set up the environment first; only python3 and make are assumed.
PROFILE ?= laptop
JOBS ?= 2
PYTHON ?= python3
# Options of JupyterLab, for `make lab`.
LAB ?=

VENV := .venv
BIN := $(VENV)/bin
# One thread a process: notebooks and tests share the cores among themselves.
export OMP_NUM_THREADS = 1

.DEFAULT_GOAL := help
.PHONY: help env book test acceptance portability lint format lab lab-user clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
	@echo "  PROFILE=smoke, laptop (the default) or full chooses what the book shows; JOBS=2 notebooks run at once."

env: $(VENV)/.made  ## the environment in .venv, from requirements.txt and constraints.txt

$(VENV)/.made: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.11")'
	@test -x $(BIN)/pip || { echo "making $(VENV), about a minute and 2.3 GB"; $(PYTHON) -m venv $(VENV); }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt -c constraints.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

book: env  ## the book at book/_build/html/index.html, from PROFILE
	@$(BIN)/python -m sparsenn_book book --profile $(PROFILE) --jobs $(JOBS)

test: env  ## functions, files and processes, in minutes; JOBS at once
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not acceptance"

acceptance: env  ## the longer tests: every notebook, committed results, built pages in a browser, killed sweeps
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m acceptance

portability: env  ## the numerical tests as other processors compute them
	@.ci/portability $(BIN)/python

lint: env  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: env  ## put the source into the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

$(VENV)/.lab: $(VENV)/.made
	@echo "adding JupyterLab"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check jupyterlab -c constraints.txt
	@touch $@

# JupyterLab refuses to run as root, which is what one is in many a container.
lab-user:
	@test "$$(id -u)" != 0 || case " $(LAB) " in *" --allow-root "*) ;; *) \
		echo "make lab: JupyterLab does not run as root: be another user, or, where only you reach this machine, make lab LAB=--allow-root"; exit 2 ;; esac

# The paired .ipynb in build/ipynb are written from notebooks/*.py here and back by JupyterLab on every save.
lab: lab-user $(VENV)/.lab  ## JupyterLab (added at first use) with the paired notebooks; LAB= passes options on
	@$(BIN)/jupytext --quiet --sync notebooks/[0-9]*.py
	@JUPYTER_PATH=$$($(BIN)/python -m sparsenn_book.runner.kernel build/jupyter) $(BIN)/jupyter lab $(LAB) --LabApp.default_url=/lab/tree/build/ipynb

clean:  ## remove what was built; keeps .venv and results/full, custom and sweeps
	@rm -rf build book/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@mkdir -p results
	@find results -mindepth 1 -maxdepth 1 ! -name full ! -name custom ! -name sweeps -exec rm -rf {} +
	@find . -name __pycache__ -not -path './$(VENV)/*' -exec rm -rf {} +
