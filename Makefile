# What developers type. CI runs .ci/run, which `make ci` is.

DESTDIR ?=
PREFIX ?= /usr/local
SOAK ?= 30m

.PHONY: build install docker run test race lint generate bench fuzz mutants soak ci
.DEFAULT_GOAL := build

build: ## the program, bin/parley
	go build -o bin/parley .

install: ## what `make build` made; its systemd unit is in examples/systemd
	install -D -m 0755 bin/parley $(DESTDIR)$(PREFIX)/bin/parley

docker: ## the image parley, which sees no repository and so is told what it is
	docker build -t parley --build-arg VERSION="$$(git describe --tags --always --dirty)" \
		--build-arg REVISION="$$(git rev-parse HEAD)" .

run: ## the server on 127.0.0.1:8080 with ./data
	go run .

test:
	go test ./...

race:
	go test -race -shuffle=on ./...

lint:
	bash .ci/run lint
	bash tools/lint-spec.sh

generate: ## after a change of openapi.yaml
	bash tools/generate.sh

bench: build ## the Go benchmarks, then the whole program beside its peers; PARTS='steady bursts' for some of it
	go test -run '^$$' -bench . -benchmem ./...
	bin/parley bench $(PARTS)

fuzz: ## every fuzz target for about a minute or more
	FUZZTIME=1000000x bash .ci/run fuzz

mutants: ## small breaks that a test must notice
	bash tests/mutants/run.sh

soak: ## for SOAK each, what CI does for seconds; FAULTS_SEED=… and SEED=… make the choices of a run that printed it
	SOAK=$(SOAK) go -C tests/faults test -count=1 -v -timeout 0 .
	SOAK=$(SOAK) go -C tests/linear test -count=1 -v -timeout 0 -artifacts ./...

ci: ## everything that must hold
	bash .ci/run
