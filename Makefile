# Every target creates or reuses .venv and installs what it needs. Start with `make demo`.
PYTHON ?= python3
BIN := .venv/bin
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test test-slow bench docs lint servers clean

demo: .venv/installed        ## the main job on the embedded model, in seven steps
	$(BIN)/python -m whetstone.app.demo

test: .venv/installed lint   ## lint, types and the fast tests
	@command -v c++ >/dev/null && $(MAKE) --no-print-directory servers || echo "llama.cpp is not built: the tests on its server are skipped"
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-slow: .venv/installed   ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

bench: .venv/installed       ## speed, as ratios measured in one run
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

docs: .venv/installed        ## regenerate the generated pages (a test fails when they are stale)
	$(BIN)/python -m whetstone.app.docs

lint: .venv/installed        ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p whetstone

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[local,data,http,web,dev]"
	touch $@

servers: .venv-servers/installed  ## llama.cpp's server for the tests, built from source (two to three minutes)

# Without its programs and with little optimisation it is built in less than half the time; it only has to serve grit.
.venv-servers/installed: export CMAKE_BUILD_PARALLEL_LEVEL ?= 2
.venv-servers/installed: export CMAKE_ARGS ?= -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAVA_BUILD=OFF -DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O1
.venv-servers/installed:
	$(PYTHON) -m venv .venv-servers
	.venv-servers/bin/python -m pip install --quiet --disable-pip-version-check gguf==0.19.0 'llama-cpp-python[server]==0.3.36'
	touch $@

clean:                       ## remove the environment and caches; runs/ stays
	rm -rf .venv .venv-servers build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
