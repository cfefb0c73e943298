# Everything a person or a pipeline runs here. `make` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup up down verify test test-live mutants soak race cover bench bench-smoke lint image dist report-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install, build or start what is missing: engine, docker compose, image (SETUP=never forbids it)
	@scripts/setup.sh

up: ## bring up primary (5432) and standby (5433), wait until the standby streams
	@scripts/up.sh

down: ## remove both servers and their data
	@scripts/down.sh

# Vetting a package vets all that it imports, over a minute the first time: lint does it.
PROFILE ?= usual
flags = $(if $(FILE),-file '$(subst ','\'',$(FILE))') $(ARGS)
verify: export CONFORMANCE_PROFILE = $(PROFILE)
verify: setup ## check recipe and cure, live, and report (build/verify/report.html); PROFILE=all breaks more, FILE=path checks your recipe, ARGS hands flags on
	@go run ./cmd/verify -- ./conformance -vet=off -count 1 -timeout 60m $(if $(FILE),-run '^TestRecipe') $(if $(strip $(flags)),-args $(flags))

test: ## run the fast tests, which need no engine
	@go test -short ./...

# The longest suite comes first, side by side with the rest: much of it is waiting.
every = $(if $(ALL),STACK_TEST_MOMENTS=all LIVE_MISTAKES=all)
test-live: setup ## run the tests of everything around the suite, live: image, scripts, stack, pairtest, … (ALL=1: every interruption and mistake)
	@$(every) go tool -modfile=tools/go.mod gotestsum --format pkgname -- -vet=off -p 2 -count 1 -timeout 30m \
		./image ./stack ./scripts $$(go list ./... | grep -v -e /conformance$$ -e /image$$ -e /stack$$ -e /scripts$$)
	@$(if $(ALL),CONFORMANCE_INTERRUPTIONS=all CONFORMANCE_PROFILE=core go test ./conformance -vet=off -count 1 -timeout 10m -run '^TestInterrupted')
	@# An engine that leaves a swarm forgets the names of all its containers.
	@LIVE_SWARM=yes go test -vet=off -p 1 -count 1 -timeout 10m -run '^TestSwarm' -v ./conformance/live ./scripts

mutants: setup ## prove that the checks can fail: run them on broken recipes and on servers that lie (ONLY=name,name)
	@CONFORMANCE_MUTANTS=$(or $(ONLY),all) go test ./conformance -v -count 1 -timeout 30m -run TestChecksCatch $(if $(UPDATE),-update)

# In its folder go test hands each line on as it comes.
soak: setup ## repeat PROFILE=usual for DURATION=1h, faults in random order (SEED=n): verdicts must not change, nor anything grow
	@cd conformance && $(if $(SEED),CONFORMANCE_SEED=$(SEED)) go test -count 1 -timeout 0 -run '^TestSoak$$' -args -soak $(or $(DURATION),1h) -profile $(PROFILE)

# The packages whose tests only run other programs have nothing to race.
race: setup ## run the tests of the Go packages, live ones included, under the race detector
	@go tool -modfile=tools/go.mod gotestsum --format pkgname -- -race -vet=off -p 1 -count 1 -timeout 30m $$(go list ./... | grep -v -e /image$$ -e /scripts$$)

cover: $(if $(SHORT),,setup) ## measure which statements the tests execute, live ones included; less than 85 % fails (SHORT=1: without an engine)
	@SHORT=$(SHORT) scripts/cover.sh 85

# Each of these is a flag of bench/figures_test.go.
measure = $(foreach flag,PAIRS WAL MANY COLD,$(if $($(flag)),-$(shell echo $(flag) | tr A-Z a-z)=$($(flag))))
bench: setup ## measure this project beside its peers (bench/RESULTS.md); FIGURES=1,3 PAIRS=20 WAL=1024 MANY=true COLD=true
	@cd bench && go test -count 1 -timeout 40m -v -args -figures $(or $(FIGURES),all) $(measure)

bench-smoke: setup ## guard the ratios of starting times: a few runs beside docker compose
	@cd bench && go test -count 1 -timeout 5m -v -run TestSmoke -args -smoke

report-test: ## look at report.html in headless Chromium: layout, filters, accessibility
	@report/browser/test.sh

lint: ## check Go, shell and go.mod
	@scripts/lint.sh

image: ## get postgres:15.8: pull it, or build the local stand-in
	@scripts/engine.sh
	@scripts/image.sh

dist: ## build the command conformance for linux and darwin, static, into build/dist
	@scripts/dist.sh

clean: ## down, and remove what test runs left, templates of pairs, the stand-in image and build/
	@scripts/clean.sh
