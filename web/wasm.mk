# The core as WebAssembly, with SIMD and without (-plain), for WordPiece models and for those of other tokenizers (-stages).
# Zig's pinned clang and wasi-libc's headers; nothing of WASI is linked, so the module imports nothing.
WASM_FLAGS := -target wasm32-wasi -std=c++20 -ffp-contract=off -fno-exceptions -fno-rtti -Icore/include \
	-Wall -Wextra -Werror -Wno-unused-command-line-argument
# What runs for every byte of a text or code of an index; the rest is built small, for it is fetched by every page.
WASM_FAST := tokenize_wordpiece topk pooling quantize simd/%
WASM_EXPORTS := status_message model_size open describe section worker_size worker_fast_size worker_init tokenize \
	token_spans vector_size encode_many pool nearest rescore
# The stack lies first, so that running over it traps and overwrites nothing. The memory is JavaScript's, which has a
# model in it before the core is compiled: it keeps this much free (web/src/memory.js).
WASM_CORE_PAGES := 5
WASM_LINK := -target wasm32-wasi -mexec-model=reactor -s -Wl,--no-entry,--gc-sections,-z,stack-size=131072,--import-memory,--initial-memory=$(shell expr $(WASM_CORE_PAGES) \* 65536) \
	$(WASM_EXPORTS:%=-Wl,--export=pumice_%)
ZIG := $(PY) -m ziglang
WASM_OBJECTS = $(CORE_CPP:core/src/%.cpp=build/wasm/$1/%.o)

.PHONY: wasm wasm-files
wasm:
	@$(MAKE) --no-print-directory -j$$(nproc 2>/dev/null || echo 2) wasm-files
wasm-files: $(addprefix web/wasm/,pumice.wasm pumice-plain.wasm pumice-stages.wasm pumice-stages-plain.wasm)

$(VENV)/.wasm: $(VENV)/.build
	$(PY) -m pip install --quiet --group wasm
	@touch $@

# A model needs one half: what the other half's files would do stands in web/native, and says that it is not there.
WASM_STAGES := bpe metaspace normal_forms normalize pre_tokenize precompiled replace split_patterns tokenize_stages unigram \
	word_level word_route
WASM_WORDPIECE := aligned_words alignment normalize_bert tokenize_wordpiece $(patsubst core/src/%.cpp,%,$(foreach of,find_words list_words, \
	$(wildcard core/src/simd/$(of)_*.cpp)))
wasm_wordpiece = $(filter-out $(WASM_STAGES:%=build/wasm/$1/%.o),$(call WASM_OBJECTS,$1)) build/wasm/$1/native/wordpiece_only.o
# Beside the stages' own work these do little: they are built small for them.
WASM_SMALL := topk pooling simd/classify_128 simd/rows_wasm simd/packed_wasm
wasm_stages = $(filter-out $(WASM_WORDPIECE:%=build/wasm/$1/%.o) $(WASM_SMALL:%=build/wasm/$1/%.o),$(call WASM_OBJECTS,$1)) \
	$(WASM_SMALL:%=build/wasm/$1/small/%.o) build/wasm/$1/native/stages_only.o

web/wasm/pumice.wasm: $(call wasm_wordpiece,simd) build/wasm/simd/native/abort.o build/wasm/simd/native/memchr.o
web/wasm/pumice-plain.wasm: $(call wasm_wordpiece,plain) build/wasm/plain/native/abort.o
web/wasm/pumice-stages.wasm: $(call wasm_stages,simd) build/wasm/simd/native/abort.o build/wasm/simd/native/memchr.o
web/wasm/pumice-stages-plain.wasm: $(call wasm_stages,plain) build/wasm/plain/native/abort.o
web/wasm/%.wasm:
	@mkdir -p $(@D)
	@$(ZIG) c++ $(WASM_LINK) $^ -o $@

# Zig passes -Oz on as -Os. Beside SIMD the portable kernels have but the dimensions that fill no register.
build/wasm/simd/simd/packed_portable.o build/wasm/simd/simd/rows_portable.o: wasm_level = $(WASM_SMALL_LEVEL)
WASM_SMALL_LEVEL := -Oz -Xclang -Oz
wasm_level = $(if $(filter $(WASM_FAST),$1),-O3,$(WASM_SMALL_LEVEL))
build/wasm/simd/%.o: WASM_FLAGS += -msimd128
build/wasm/%/simd/codes_portable.o: WASM_FLAGS += -fno-unroll-loops
build/wasm/simd/simd/merge_tokens.o: WASM_FLAGS += -fno-unroll-loops -fno-vectorize
build/wasm/simd/native/memchr.o: WASM_FLAGS += -O3 -fno-builtin
define wasm_rules
build/wasm/$1/native/%.o: web/native/%.cpp $(CORE_H) web/wasm.mk | $(VENV)/.wasm
	@mkdir -p $$(@D)
	@$(ZIG) c++ -Oz $$(WASM_FLAGS) -c $$< -o $$@

build/wasm/$1/small/%.o: core/src/%.cpp $(CORE_H) web/wasm.mk | $(VENV)/.wasm
	@mkdir -p $$(@D)
	@$(ZIG) c++ $$(WASM_FLAGS) $(WASM_SMALL_LEVEL) -DPUMICE_SMALL -c $$< -o $$@

build/wasm/$1/%.o: core/src/%.cpp $(CORE_H) web/wasm.mk | $(VENV)/.wasm
	@mkdir -p $$(@D)
	@$(ZIG) c++ $$(WASM_FLAGS) $$(call wasm_level,$$*) -c $$< -o $$@
endef
$(foreach build,simd plain,$(eval $(call wasm_rules,$(build))))

# Tests of the npm package in Node, Deno, Bun, Chromium and Firefox; what is absent is skipped, with the command that installs it.
.PHONY: test-web
test-web: wasm extension web-demo
	@if ! command -v npm >/dev/null; then echo 'No Node: on Debian, apt-get install nodejs npm; the tests of web/ are skipped'; \
	else $(MAKE) --no-print-directory web/node_modules/.package-lock.json && \
		{ $(MAKE) --no-print-directory web/tests/runtimes/node_modules/.package-lock.json || \
			echo 'npm has no Deno, Bun, Node 18 and puppeteer-core for this machine now: their tests are skipped'; } && \
		cd web && node --test tests/*.test.mjs tests/*/*.test.mjs; fi

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund

web/tests/runtimes/node_modules/.package-lock.json: web/tests/runtimes/package-lock.json
	cd web/tests/runtimes && npm ci --ignore-scripts --no-audit --no-fund

# Speed in Chromium beside native code and transformers.js: a table.
.PHONY: bench-web
bench-web: wasm web/node_modules/.package-lock.json web/bench/node_modules/.package-lock.json
	node web/bench/bench.mjs $(abspath $(PY))

web/bench/node_modules/.package-lock.json: web/bench/package-lock.json
	cd web/bench && npm ci --ignore-scripts --no-audit --no-fund

# The browser extension, ready to load unpacked, in web/dist/extension.
.PHONY: extension
extension: wasm web/models/find.pumice
	@rm -rf web/dist/extension && mkdir -p web/dist/extension/models web/dist/extension/pumice
	@cp -r $(addprefix web/extension/,manifest.json background.js options.html options.css options.js content icons) web/dist/extension/
	@cp -r web/src web/wasm web/dist/extension/pumice/
	@cp web/models/find.pumice web/dist/extension/models/

web/models/find.pumice: web/extension/model.py python/pumice/models/pumice-base-en.pumice $(VENV)/.package
	$(PY) $< $@

# The demo page, static files that any server hosts, in web/dist/demo.
.PHONY: web-demo
web-demo: wasm web/models/find.pumice
	@if command -v node >/dev/null; then node web/demo/build.mjs; else echo 'No Node: on Debian, apt-get install nodejs npm'; fi

# The same with transformers.js and all-MiniLM-L6-v2 beside it, some 90 MB: a button compares them.
.PHONY: web-demo-compare
web-demo-compare: web-demo web/bench/node_modules/.package-lock.json
	$(PY) web/demo/weights.py web/dist/demo
