# Everything a person or a pipeline runs here. `make` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup up down verify test race lint image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install, build or start what is missing: engine, docker compose, image (SETUP=never forbids it)
	@scripts/setup.sh

up: ## bring up primary (5432) and standby (5433), wait until the standby streams
	@scripts/up.sh

down: ## remove both servers and their data
	@scripts/down.sh

verify: setup ## run all tests, live ones included, and report (build/verify/)
	@go run ./cmd/verify -- -p 1 -count 1 ./...

test: ## run the fast tests, which need no engine
	@go test -short ./...

# The packages whose tests only run other programs have nothing to race.
race: setup ## run the tests of the Go packages, live ones included, under the race detector
	@go tool -modfile=tools/go.mod gotestsum --format pkgname -- -race -p 1 -count 1 $$(go list ./... | grep -v -e /image$$ -e /scripts$$)

lint: ## check Go, shell and go.mod
	@scripts/lint.sh

image: ## get postgres:15.8: pull it, or build the local stand-in
	@scripts/engine.sh
	@scripts/image.sh

clean: ## down, and remove what test runs left, the stand-in image and build/
	@scripts/clean.sh
