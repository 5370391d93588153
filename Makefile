# devshim: what can be done here. `make help` lists it.

PYTHON      ?= python3
VENV        ?= .venv
BUILD       ?= .build
PYTEST_ARGS ?=

SHIM_SOURCES := $(wildcard devshim/shim/*.c)
SHIM_HEADERS := $(wildcard devshim/shim/*.h)
SHIM_OBJECTS := $(SHIM_SOURCES:devshim/shim/%.c=$(BUILD)/shim/%.o)
SHIM_FLAGS   := devshim/shim/compile_flags.txt
SHIM_LINK    := devshim/shim/link_flags.txt
SHIM         := devshim/shim/libdevshim.so
CHANNEL      := devshim/host/_channel.abi3.so
PATTERN      := devshim/trace/format/_pattern.abi3.so
MODULE        = $(CC) -std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -Wall -Wextra -DPy_LIMITED_API=0x030B0000 \
                -I"$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')"
HOST_SOURCES := $(wildcard devshim/host/*.c)
HOST_HEADERS := $(wildcard devshim/host/*.h)
READY        := $(VENV)/.ready
RUN          := $(VENV)/bin/python
PACKAGED     := .cache/packages
PYTESTS      := 7.4.4 8.3.5
PACKAGES     := $(shell awk 'NF > 1 && $$1 ~ /^[A-Za-z0-9]/ && $$2 != "-" {print $$2}' tests/clients.txt | sort -u)
SUDO         := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test bench soak lint format build clients wheel clean

##@ To see it work

demo: $(READY) build ## Watch real programs use devices that exist only in Python
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH:/usr/sbin:/sbin" tests/demo/demo.sh

help: ## List what can be done
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	    /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ To work on it

test: $(READY) build ## Run the tests (PYTEST_ARGS='-k gps' for some of them)
	@$(RUN) -m pytest -n auto --dist loadgroup -q $(PYTEST_ARGS)

clients: ## Install the client programs that the tests use (Debian, Ubuntu)
	@command -v apt-get >/dev/null || { echo "devshim: make clients needs apt-get; the programs are in tests/clients.txt" >&2; exit 1; }
	$(SUDO) apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-upgrade --no-install-recommends build-essential python3-dev python3-venv $(PACKAGES)
	@test -d $(PACKAGED)/gpiod-2.1.3 || { $(MAKE) $(READY) && $(RUN) -m pip install -q --no-deps --target $(PACKAGED)/gpiod-2.1.3 gpiod==2.1.3; } || \
	    echo "devshim: one transcript is not replayed: its client needs gpiod 2.1.3" >&2
	@for release in $(PYTESTS); do \
	    test -d $(PACKAGED)/pytest-$$release || { $(MAKE) $(READY) && $(RUN) -m pip install -q --no-warn-conflicts --target $(PACKAGED)/pytest-$$release pytest==$$release; } || \
	        echo "devshim: the plugin is not tried with pytest $$release: it cannot be had" >&2; \
	done

bench: $(READY) build ## Measure devshim beside the kernel and umockdev
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(RUN) -m tests.bench

soak: $(READY) build ## Break it on purpose, ten minutes or SECONDS=60 (SEED=7, STEPS='scripts deaths')
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(RUN) -m tests.soak $(STEPS) --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

lint: $(VENV)/.lint ## Check style, types, and the C code with warnings as errors
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m mypy tests/typed
	@$(CC) @$(SHIM_FLAGS) -Werror -fsyntax-only $(SHIM_SOURCES)
	@echo "lint: nothing to say"

format: $(VENV)/.lint ## Lay the Python code out, and bring ARCHITECTURE.md's map up to date
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .
	@PYTHONPATH=tests $(RUN) tests/docs/test_architecture.py

build: $(SHIM) $(CHANNEL) $(PATTERN) ## Compile the shim and the C modules in place (a second)

wheel: $(READY) ## Make dist/*.whl and dist/*.tar.gz
	@$(RUN) -m pip install -q --disable-pip-version-check build
	@rm -rf build dist
	@$(RUN) -m build --quiet
	@ls -1 dist/*

clean: ## Remove everything that was made here, the virtual environment too
	rm -rf $(BUILD) $(VENV) build dist *.egg-info $(SHIM) $(CHANNEL) $(PATTERN) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The parts.

$(SHIM): $(SHIM_OBJECTS) $(SHIM_LINK)
	@$(CC) -shared @$(SHIM_LINK) -o $@.$$$$ $(SHIM_OBJECTS) -ldl -lpthread && mv $@.$$$$ $@
	@echo "built $@"

$(BUILD)/shim/%.o: devshim/shim/%.c $(SHIM_HEADERS) $(SHIM_FLAGS) | $(BUILD)/tools
	@mkdir -p $(@D)
	@$(CC) @$(SHIM_FLAGS) $(CFLAGS) -c -o $@ $<

# Targets hold the old library mapped: each is made beside it and moved over it.
$(CHANNEL): $(HOST_SOURCES) $(HOST_HEADERS) $(SHIM_HEADERS) | $(BUILD)/tools
	@$(MODULE) -Idevshim/shim $(CFLAGS) -o $@.$$$$ $(HOST_SOURCES) && mv $@.$$$$ $@
	@echo "built $@"

$(PATTERN): devshim/trace/format/_pattern.c | $(BUILD)/tools
	@$(MODULE) $(CFLAGS) -o $@.$$$$ $< && mv $@.$$$$ $@
	@echo "built $@"

# Old releases of pip make a script of the command that loads `re` first: as much again as half of Python's own start.
$(READY): pyproject.toml setup.py | $(BUILD)/tools
	@echo "setting up $(VENV) ..."
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install -q --disable-pip-version-check --upgrade pip || :
	@$(RUN) -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@

$(VENV)/.lint: $(READY)
	@$(RUN) -m pip install -q --disable-pip-version-check -e '.[lint]'
	@touch $@

# What a fresh machine may lack, each said in one line with its way out.
$(BUILD)/tools: tests/tools.sh
	@CC="$(CC)" PYTHON="$(PYTHON)" sh tests/tools.sh
	@mkdir -p $(@D) && touch $@
