# chatstack: `make up` runs the chat on this machine, `make test` tests it.
.DEFAULT_GOAL := help
.PHONY: help up dev down status logs test lint fmt bench module chatstack clients

export CHATSTACK_TOOLS ?= $(CURDIR)/.chatstack/tools
TOOLS     := $(CHATSTACK_TOOLS)
CHATSTACK := $(CURDIR)/.chatstack/bin/chatstack
# What runs a second time, on Amazon's DynamoDB Local.
ON_BOTH_ENGINES := ./tests ./tests/engines
MODULES   := . $(patsubst %/go.mod,%,$(wildcard examples/*/go.mod))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: chatstack ## run the chat on this machine; again: deploy what changed
	@$(CHATSTACK) up

dev: chatstack ## the same in the foreground, with logs, deploying on every change
	@$(CHATSTACK) dev

down: chatstack ## destroy the stage and stop everything
	@$(CHATSTACK) down

status: chatstack ## show what runs
	@$(CHATSTACK) status

logs: chatstack ## show what the functions print
	@$(CHATSTACK) logs

test: clients ## run every test: units, the real Pulumi engine, a real browser
	@for module in $(MODULES); do \
		echo "testing $$module"; \
		(cd $$module && go test -race -timeout 30m ./...) || exit 1; \
	done
	@go run ./tests/dynamodblocal go test -race -count 1 -timeout 30m $(ON_BOTH_ENGINES)

lint: $(TOOLS)/gofumpt $(TOOLS)/staticcheck ## check formatting, go vet and staticcheck
	@unformatted=$$($(TOOLS)/gofumpt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt mends it):"; echo "$$unformatted"; exit 1; fi
	@for module in $(MODULES); do \
		echo "linting $$module"; \
		(cd $$module && go vet ./... && $(TOOLS)/staticcheck ./...) || exit 1; \
	done

fmt: $(TOOLS)/gofumpt ## format the code
	@$(TOOLS)/gofumpt -w $$(git ls-files --cached --others --exclude-standard '*.go')

bench: ## measure what deliveries and connections cost
	@go test -run '^$$' -bench . $$(git grep -l '^func Benchmark' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's#^#./#')

module: ## rename the module everywhere: make module MODULE=example.org/team/chat
	@tools/rename-module "$(MODULE)"

chatstack:
	@mkdir -p $(dir $(CHATSTACK)) $(TOOLS)
	@test -x $(CHATSTACK) || echo "· building the chatstack command (the first time this fetches its modules and takes minutes)"
	@go build -buildvcs=false -o $(CHATSTACK) ./cmd/chatstack

clients:
	@tools/install-clients "$(TOOLS)"

$(TOOLS)/gofumpt $(TOOLS)/staticcheck: tools/go.mod tools/go.sum
	@mkdir -p $(TOOLS)
	@echo "building $(notdir $@)"
	@go build -C tools -o $@ $$(sed -n 's/^[[:space:]]\([^ ]*$(notdir $@)\)$$/\1/p' tools/go.mod)
	@touch $@
