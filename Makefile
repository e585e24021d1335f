# Each chore is one word. `make demo` and `make test` are the two that a newcomer needs.
SHELL := /bin/sh
VENV := .venv
INPUTS := pyproject.toml constraints.txt scripts/venv

# Two processes share the tests, file by file; a fixed seed makes both collect them in the same order.
PYTEST := PYTHONHASHSEED=0 $(VENV)/bin/python -m pytest -n 2 --dist loadfile

# What `make test` runs a second time, on PostgreSQL: where the database decides.
CRASHES := $(addprefix tests/e2e/test_crash.py::,test_upload_dies_before_it_is_acknowledged \
    test_kill_in_the_middle_of_an_upload test_copy_goes_on_after_a_crash) \
    tests/e2e/test_chaos.py::test_killed_again_and_again
ON_POSTGRESQL := $(CRASHES) $(addprefix tests/service/,test_at_once.py images/test_api_list.py \
    images/test_api_members.py identity/test_tokens.py imports/test_image_import.py replicator/test_jobs.py \
    stores/test_quotas.py stores/test_check.py test_backup.py test_purge.py)

# And a third time, with the images in a bucket: where the store decides.
ON_OBJECTS := $(addprefix tests/service/,test_at_once.py images/test_api_data.py imports/test_image_import.py \
    stores/test_quotas.py replicator/test_glance_download.py)

.PHONY: help setup man demo test lint types unit service clients differential e2e postgres objects chaos damage packages \
    format constraints clean bench

help:
	@echo "make demo         install into .venv and run the whole story once"
	@echo "make test         install what tests need and run them all"
	@echo "make setup        make .venv alone"
	@echo "make man          write a man page for each command into build/man"
	@echo "make lint types   ruff; mypy --strict"
	@echo "make postgres     the tests of the service on PostgreSQL; make test runs the most telling of them"
	@echo "make chaos        kill the service 1,000 times under load, on each database (ROUNDS=50 SEED=1: less of it)"
	@echo "make objects      the tests of the service with its images in a bucket; make test runs the most telling of them"
	@echo "make packages     run the Containerfile in a plain Debian root (as root, with mmdebstrap)"
	@echo "make damage       damage 1,000 images in two stores, and find and repair all of them"
	@echo "make bench        every figure beside its peers (SIZE=256M ONLY=upload,download RUNS=3: less of it)"
	@echo "make constraints  look up newer versions of everything and pin them"

$(VENV)/.installed: $(INPUTS)
	@scripts/venv server
	@touch $@

$(VENV)/.installed-dev: $(INPUTS)
	@scripts/venv server,dev
	@touch $(VENV)/.installed $@

setup: $(VENV)/.installed

man: setup
	@$(VENV)/bin/python packaging/manpages.py build/man

demo: setup
	@$(VENV)/bin/ecl demo

test: lint types $(VENV)/.installed-dev
	@scripts/test-inputs
	$(PYTEST)
	$(PYTEST) --database postgresql $(ON_POSTGRESQL)
	$(PYTEST) --store object $(ON_OBJECTS)

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.installed-dev
	$(VENV)/bin/mypy

unit service clients differential e2e: $(VENV)/.installed-dev
	@scripts/test-inputs
	$(PYTEST) tests/$@

damage: $(VENV)/.installed-dev
	DAMAGED_IMAGES=1000 $(PYTEST) tests/service/stores/test_check.py tests/service/stores/test_scrub.py

postgres: $(VENV)/.installed-dev
	@scripts/test-inputs
	$(PYTEST) --database postgresql tests/service tests/e2e/test_crash.py tests/e2e/test_crash_import.py tests/e2e/test_chaos.py

chaos: $(VENV)/.installed-dev
	@scripts/test-inputs
	PYTHONPATH=tests $(VENV)/bin/python -m chaos --rounds $(or $(ROUNDS),1000) --seed $(or $(SEED),0)
	PYTHONPATH=tests $(VENV)/bin/python -m chaos --rounds $(or $(ROUNDS),1000) --seed $(or $(SEED),0) --database postgresql

objects: $(VENV)/.installed-dev
	@scripts/test-inputs
	$(PYTEST) --store object tests/service

packages: $(VENV)/.installed-dev
	$(VENV)/bin/python -m pytest -rA --timeout 1800 packaging

bench: $(VENV)/.installed-dev
	@benchmarks/prepare
	@$(VENV)/bin/python -m benchmarks.run $(if $(SIZE),--size $(SIZE)) $(if $(ONLY),--only $(ONLY)) \
	    $(if $(RUNS),--runs $(RUNS)) $(if $(ROWS),--rows $(ROWS))

format: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

constraints:
	uv pip compile --quiet --universal --python-version 3.11 --upgrade --all-extras --no-emit-index-url \
	    --no-annotate --no-header --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) .venvs .cache
