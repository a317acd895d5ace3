# What CI runs is what you run. Everything is set up in .venv, and again only where its inputs changed.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SOURCES := pyproject.toml CMakeLists.txt README.md $(shell find core/include core/src core/unicode python -type f \
	-not -name '*.pyc' -not -name '*.so')
CXX_FILES := $(shell find core/include core/src core/tests core/fuzz python/binding tests -name '*.h' -o -name '*.cpp' -o -name '*.c')

.PHONY: help demo test test-slow test-kills test-crash test-engines test-free-threaded test-exhaustive bench-batch lint format bench bench-vocabularies bench-laghu sanitize fuzz fuzz-smoke wheel clean
help:
	@echo 'make demo       build pumice, index the Python documentation, answer questions from it'
	@echo 'make test       all tests but the slow ones'
	@echo 'make test-slow  WordPiece ids on every code point and 100,000 random strings; distillation parity; killed runs; mteb; a comparison; a Cortex-M in QEMU'
	@echo 'make test-crash an index is killed CRASHES times (100) while it adds, deletes and optimizes'
	@echo 'make test-kills  batch runs killed fifty times, workers and nodes of a Ray cluster killed'
	@echo 'make test-engines  the snippets of docs/scaling.md in DuckDB, Spark, Dask, Daft and Ray (Spark needs Java)'
	@echo 'make test-free-threaded  encoding in many threads under a Python without a GIL (FREE_THREADED=python3.14t)'
	@echo 'make bench-batch  batch embedding: share of the in-memory rate, stages, processes, Ray, Qdrant Edge'
	@echo 'make test-exhaustive  the same of every normalizer, pre-tokenizer and model; an hour and more'
	@echo 'make sanitize   fuzz regressions and the core tests under ASan and UBSan, threads under TSan'
	@echo 'make fuzz       each libFuzzer target for FUZZ_SECONDS (needs clang)'
	@echo 'make lint       ruff, mypy, clang-format'
	@echo 'make format     write what lint asks for'
	@echo 'make bench      encoding speed beside every peer that is installed, in one run'
	@echo 'make bench-vocabularies  the same of large Unigram and BPE vocabularies over twelve languages'
	@echo 'make bench-laghu  encoding speed beside laghu-rs, which has an environment of its own'
	@echo 'make wasm       the core as WebAssembly, into web/wasm'
	@echo 'make test-web   the npm package and the extension in Node and headless Chromium'
	@echo 'make extension  find in page by meaning, for the browser, into web/dist'
	@echo 'make web-demo   a page that searches your files, static and offline, into web/dist'
	@echo 'make web-demo-compare  the same with transformers.js and all-MiniLM-L6-v2 beside it'
	@echo 'make bench-web  WebAssembly in Chromium beside native code and transformers.js'
	@echo 'make wheel      build a wheel into dist/'

demo: $(VENV)/.search
	$(VENV)/bin/pumice demo

test: $(VENV)/.test wasm
	$(PY) -m pytest -m 'not slow' -q -n auto --dist worksteal

test-slow: $(VENV)/.test
	$(PY) -m pytest -m slow -q tests/parity/test_token_ids.py tests/parity/test_unicode.py tests/distill tests/train tests/search/test_storage.py tests/search/test_reranking.py tests/evaluate tests/test_kernels.py tests/test_c_interface.py

# Two minutes on two free cores: every start of a command that is to be killed takes a second.
test-kills: $(VENV)/.ray
	$(PY) -m pytest -m slow -q tests/batch/test_killed.py tests/batch/test_lance.py tests/batch/test_index.py tests/batch/test_ray.py tests/batch/test_ray_nodes.py

# An index is killed at random moments; PUMICE_CRASH_SEED=N begins with another one.
CRASHES ?= 100
test-crash: $(VENV)/.test
	PUMICE_CRASHES=$(CRASHES) $(PY) -m pytest -m slow -q tests/search/test_crash.py

test-engines: $(VENV)/.engines
	$(PY) -m pytest -m slow -q tests/batch/test_docs.py

# Of pumice's dependencies only numpy: few others have wheels for a Python without a GIL.
FREE_THREADED ?= python3.14t
BARE := $(VENV)-free-threaded
test-free-threaded:
	@command -v $(FREE_THREADED) >/dev/null || \
		{ echo 'No $(FREE_THREADED): build Python with --disable-gil, and name it: FREE_THREADED=path' >&2; exit 1; }
	test -x $(BARE)/bin/python || $(FREE_THREADED) -m venv $(BARE)
	$(BARE)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BARE)/bin/python -m pip install --quiet --only-binary :all: --group build numpy pytest
	$(BARE)/bin/python -m pip install --quiet --no-build-isolation --no-deps --force-reinstall .
	$(BARE)/bin/python -m pytest -q tests/test_threads.py tests/test_interrupt.py

bench-batch: $(VENV)/.ray
	$(PY) benchmarks/batch.py

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

bench-vocabularies: $(VENV)/.test
	$(PY) benchmarks/vocabularies.py

# laghu-rs runs beside one version of tokenizers only, which is not the one that the others want.
LAGHU := build/laghu
bench-laghu:
	test -x $(LAGHU)/bin/python || $(PYTHON) -m venv $(LAGHU)
	$(LAGHU)/bin/pip install --quiet laghu==0.4.0 laghu-rs==0.2.0 tokenizers==0.23.2 model2vec==0.10.0 .
	$(LAGHU)/bin/python benchmarks/encode.py --dim 256 --peer laghu-rs --peer model2vec

CORE_CPP := $(wildcard core/src/*.cpp core/src/simd/*.cpp)
CORE_H := $(shell find core/include core/src core/unicode python/binding -name '*.h' -o -name '*.inc')
FUZZ_H := $(wildcard core/fuzz/*.h)
CORE_FLAGS := -std=c++20 -O1 -g -Wall -Wextra -Werror -ffp-contract=off -Icore/include
TESTDATA_FLAG := -DPUMICE_FUZZ_MODELS='"$(CURDIR)/testdata/"'
FAMILIES := wordpiece phrases unigram bpe byte_level_bpe word_level
FUZZ_TARGETS := open_model encode $(FAMILIES:%=tokenize-%)
# The golden model of a family: WordPiece's are named after how they store rows.
golden = $(if $(filter wordpiece,$1),int8,$1)
# What a target replays: hostile files, or texts under rules, which all of the others share.
inputs = core/fuzz/regressions/$(if $(filter open_model,$1),model,text)

include web/wasm.mk

# The core is compiled once for each set of sanitizers, into core.a of its folder.
MEMORY := -fsanitize=address,undefined -fno-sanitize-recover=all
THREADS := -fsanitize=thread -pthread
FUZZER := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_CXX ?= clang++
FUZZ_SECONDS ?= 600
SANITIZE := build/sanitize
.SECONDARY:

$(SANITIZE)/memory/core.a: $(CORE_CPP:core/src/%.cpp=$(SANITIZE)/memory/core/%.o)
	@$(AR) rcs $@ $^

$(SANITIZE)/memory/core/%.o: core/src/%.cpp $(CORE_H)
	@mkdir -p $(@D)
	@$(CXX) $(CORE_FLAGS) -fno-exceptions -fno-rtti $(MEMORY) -c $< -o $@

$(SANITIZE)/threads/core.a: $(CORE_CPP:core/src/%.cpp=$(SANITIZE)/threads/core/%.o)
	@$(AR) rcs $@ $^

$(SANITIZE)/threads/core/%.o: core/src/%.cpp $(CORE_H)
	@mkdir -p $(@D)
	@$(CXX) $(CORE_FLAGS) -fno-exceptions -fno-rtti $(THREADS) -c $< -o $@

build/fuzz/core.a: $(CORE_CPP:core/src/%.cpp=build/fuzz/core/%.o)
	@$(AR) rcs $@ $^

build/fuzz/core/%.o: core/src/%.cpp $(CORE_H)
	@command -v $(FUZZ_CXX) >/dev/null || \
		{ echo 'No clang: on Debian, apt-get install clang libclang-rt-14-dev' >&2; exit 1; }
	@mkdir -p $(@D)
	@$(FUZZ_CXX) $(CORE_FLAGS) $(FUZZER) -c $< -o $@

# The fuzz targets over their committed inputs, the core's tests, and threads, under GCC's or clang's sanitizers.
REPLAYS := $(FUZZ_TARGETS:%=$(SANITIZE)/memory/%)
sanitize: $(REPLAYS) $(addprefix $(SANITIZE)/memory/,kernels_test topk_test unicode_test split_test threads encode_c run_table_test training_test) \
		$(addprefix $(SANITIZE)/threads/,threads parallel_test training_test)
	@$(foreach target,$(FUZZ_TARGETS),$(SANITIZE)/memory/$(target) $(call inputs,$(target))/* 2>$(SANITIZE)/$(target).log || \
		{ tail -n 40 $(SANITIZE)/$(target).log >&2; exit 1; }; )
	@$(SANITIZE)/memory/kernels_test
	@$(SANITIZE)/memory/topk_test
	@$(SANITIZE)/memory/unicode_test
	@$(SANITIZE)/memory/split_test
	@$(SANITIZE)/memory/run_table_test
	@for memory in memory threads; do $(SANITIZE)/$$memory/training_test || exit 1; done
	@for memory in memory threads; do $(SANITIZE)/$$memory/threads testdata/golden-int8.pumice README.md || exit 1; done
	@for family in unigram int8; do $(SANITIZE)/threads/parallel_test testdata/golden-$$family.pumice || exit 1; done

$(SANITIZE)/memory/tokenize-%: core/fuzz/tokenize.cpp core/fuzz/replay.cpp $(SANITIZE)/memory/core.a $(FUZZ_H)
	@$(CXX) $(CORE_FLAGS) $(MEMORY) $(TESTDATA_FLAG) -DPUMICE_FUZZ_FAMILY='"$(call golden,$*)"' $(filter %.cpp %.a,$^) -o $@

$(SANITIZE)/memory/%: core/fuzz/%.cpp core/fuzz/replay.cpp $(SANITIZE)/memory/core.a $(FUZZ_H)
	@$(CXX) $(CORE_FLAGS) $(MEMORY) $(TESTDATA_FLAG) $(filter %.cpp %.a,$^) -o $@

$(SANITIZE)/memory/run_table_test: tests/binding/run_table_test.cpp python/binding/run_table.cpp $(CORE_H)
	@mkdir -p $(@D)
	@$(CXX) $(CORE_FLAGS) $(MEMORY) $(filter %.cpp,$^) -o $@

TRAINING_CPP := $(filter-out %/training.cpp,$(wildcard python/binding/training/*.cpp))
TRAINING_FLAGS := -Icore/src -Ipython/binding/training -pthread
$(SANITIZE)/memory/training_test: tests/binding/training_test.cpp $(TRAINING_CPP) $(CORE_H)
	@mkdir -p $(@D)
	@$(CXX) $(CORE_FLAGS) $(TRAINING_FLAGS) $(MEMORY) $(filter %.cpp,$^) -o $@

$(SANITIZE)/threads/training_test: tests/binding/training_test.cpp $(TRAINING_CPP) $(CORE_H)
	@mkdir -p $(@D)
	@$(CXX) $(CORE_FLAGS) $(TRAINING_FLAGS) $(THREADS) $(filter %.cpp,$^) -o $@

$(SANITIZE)/memory/encode_c: core/tests/encode.c $(SANITIZE)/memory/core.a
	@$(CC) -std=c11 -pedantic -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L -Icore/include $(MEMORY) -g -c $< -o $@.o
	@$(CXX) $(MEMORY) $@.o $(filter %.a,$^) -o $@

$(SANITIZE)/memory/%: core/tests/%.cpp $(SANITIZE)/memory/core.a
	@$(CXX) $(CORE_FLAGS) $(MEMORY) -pthread $(filter %.cpp %.a,$^) -o $@

$(SANITIZE)/threads/%: core/tests/%.cpp $(SANITIZE)/threads/core.a
	@$(CXX) $(CORE_FLAGS) $(THREADS) $(filter %.cpp %.a,$^) -o $@

$(SANITIZE)/threads/%: tests/binding/%.cpp python/binding/parallel.cpp python/binding/workers.cpp \
		$(SANITIZE)/threads/core.a
	@$(CXX) $(CORE_FLAGS) $(THREADS) $(filter %.cpp %.a,$^) -o $@

# Each libFuzzer target for FUZZ_SECONDS. What it finds lies in build/fuzz; a regression is a file of `inputs`.
fuzz: $(FUZZ_TARGETS:%=build/fuzz/%)
	@$(foreach target,$(FUZZ_TARGETS),mkdir -p build/fuzz/corpus/$(target) && build/fuzz/$(target) \
		-max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
		-artifact_prefix=build/fuzz/$(target)- build/fuzz/corpus/$(target) $(call inputs,$(target)) \
		2>build/fuzz/$(target).log; status=$$?; echo $(target); \
		grep -E 'broken|SUMMARY|Test unit|executed_units|exec_per_sec' build/fuzz/$(target).log; \
		test $$status = 0 || exit 1; )

# For CI: a few seconds of each where there is a clang with libFuzzer.
fuzz-smoke:
	@mkdir -p build/fuzz && echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }' > build/fuzz/empty.cpp
	@if $(FUZZ_CXX) $(FUZZER) build/fuzz/empty.cpp -o build/fuzz/empty 2>/dev/null; \
		then $(MAKE) fuzz FUZZ_SECONDS=10; else echo 'No clang with libFuzzer: fuzzing is skipped'; fi

build/fuzz/tokenize-%: core/fuzz/tokenize.cpp build/fuzz/core.a $(FUZZ_H)
	@$(FUZZ_CXX) $(CORE_FLAGS) $(FUZZER) $(TESTDATA_FLAG) -DPUMICE_FUZZ_FAMILY='"$(call golden,$*)"' $(filter %.cpp %.a,$^) -o $@

build/fuzz/%: core/fuzz/%.cpp build/fuzz/core.a $(FUZZ_H)
	@$(FUZZ_CXX) $(CORE_FLAGS) $(FUZZER) $(TESTDATA_FLAG) $(filter %.cpp %.a,$^) -o $@

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

$(VENV)/.ray: $(VENV)/.test
	$(PY) -m pip install --quiet --no-build-isolation '.[ray]'
	@touch $@

$(VENV)/.engines: $(VENV)/.ray
	$(PY) -m pip install --quiet --group engines
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PY) -m pip install --quiet --group lint
	@touch $@
