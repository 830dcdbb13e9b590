# Each target makes and keeps .venv by itself; Python 3.11 or later and make are all that is needed.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SITE_TOOLS := .venv/.site
NODE_TOOLS := axe-core@4.14.1 html-validate@9.7.1 configurable-http-proxy@5.3.0

.PHONY: demo test slow selftest bubblewrap postgresql browser elsewhere platform hub lint format corpus spellings bench load soak docs site clean

demo: $(READY)
	$(BIN)/grader check tests/corpus/linear_regression/s077.ipynb --exercise linear_regression

test: $(READY) bubblewrap postgresql
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

# The slow ends of the suite: every attack in every arena, every right submission watched and not.
slow: $(READY) bubblewrap postgresql browser elsewhere platform hub $(SITE_TOOLS)
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

# Every mistake, planted in each reference where it can be, has to be caught and named.
selftest: $(READY)
	$(BIN)/grader selftest --plants 1

# One tier of the sandbox; where it is not and cannot be installed, its tests are skipped and say so.
bubblewrap:
	command -v bwrap || (apt-get update -qq && apt-get install -qq -y --no-install-recommends bubblewrap) || true

# A server for gradebooks, which the tests start themselves; where it is not and cannot be installed, they are skipped and say so.
postgresql:
	ls /usr/lib/postgresql/*/bin/initdb || (apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql) || true

# What looks at pages, and the proxy of a JupyterHub; where it is not and cannot be installed, its tests are skipped and say so.
browser: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	command -v chromium || (apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium) || true
	command -v npm || (apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs npm) || true
	test -d .npm/node_modules/configurable-http-proxy || npm install --no-save --no-package-lock --no-audit --no-fund --prefix .npm $(NODE_TOOLS) || true

# Other graders; without them, their tests are skipped and say so.
elsewhere: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[elsewhere]'

# A learning platform for LTI that others wrote; without it, its tests are skipped and say so.
platform: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[platform]'

# A hub that has the service beside it; without it, its test is skipped and says so. Its proxy comes with what `browser` gets.
hub: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[hub]'

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The whole labelled corpus under three seeds; the table is kept in docs/measurements.md.
corpus: $(READY)
	$(BIN)/python -m tests.measure.corpus --keep

# Every spelling of the two most asked-about mistakes, and right look-alikes; some of them are in the suite.
spellings: $(READY)
	$(BIN)/python -m tests.measure.spellings

# What a grading costs beside what cannot be saved, and a class beside other graders, which are put into .bench/; interleaved. The tables
# are kept in docs/measurements.md; both are made, also where a target of the first was missed.
bench: $(READY)
	$(BIN)/python -m tests.measure.bench --keep; first=$$?; \
	$(BIN)/python -m tests.measure.bench_batch --keep && exit $$first

# What a class waits for that hands in at the service within a minute, and what a crash then loses; kept as well.
load: $(READY)
	$(BIN)/python -m tests.measure.bench_service --keep

# Five hundred kernels leave nothing behind, and a hundred grades of one file give one report; kept as well.
soak: $(READY)
	$(BIN)/python -m tests.measure.soak --keep

# What is generated: the report schema, the command line, the picture of a report.
docs: $(READY)
	$(BIN)/python -m tests.measure.docs

# The documentation as a site, in site/. A link, an anchor or a page that leads nowhere is an error.
site: $(SITE_TOOLS)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet --fresh-env --write-all docs site
	@echo "Open site/index.html in a browser."

$(SITE_TOOLS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $(SITE_TOOLS)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv .npm .bench dist build site .pytest_cache .mypy_cache .ruff_cache
