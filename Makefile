# Two commands for a newcomer: make demo, make test. Each sets up what it needs first.
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test lint types unit docs interchange mutants agents bench setup clean

demo: $(READY)
	@$(BIN)/wiretape demo

# mypy runs beside the tests: alone it would leave all cores but one idle.
test: $(READY)
	@echo "make test: ruff, mypy and 15,000 tests take about six minutes on two idle cores, and longer on busy ones"
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory -j2 types unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# The documentation: what is generated of it, then the site, in site/. A broken link ends it.
docs: $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[docs]'
	$(BIN)/python tests/pages
	$(BIN)/python -m pytest -q tests/pages tests/e2e/test_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f config/mkdocs.yml
	@echo "the site is in site/: open site/index.html, or .venv/bin/mkdocs serve -f config/mkdocs.yml"

# The public recorder beside ours. It is installed into an environment of its own: where it cannot be had, all is skipped.
interchange: $(READY)
	INTERCHANGE=1 $(BIN)/python -m pytest tests/e2e/test_interchange.py

# Which small changes of a module no test notices: make mutants MODULE=codecs/sse
mutants: $(READY)
	$(BIN)/python tests/support/mutants.py $(MODULE) $(MUTANTS)

# The makers' own agents, from npm and PyPI, recorded once and replayed in four places, ten times each. On two quiet cores
# it takes half an hour. It needs unshare, ip and git, and faketime for another day: make agents AGENTS="codex --runs 1"
# Two more groups, quicker: make agents AGENTS="frameworks languages --steps folder --runs 3"
agents: $(READY)
	$(BIN)/python tests/agents $(AGENTS)

# All of it takes half an hour on two quiet cores. make bench BENCH=--quick tries whether it works.
bench: $(READY)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -e '.[bench]'
	@if command -v npm >/dev/null; then \
	  npm install --prefix tests/bench --no-package-lock --no-audit --no-fund --silent; \
	else echo "npm is not on the path: aimock, MockServer and WireMock will be left out"; fi
	$(BIN)/python tests/bench $(BENCH)

setup: $(READY)

# Python 3.12 or newer: by .python-version (pyenv reads it), or the first fit on the path. Packages are compiled once: where
# Python may not write bytecode, each mitmdump that a test starts would compile them again.
$(READY): pyproject.toml tests/node/package.json
	@set -e; found=; \
	for name in python3 python3.12 python3.13 python3.14 python; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "wiretape needs Python 3.12 or newer: none is on the path." >&2; \
	  echo "Install one (for example: pyenv install 3.12) and run make again." >&2; exit 1; \
	fi; \
	echo "setting up $(VENV) with $$($$found --version)"; \
	$$found -m venv --clear $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5,<1'; \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -e '.[test]'
	@if command -v npm >/dev/null; then \
	  npm install --prefix tests/node --no-package-lock --no-audit --no-fund --silent; \
	else echo "npm is not on the path: the tests that need its packages will be skipped"; fi
	@touch $@

clean:
	rm -rf $(VENV) agents dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/node/node_modules tests/bench/node_modules
