# The few commands of this repository. `make check` is what CI runs.

SHELL   := /bin/bash
BIN     := bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DATA    ?= tidegate-data

# How many inputs each fuzz target gets in `make fuzz` (or how long it runs: 60s),
# and which benchmarks `make bench` runs.
FUZZTIME ?= 200000x
BENCH    ?= .

.DEFAULT_GOAL := build
.PHONY: build run demo-bridge test check lint race fuzz arch suite bench generate clients clean

build: ## bin/tidegate, a static binary
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(BIN)/tidegate ./cmd/tidegate

run: build ## build and start the gateway on its defaults
	@bash e2e/scripts/run.sh $(BIN)/tidegate $(DATA)

demo-bridge: ## a JMS program's messages on NATS, RabbitMQ and Artemis, all on this machine
	@bash e2e/scripts/demo.sh

test: clients ## install what the tests need, run them all, print each suite's minutes
	@bash e2e/scripts/test.sh

check: lint test race fuzz ## what CI runs: linters, tests, race detector, short fuzzing

lint: ## golangci-lint (installed if missing), formatting, generated code
	@bash e2e/scripts/lint.sh

race: ## every test but the client scenarios under the race detector
	@bash e2e/scripts/race.sh

fuzz: ## every fuzz target for FUZZTIME
	@bash e2e/scripts/fuzz.sh $(FUZZTIME)

arch: ## the tests about the repository
	go test ./e2e/arch

suite: clients ## the scenarios over every client library
	go test -count=1 -v ./e2e/suite

bench: ## benchmarks beside the code
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./amqp/... ./core/... ./persist/...

generate: ## write generated code again
	go generate ./...

clients: ## install the client libraries that e2e/suite drives
	@bash e2e/scripts/install.sh

clean: ## remove what the targets above made (not tidegate-data)
	rm -rf $(BIN) .cache e2e/clients/*/target e2e/peers/*/target e2e/clients/javascript/node_modules
