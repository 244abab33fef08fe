# What one does with this tree. Each target sets up what it needs; all products go to target/.

# The parts of `make test`, each a file of scripts/test; one alone: make test-NAME. Two run at a time: those that
# build in one folder, and would wait for each other, are kept apart, and none of the long ones comes last.
PARTS := lint rust loom thread c-header mutations address valgrind rust-thread fuzz c-static rust-address targets \
	c-side c-split race install

# The parts of `make test-cruby`.
CRUBY_PARTS := cruby-own cruby-suites cruby-probe cruby-race cruby-programs cruby-debug

.PHONY: help demo test test-cruby cruby cruby-bench bench headers install soak soak-links fuzz lint clean setup

PREFIX := /usr/local
SECONDS := 3600

help:
	@echo "make demo      build the library and the mini-VM, and show what they do"
	@echo "make test      run everything that must pass (20 to 25 minutes on two cores)"
	@echo "make test-X    run one part of it: $(PARTS)"
	@echo "make bench     measure; one table, and target/bench.json (about a quarter of an hour)"
	@echo "               BENCH='--quick' a minute; BENCH='--only walk_cached' some rows"
	@echo "make headers   regenerate include/vmshare/*.h from src/ffi"
	@echo "make cruby     build CRuby from Debian's source with autoshare in it, and show what it does"
	@echo "make test-cruby  everything about CRuby that must pass (under 40 minutes)"
	@echo "make cruby-bench  what autoshare costs CRuby, and gains"
	@echo "make install   install library and headers to PREFIX=$(PREFIX)"
	@echo "make soak      the race, 10 million rounds for each placement and policy (an hour or more)"
	@echo "make soak-links  links: death at each instruction, 10^7 wake-ups, liars (a day)"
	@echo "make fuzz      arbitrary bytes as images, peers and calls; SECONDS=$(SECONDS) each"
	@echo "make lint      check how the code is written"
	@echo "make clean     remove target/"

setup:
	@scripts/setup.sh test

demo: setup
	@scripts/demo.sh

test: setup
	@scripts/parts.sh $(PARTS)

cruby:
	@scripts/setup.sh cruby
	@ffi-examples/cruby/demo.sh

test-cruby:
	@scripts/setup.sh cruby
	@scripts/parts.sh $(CRUBY_PARTS)

cruby-bench:
	@scripts/setup.sh cruby
	@ffi-examples/cruby/bench.sh

test-%: setup
	@scripts/parts.sh $*

lint: test-lint

soak: setup
	@scripts/race.sh 10000000

soak-links: setup
	@scripts/soak-links.sh

fuzz: setup
	@scripts/fuzz.sh run $(SECONDS)

bench:
	@scripts/setup.sh bench
	@scripts/bench.sh $(BENCH)

headers: setup
	@VMSHARE_BLESS=1 scripts/quietly.sh headers cargo test --quiet --test headers

install:
	@scripts/install.sh $(PREFIX)

clean:
	@cargo clean
