# The names of a commit have 12 digits whatever else a clone holds, so that the same commit makes the same bytes.
VERSION := $(shell git describe --tags --always --abbrev=12 --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
EPOCH    = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
# What is not in a hurry is compiled small, without inlining: 1 MB less. How fast a list of Pods is read does not change.
SMALL   := k8s.io/... sigs.k8s.io/... go.yaml.in/... golang.org/x/net/... net/http/... crypto/x509/... encoding/json
COMPILE := CGO_ENABLED=0 go build -trimpath -buildvcs=false $(SMALL:%=-gcflags=%=-l) -ldflags "$(LDFLAGS)"
# RACE is empty where Go has no race detector, as without a C compiler.
RACE     = $(shell go list -race errors >/dev/null 2>&1 && echo -race)
LINT    := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --allow-parallel-runners ./...
SCRIPTS := .ci/run e2e/run e2e/bench/run e2e/bench/probes e2e/bench/forwards/run e2e/bench/demo/run e2e/plane/plane \
  e2e/cluster/cluster $(wildcard e2e/cluster/lib/*.sh assets/probers/*.sh) \
  assets/release/build assets/release/check assets/release/kubectl_complete-podpath

# dist makes one binary for each of these: OS_ARCH, and for 32-bit ARM the version of the instruction set.
PLATFORMS := linux_amd64 linux_arm64 linux_armv7 linux_armv6 darwin_arm64

# probers are what podpath carries for containers that bring no tools, for each architecture that a Node may have.
PROBERS := $(patsubst %,assets/probers/prober_linux_%.gz,amd64 arm64 arm)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo build test lint e2e bench dist release release-test cluster-up cluster-down plane-up plane-down

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

release: dist ## make the archives, packages and manifests of a release, in dist/release
	VERSION=$(VERSION) SOURCE_DATE_EPOCH=$(EPOCH) assets/release/build $(PLATFORMS)

release-test: release ## install and run each of them, on Debian (root)
	VERSION=$(VERSION) SOURCE_DATE_EPOCH=$(EPOCH) assets/release/check $(PLATFORMS)

$(PROBERS): assets/probers/prober_linux_%.gz: $(filter-out %_test.go,$(wildcard cmd/prober/*.go probes/wire/*.go))
	CGO_ENABLED=0 GOOS=linux GOARCH=$* GOARM=6 go build -trimpath -buildvcs=false -gcflags=all=-l -ldflags "-s -w" \
	-o bin/prober_linux_$* ./cmd/prober
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
