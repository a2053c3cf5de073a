# make up     a cluster, ready for kubectl           make test   everything that must hold
# The other targets are below. Needed on the machine: Node 20.19 or newer with npm, and make.
# ARGS is handed on: make up ARGS="--memory --port 0".

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.PHONY: up test check build types install generate certs bench bench-scale conformance e2e integration mixed kubectl-suite suites clean

SPEC ?= ../shared/upstream
BIN := node_modules/.bin
SOURCES := $(shell find src api tools -type f) package.json package-lock.json

# Installs what is missing, builds what changed, starts the cluster.
up: install dist/dinghy.cjs
	@exec bin/dinghy up $(ARGS)

test: install build check
	$(BIN)/vitest run $(ARGS)

# The static checks: format, lints, types, import rules.
check: install
	$(BIN)/prettier --check --log-level warn .
	$(BIN)/eslint --max-warnings 0 .
	$(BIN)/tsc -p .
	$(BIN)/depcruise --config .dependency-cruiser.cjs src

build: dist/dinghy.cjs types

# The program and the library in dist/, and the descriptions for `kubectl explain`.
dist/dinghy.cjs: $(SOURCES) | install
	node tools/build/main.js

# The library's type declarations, in dist/types.
types: dist/types/index.d.ts
dist/types/index.d.ts: dist/dinghy.cjs tsconfig.types.json
	node tools/build/declarations.js

# node_modules are those of package-lock.json, or are made so. No package's install script is run.
install:
	@node tools/node-version.js
	@cmp -s package-lock.json node_modules/.installed-lock.json || { \
	  npm ci --ignore-scripts --loglevel=error && cp package-lock.json node_modules/.installed-lock.json; }

# Turns upstream's published spec into the facts of api/openapi. With ARGS=--check it only compares.
generate: install
	node tools/run.js tools/generate/main.ts -- $(SPEC) $(ARGS)

# Keys and certificates of a cluster in certs/, for `bin/dinghy apiserver --cert-dir certs`.
certs: install
	node tools/run.js tools/certs.ts -- certs

# Side by side with kube-apiserver and etcd, where these are built.
bench: install dist/dinghy.cjs
	node tools/run.js bench/main.ts -- $(ARGS)

# How a whole cluster scales: thousands of simulated nodes, ten thousand pods, the scheduler alone; docs/performance.md.
bench-scale: install dist/dinghy.cjs
	node tools/run.js bench/scale.ts -- $(ARGS)

# The recorded answers of kube-apiserver, asked of this server; see conformance/README.md.
conformance: install dist/dinghy.cjs
	node tools/run.js conformance/oracle.ts -- $(ARGS)

# Upstream's integration tests of its API server, where Go and etcd are.
integration: install dist/dinghy.cjs
	node tools/run.js conformance/integration.ts -- $(ARGS)

# Upstream's conformance tests against a cluster with simulated nodes, where e2e.test is built.
e2e: install dist/dinghy.cjs
	node tools/run.js conformance/e2e.ts -- $(ARGS)

# Clusters put together of upstream's programs and ours, where these are built.
mixed: install dist/dinghy.cjs
	node tools/run.js conformance/mixed.ts -- $(ARGS)

# Upstream's own tests of kubectl against the API server and the controllers, where Go is there to take them from.
kubectl-suite: install dist/dinghy.cjs
	node tools/run.js conformance/kubectl-suite.ts -- $(ARGS)

# Test suites of well-known operators' libraries that use envtest, unchanged, where Go is.
suites: install dist/dinghy.cjs
	node tools/run.js conformance/suites.ts -- $(ARGS)

clean:
	rm -rf dist certs node_modules
