# What CI runs is what you run. Everything is set up in .venv, and again only where its inputs changed.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SOURCES := pyproject.toml CMakeLists.txt README.md $(shell find core/include core/src core/unicode python -type f \
	-not -name '*.pyc' -not -name '*.so')
CXX_FILES := $(shell find core/include core/src core/tests core/fuzz python/binding -name '*.h' -o -name '*.cpp' -o -name '*.c')

.PHONY: help demo test test-slow test-exhaustive lint format bench fuzz wheel clean
help:
	@echo 'make demo       build pumice, index the Python documentation, answer questions from it'
	@echo 'make test       all tests but the slow ones'
	@echo 'make test-slow  WordPiece ids on every code point and 100,000 random strings; distillation parity'
	@echo 'make test-exhaustive  the same of every normalizer, pre-tokenizer and model; an hour and more'
	@echo 'make fuzz       each libFuzzer target for FUZZ_SECONDS (needs clang)'
	@echo 'make lint       ruff, mypy, clang-format'
	@echo 'make format     write what lint asks for'
	@echo 'make bench      encoding speed beside every peer that is installed, in one run'
	@echo 'make wheel      build a wheel into dist/'

demo: $(VENV)/.search
	$(VENV)/bin/pumice demo

test: $(VENV)/.test
	$(PY) -m pytest -m 'not slow' -q

test-slow: $(VENV)/.test
	$(PY) -m pytest -m slow -q tests/parity/test_token_ids.py tests/parity/test_unicode.py tests/distill tests/test_kernels.py

test-exhaustive: $(VENV)/.test
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
	$(PY) benchmarks/encode.py --dim 256

FUZZ_SECONDS ?= 600
FUZZ_CXX ?= clang++
FUZZ_FLAGS := -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-ffp-contract=off -Icore/include -DPUMICE_FUZZ_MODEL='"$(CURDIR)/testdata/golden-int8.pumice"'
CORE_CPP := $(wildcard core/src/*.cpp core/src/simd/*.cpp)

fuzz: build/fuzz/open_model build/fuzz/encode
	@for target in open_model encode; do mkdir -p build/fuzz/corpus/$$target && \
	build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
	-artifact_prefix=build/fuzz/$$target- build/fuzz/corpus/$$target core/fuzz/regressions/$$target || exit 1; done

build/fuzz/%: core/fuzz/%.cpp $(wildcard core/fuzz/*.h core/src/*.h core/src/simd/*.h) $(CORE_CPP)
	@command -v $(FUZZ_CXX) >/dev/null || \
		{ echo 'No clang: on Debian, apt-get install clang libclang-rt-14-dev' >&2; exit 1; }
	@mkdir -p $(@D)
	$(FUZZ_CXX) $(FUZZ_FLAGS) $< $(CORE_CPP) -o $@

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
