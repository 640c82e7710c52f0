# What people type. The work is in scripts/.
export PATH := $(HOME)/.cargo/bin:$(PATH)
DATA ?= data
# Speech recognition costs a minute or two when it is built for the first time: `make run FEATURES=` goes without.
FEATURES ?= whisper

.PHONY: help run build test lint bench bench-calls

help:
	@echo 'make run     install what is missing, build, start a demo contact center (DATA=$(DATA))'
	@echo 'make build   the console and the program with it inside: target/release/ringdesk'
	@echo 'make test    everything that has to hold: format, lint, tests on SQLite and PostgreSQL, browsers, real phones'
	@echo 'make lint    format and clippy only'
	@echo 'make bench   the figures of benches/README.md'
	@echo 'make bench-calls   what a call costs over real sockets, beside a bare loop and rtpengine'

run: build
	exec target/release/ringdesk serve --demo --data $(DATA)

build:
	scripts/bootstrap.sh
	scripts/web.sh build
	cargo build --release --locked --features "$(FEATURES)"

test:
	scripts/bootstrap.sh --test
	scripts/test.sh

lint:
	scripts/bootstrap.sh
	scripts/test.sh format lint

bench:
	scripts/bootstrap.sh
	cargo bench --workspace --locked

# On a machine with nothing else to do: two processors, a quarter of an hour. Without rtpengine (apt-get install
# rtpengine-daemon) its rows are absent.
bench-calls: build
	cargo build --release --locked -p bench-calls
	target/release/bench-calls
	mkdir -p benches/results
	cp target/bench-calls/table.md benches/results/calls.md
	cp target/bench-calls/raw.jsonl benches/results/calls.jsonl
	cp target/bench-calls/calls.svg benches/results/calls.svg
