# Every target brings what it needs: a fresh clone and "make demo" or "make test" is all there is to do.
# Options: PYTHON= (3.10 or newer), PYTEST_ARGS=, CRASH_ARGS=, LOAD_ARGS=, SOAK_ARGS=; for the demo BACKEND= (git, github
# or service), PORT=, PG_PORT=, REDIS_PORT=, SOLR_PORT=, GITHUB_PORT=, SERVICE_PORT=.

PYTHON ?= python3
# Should make be killed, the tool is told, and stops what it has started.
TOOL = setpriv --pdeathsig TERM $(PYTHON) -m dev
BIN = var/venv/bin
WITHOUT_CKAN = -p no:ckan -p no:ckan_fixtures
TESTS = ckanext/metastore/tests
I18N = ckanext/metastore/i18n
DOMAIN = ckanext-metastore
GITHUB = $(wildcard $(TESTS)/core/github $(TESTS)/core/test_github_*.py)

PORT ?= 5000
BACKEND ?= git
DEMO_PORTS = --port $(PORT) $(if $(PG_PORT),--pg-port $(PG_PORT)) \
	$(if $(REDIS_PORT),--redis-port $(REDIS_PORT)) $(if $(SOLR_PORT),--solr-port $(SOLR_PORT)) \
	$(if $(GITHUB_PORT),--github-port $(GITHUB_PORT)) $(if $(SERVICE_PORT),--service-port $(SERVICE_PORT))

# The longest first.
PARTS = test-ckan-rest test-ckan-github test-github test-browser test-core test-service test-wheel

.DEFAULT_GOAL := help
.PHONY: help install demo test test-core test-github test-service test-ckan test-ckan-github test-ckan-rest test-browser \
	test-older-ckan test-themes test-wheel lint format bench bench-peer crash load soak \
	services services-down pictures translations clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s%s\n", $$1, $$2 }' Makefile

install: ## Install what is missing: Debian packages, CKAN, Solr
	@$(TOOL) install

demo: ## A small city's portal on http://localhost:5000 (PORT=), until Ctrl-C; BACKEND=github (a stand-in), or service
	@$(TOOL) demo --backend '$(BACKEND)' $(DEMO_PORTS)

test: lint ## Everything that CI checks, two at a time
	@+setpriv --pdeathsig TERM $(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target $(PARTS)

test-core: install ## The tests that need neither CKAN nor services nor GitHub
	$(BIN)/python -m pytest $(WITHOUT_CKAN) $(TESTS)/core $(GITHUB:%=--ignore=%) $(PYTEST_ARGS)

test-github: install ## The github backend and the stand-in for GitHub, without CKAN
	$(BIN)/python -m pytest $(WITHOUT_CKAN) $(GITHUB) $(PYTEST_ARGS)

test-service: install ## The stand-alone service, without CKAN
	$(BIN)/python -m pytest $(WITHOUT_CKAN) $(TESTS)/service $(PYTEST_ARGS)

test-ckan: test-ckan-rest test-ckan-github ## The tests with CKAN, on services of their own

test-ckan-rest: install ## Those on the git backend
	@$(TOOL) run pytest $(TESTS)/ckan --ignore=$(TESTS)/ckan/github $(PYTEST_ARGS)

test-ckan-github: install ## Those on the github backend
	@$(TOOL) run pytest $(TESTS)/ckan/github $(PYTEST_ARGS)

test-browser: install ## The pages in a real browser, with pictures of them in var/screenshots
	@$(TOOL) run pytest $(TESTS)/browser $(PYTEST_ARGS)

test-older-ckan: ## The CKAN tests on CKAN 2.11, in an environment of its own (not part of make test)
	@METASTORE_CKAN=2.11 $(TOOL) install
	@METASTORE_CKAN=2.11 $(TOOL) run pytest $(TESTS)/ckan $(PYTEST_ARGS)

test-themes: install ## The pages in CKAN 2.12's other theme, and on CKAN 2.11 (not part of make test)
	@METASTORE_THEME=midnight-blue METASTORE_SCREENSHOTS=var/screenshots/midnight-blue \
		$(TOOL) run pytest $(TESTS)/browser $(PYTEST_ARGS)
	@METASTORE_CKAN=2.11 $(TOOL) install
	@METASTORE_CKAN=2.11 METASTORE_SCREENSHOTS=var/screenshots/2.11 $(TOOL) run pytest $(TESTS)/browser $(PYTEST_ARGS)

pictures: install ## Take the pictures of README.rst anew
	@$(TOOL) run pytest $(TESTS)/browser/pictures.py

test-wheel: install ## Build the wheel and use it where there is no CKAN
	@$(TOOL) wheel

lint: install ## Style, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Put the code into the common format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

translations: install ## Bring the template of the translations and every language up to date with the code
	$(BIN)/pybabel -q extract -F pyproject.toml -c Translators: --add-location=file --sort-by-file --no-wrap \
		--project=ckanext-metastore --version=0.1 -o $(I18N)/$(DOMAIN).pot ckanext
	$(BIN)/pybabel -q update -D $(DOMAIN) -i $(I18N)/$(DOMAIN).pot -d $(I18N) --no-fuzzy-matching --no-wrap \
		--ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -D $(DOMAIN) -d $(I18N)

bench: install ## Measure what recording costs, on services that use fsync
	@$(TOOL) run --durable python bench/run.py

bench-peer: install ## Measure against metastore-lib, on the stand-in for GitHub
	@$(TOOL) peer

crash: install ## Kill savers, workers and services, and look what is lost; some minutes (CRASH_ARGS=)
	@PYTHONPATH=. $(TOOL) run python -W ignore bench/crash.py $(CRASH_ARGS)

load: install ## Have 16 clients read and save for ten minutes, and look what is lost; a quarter of an hour (LOAD_ARGS=)
	@PYTHONPATH=. $(TOOL) run python -W ignore bench/load.py $(LOAD_ARGS)

soak: install ## Have clients use the stand-alone service for a minute, and look what is lost (SOAK_ARGS=)
	@PYTHONPATH=. $(BIN)/python -W ignore bench/soak.py $(SOAK_ARGS)

services: install ## Start services for tests that stay up; says how to use them
	@$(TOOL) up

services-down: ## Stop them
	@$(TOOL) down

clean: ## Remove all that make made, the demo's data too
	@$(TOOL) clean
