# `make` alone lists the targets. ARGS goes to the program: make run ARGS="--listen 127.0.0.1:0"

.DEFAULT_GOAL := help

ARGS ?=
# More arguments for `swift build` and `swift test`, such as -Xswiftc -warnings-as-errors.
SWIFT_FLAGS ?=
# What `make bench` measures.
SUBJECTS ?= bus codec store fanout feed
FORMATTED := Sources Tests Package.swift

.PHONY: help setup charts screenshots build run test test-all format lint bench bench-reference clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing (Debian, Ubuntu; elsewhere say what is)
	@scripts/setup.sh

charts: ## Fetch the dashboard's chart library (without it the page does without charts)
	@scripts/fetch-charts.sh

build: setup charts ## Build the program in release
	swift build -c release --product tidings $(SWIFT_FLAGS)

run: build ## Build in release and start the demo: a simulated exchange, the log and the dashboard
	@exec .build/release/tidings demo $(ARGS)

# One test at a time: they share two event loops and a small machine, and real sockets have time limits.
test: setup charts ## Set up and run the tests
	swift test --no-parallel $(SWIFT_FLAGS)

# Under the sanitizer one test at a time, or the machine is too slow for their time limits; and without the program's own
# tests, which start it as it was built.
test-all: setup charts ## The tests with the long ones, then those of the libraries under the thread sanitizer
	TIDINGS_LONG=1 swift test --no-parallel $(SWIFT_FLAGS)
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/tsan-suppressions.txt" \
		swift test --sanitize=thread --no-parallel --scratch-path .build-tsan --skip TidingsCommandTests $(SWIFT_FLAGS)

format: ## Format the sources
	swift format --in-place --recursive $(FORMATTED)

lint: ## Check the format, and the scripts where shellcheck is installed
	swift format lint --strict --recursive $(FORMATTED)
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh .ci/run; fi

screenshots: build ## Take pictures of every view of the dashboard, light and dark, into .build/screenshots
	@scripts/screenshots.py .build/release/tidings .build/screenshots

bench: build ## Measure this machine (SUBJECTS="bus codec store fanout feed")
	@set -e; for subject in $(SUBJECTS); do .build/release/tidings bench $$subject $(ARGS); done

bench-reference: ## Install what the bench of feeds is compared with (cryptofeed, a Python program)
	@scripts/bench-reference.sh

clean: ## Remove everything that was built
	rm -rf .build .build-tsan
