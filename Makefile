# What can be done in this checkout. `make` alone lists it. Works with GNU make 3.81 and later.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo build install uninstall lab test faults fuzz lint format docs bench cloud-init calibrate clean

# The release build: both programs side by side, so that cf-bench finds the agent that it uploads next to itself. The
# agent has to run where no Swift is installed, hence the static runtime; cf-bench takes the same flags, because targets
# built with other flags would be compiled twice. `-s` leaves the symbols out: half of the agent's size.
ifeq ($(shell uname -s),Linux)
  static := --static-swift-stdlib -Xlinker -s
endif
release := .build/release

# Tools of this checkout (uv, check-jsonschema) come before the machine's own.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

# The two releases that the demo compares.
BASE ?= codeflash==0.20.5
HEAD ?= codeflash==0.20.6

# How long the tests may take, in seconds.
TEST_LIMIT ?= 2400

# What the command of the tests is handed to, if to anything: CI's is scripts/run-tests.py.
TEST_RUNNER ?=

help: ## List these targets.
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

setup:
	@scripts/setup.sh

build: setup cloud-init.yaml ## Install what is missing, then build cf-bench and cf-bench-agent (release, side by side in .build/release).
	swift build -c release $(static) --product cf-bench-agent
	swift build -c release $(static) --product cf-bench

# Where `install` puts things.
PREFIX ?= $(HOME)/.local
share := $(DESTDIR)$(PREFIX)/share

install: build ## Install cf-bench for good below PREFIX (~/.local): programs, their files, uv, completions of three shells.
	install -d $(DESTDIR)$(PREFIX)/bin $(share)/cf-bench/tools $(share)/bash-completion/completions \
	  $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	install -m 755 $(release)/cf-bench $(release)/cf-bench-agent $(DESTDIR)$(PREFIX)/bin/
	install -m 755 "$$(command -v uv)" $(share)/cf-bench/tools/
	git ls-files -z bench fixtures ':!fixtures/results-*' | xargs -0 cp --parents --target-directory $(share)/cf-bench
	install -m 644 LICENSE $(share)/cf-bench/
	$(release)/cf-bench --generate-completion-script bash >$(share)/bash-completion/completions/cf-bench
	$(release)/cf-bench --generate-completion-script zsh >$(share)/zsh/site-functions/_cf-bench
	$(release)/cf-bench --generate-completion-script fish >$(share)/fish/vendor_completions.d/cf-bench.fish

uninstall: ## Remove what `install` put below PREFIX; results, settings and ~/.cf-bench stay.
	rm -f $(DESTDIR)$(PREFIX)/bin/cf-bench $(DESTDIR)$(PREFIX)/bin/cf-bench-agent \
	  $(share)/bash-completion/completions/cf-bench $(share)/zsh/site-functions/_cf-bench \
	  $(share)/fish/vendor_completions.d/cf-bench.fish
	rm -rf $(share)/cf-bench

# The developers' program beside the two that are shipped.
lab: build
	swift build -c release $(static) --product bench-lab

demo: build ## Compare two real codeflash releases over a private SSH server on this machine; no account, no cloud.
	$(release)/cf-bench compare '$(BASE)' '$(HEAD)' --machine local --set optimize.findings=head

ifdef ALL
test: export CF_BENCH_TEST_ALL := 1
endif
test: ## Install what is missing, then run the test suite (FILTER=SuiteOrTest runs a part of it, ALL=1 also every case of long tables and what takes minutes).
	@scripts/setup.sh --tests
	swift build --build-tests
	$(TEST_RUNNER) scripts/with-time-limit.py $(TEST_LIMIT) swift test --skip-build $(if $(FILTER),--filter '$(FILTER)')

faults: ## Kill, cut, freeze, fill and attack everything some thousand times, and print a table (ROWS= names some rows; KILLS= a number for Azure).
	@scripts/setup.sh --tests
	swift build --build-tests
	$(if $(KILLS),CF_BENCH_TEST_KILLS=$(KILLS)) scripts/faults.py $(ROWS)

fuzz: ## Feed the line codec and the journal ten million generated inputs (TARGETS= names some; see scripts/fuzz.sh).
	scripts/fuzz.sh $(TARGETS)

# Everything that GitHub reads, here and in the repositories that `cf-bench init` writes it to.
actions := action.yml reap/action.yml
workflows := $(wildcard .github/workflows/*.yml) $(wildcard Sources/Controller/Core/GitHub/Templates/*.yml)

lint: ## Check format, imports, shell scripts, workflows and that generated files are current; changes nothing.
	@scripts/setup.sh --tests
	swift format lint --strict --recursive Package.swift Sources Tests
	shellcheck scripts/*.sh bench/*.sh Tests/CloudInit/*.sh .ci/run
	shellcheck --external-sources vm/watchdog vm/provision vm/common vm/steps/*
	scripts/build-cloud-init.py --check
	python3 -m compileall -q bench scripts Tests/StandInAzure Tests/StandInGitHub Tests/WorkflowRunner Tests/Markdown Tests/CloudInit Tests/QuickAz Tests/RestrictedKey
	zizmor --persona=auditor --offline --no-progress --quiet $(actions) $(workflows)
	check-jsonschema --builtin-schema vendor.github-workflows $(workflows)
	check-jsonschema --builtin-schema vendor.github-actions $(actions)
	rm -rf .build/run-blocks
	.tools/venv/bin/python scripts/yaml-scripts.py .build/run-blocks $(actions) $(workflows)
	shellcheck .build/run-blocks/*.sh
	swift build --build-tests --explicit-target-dependency-import-check error

format: ## Rewrite the Swift sources in the project's format.
	swift format format --in-place --recursive Package.swift Sources Tests

cloud-init.yaml: scripts/build-cloud-init.py $(shell find vm -type f)
	scripts/build-cloud-init.py

docs: cloud-init.yaml ## Write the generated files again: the settings example, and cloud-init.yaml from vm/.
	@scripts/setup.sh
	swift build --product cf-bench
	.build/debug/cf-bench settings --example > cf-bench.example.yaml

bench: lab ## Measure what cf-bench itself costs against plain ssh.
	@scripts/setup.sh --azure
	$(release)/bench-lab overhead
	scripts/bench-azure.py

cloud-init: setup ## Boot a machine from cloud-init.yaml in a tree made for it; what this machine can't reach is served inside (root).
	@scripts/setup.sh --tests
	scripts/try-cloud-init.sh

calibrate: lab ## Prove how often the verdicts are wrong, simulated and with real slowdowns; writes docs/calibration.
	$(release)/bench-lab calibrate --recordings docs/calibration/recordings.json --into docs/calibration

clean: ## Remove what was built (results/ and .tools/ stay).
	rm -rf .build
