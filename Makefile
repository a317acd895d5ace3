# What CI runs is what you run. Everything is set up in .venv, and again only where its inputs changed.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SOURCES := pyproject.toml CMakeLists.txt README.md $(shell find core/include core/src core/unicode python -type f \
	-not -name '*.pyc' -not -name '*.so')
CXX_FILES := $(shell find core/include core/src core/tests python/binding -name '*.h' -o -name '*.cpp' -o -name '*.c')

.PHONY: help demo test test-slow lint format bench wheel clean
help:
	@echo 'make demo       build pumice, index the Python documentation, answer questions from it'
	@echo 'make test       all tests but the slow ones'
	@echo 'make test-slow  the exhaustive suites: every code point, 100,000 random strings'
	@echo 'make lint       ruff, mypy, clang-format'
	@echo 'make format     write what lint asks for'
	@echo 'make bench      encoding speed beside model2vec, in one run'
	@echo 'make wheel      build a wheel into dist/'

demo: $(VENV)/.search
	$(VENV)/bin/pumice demo

test: $(VENV)/.test
	$(PY) -m pytest -m 'not slow' -q

test-slow: $(VENV)/.test
	$(PY) -m pytest -m slow -q

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/clang-format --dry-run --Werror $(CXX_FILES)

format: $(VENV)/.lint
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/clang-format -i $(CXX_FILES)

bench: $(VENV)/.test
	$(PY) benchmarks/encode.py

wheel: $(VENV)/.build
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf $(VENV) build dist

# A virtual environment with what building needs.
$(VENV)/.build: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'pumice needs Python 3.10 or newer: set PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'Python has no venv module: on Debian, apt-get install python3-venv' >&2; exit 1; }
	@command -v $(or $(CXX),c++) >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || \
		{ echo 'No C++ compiler: on Debian, apt-get install g++' >&2; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(PY) -m pip install --quiet --group build
	@touch $@

# pumice itself, built incrementally in build/.
$(VENV)/.package: $(VENV)/.build $(SOURCES)
	$(PY) -m pip install --quiet --no-build-isolation --no-deps --force-reinstall .
	@touch $@

$(VENV)/.search: $(VENV)/.package
	$(PY) -m pip install --quiet --no-build-isolation '.[search]'
	@touch $@

# The CPU build of torch comes first: a looser requirement would bring a GPU's libraries.
$(VENV)/.test: $(VENV)/.search
	$(PY) -m pip install --quiet torch==2.13.0
	$(PY) -m pip install --quiet --no-build-isolation '.[all]' --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PY) -m pip install --quiet --group lint
	@touch $@
