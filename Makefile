VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
COMPILE := CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)"
# RACE is empty where Go has no race detector, as without a C compiler.
RACE     = $(shell go list -race errors >/dev/null 2>&1 && echo -race)
LINT    := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --allow-parallel-runners ./...
SCRIPTS := .ci/run e2e/run e2e/bench/run e2e/bench/probes e2e/bench/forwards/run e2e/bench/demo/run e2e/plane/plane e2e/cluster/cluster $(wildcard e2e/cluster/lib/*.sh assets/probers/*.sh)

# dist makes one binary for each of these: OS_ARCH, and for 32-bit ARM the version of the instruction set.
PLATFORMS := linux_amd64 linux_arm64 linux_armv7 linux_armv6 darwin_arm64

# probers are what podpath carries for containers that bring no tools, for each architecture that a Node may have.
PROBERS := $(patsubst %,assets/probers/prober_linux_%.gz,amd64 arm64 arm)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo build test lint e2e bench dist cluster-up cluster-down plane-up plane-down

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: build ## try podpath: three Raspberry Pis that exist only inside it
	@bin/podpath --demo

build: $(PROBERS) ## compile bin/podpath
	$(COMPILE) -o bin/podpath ./cmd/podpath

test: $(PROBERS) ## run the tests that need no cluster
	go test $(RACE) ./...

lint: ## check the code and the scripts
	$(LINT)
	cd e2e && $(LINT)
	cd e2e/cluster/images && $(LINT)
	shellcheck $(SCRIPTS)

e2e: build ## run the tests on a real cluster, all or RUN=TestName (root)
	AGAIN=$(AGAIN) e2e/run '$(RUN)'

bench: build dist/linux_armv7 ## measure podpath: as a newcomer starts it, with 10,000 Pods, its probes and its forwards (root)
	@e2e/bench/demo/run bin/podpath
	@e2e/bench/run bin/podpath dist/podpath_$(VERSION)_linux_armv7
	@e2e/bench/probes bin/podpath
	@e2e/bench/forwards/run bin/podpath

dist: $(PLATFORMS:%=dist/%) ## compile a static binary for every platform, with checksums
	cd dist && sha256sum podpath_$(VERSION)_* >SHA256SUMS && cat SHA256SUMS

# dist/linux_armv7 makes dist/podpath_VERSION_linux_armv7.
.PHONY: $(PLATFORMS:%=dist/%)
$(PLATFORMS:%=dist/%): dist/%: $(PROBERS)
	GOOS=$(word 1,$(subst _, ,$*)) GOARCH=$(patsubst armv%,arm,$(word 2,$(subst _, ,$*))) \
	GOARM=$(patsubst armv%,%,$(filter armv%,$(word 2,$(subst _, ,$*)))) \
	$(COMPILE) -o dist/podpath_$(VERSION)_$* ./cmd/podpath

$(PROBERS): assets/probers/prober_linux_%.gz: $(filter-out %_test.go,$(wildcard cmd/prober/*.go probes/wire/*.go))
	CGO_ENABLED=0 GOOS=linux GOARCH=$* GOARM=6 go build -trimpath -buildvcs=false -ldflags "-s -w" -o bin/prober_linux_$* ./cmd/prober
	gzip -9nc bin/prober_linux_$* >$@

cluster-up: ## start the real cluster, to work with by hand (root)
	e2e/cluster/cluster build
	e2e/cluster/cluster images
	e2e/cluster/cluster up

cluster-down: ## stop it and remove all of it
	e2e/cluster/cluster down

plane-up: ## start an API server with 10,000 Pods, to work with by hand (root)
	e2e/cluster/cluster build
	e2e/plane/plane up
	e2e/plane/plane fill

plane-down: ## stop it and remove all of it
	e2e/plane/plane down
