# What developers type. CI runs .ci/run, which `make ci` is.

DESTDIR ?=
SOAK ?= 30m
PREFIX ?= /usr/local

.PHONY: build install docker run test soak race lint generate bench fuzz mutants ci
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

soak: ## the fault suite for long, SOAK=2h for another time; FAULTS_SEED=N for the same choices, FAULTS_RACE=1 with a racing server
	SOAK=$(SOAK) go -C tests/faults test -count 1 -timeout 0 -v .

race:
	go test -race -shuffle=on ./...

lint:
	bash .ci/run lint
	bash tools/lint-spec.sh

generate: ## after a change of openapi.yaml
	bash tools/generate.sh

bench:
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for about a minute or more
	FUZZTIME=1000000x bash .ci/run fuzz

mutants: ## small breaks that a test must notice
	bash tests/mutants/run.sh

ci: ## everything that must hold
	bash .ci/run
