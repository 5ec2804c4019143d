# The only names a person or CI types. Everything missing is installed by the scripts themselves.

# Outside of the clone, so that a fresh clone is quick; never needed.
export ALLUVIUM_CACHE ?= $(HOME)/.cache/alluvium
export CARGO_TARGET_DIR ?= $(ALLUVIUM_CACHE)/target

.PHONY: help demo test lint unit java e2e model simulate mutations dist docs bench chaos clean

help:            ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo:            ## the whole way, from MySQL to Parquet files queried by DuckDB; KEEP=1 leaves it running
	@scripts/demo.sh

test:            ## every test: lint, Rust, Java, the real stack
	@scripts/test.sh all

lint:            ## formatting, clippy with warnings denied, licences, shell
	@scripts/test.sh lint

unit:            ## Rust tests that need no other process but an S3 server
	@scripts/test.sh unit

simulate:        ## the core in a world that fails, SEEDS=N or from..to, 0 without end (default 10000)
	@scripts/simulate.sh "$(SEEDS)"

mutations:       ## every rule of the delivery taken out, one at a time: each must be caught
	@scripts/mutations.py

java:            ## the shim's tests, against Kafka Connect 3.7 and 4.3
	@scripts/test.sh java

e2e:             ## end to end on real MySQL, Kafka, Connect, Debezium and S3
	@scripts/test.sh e2e

chaos:           ## the two-worker kill test, RUNS=20 times; every attack, MINUTES=10 of rebalances
	@scripts/test.sh chaos

model:           ## the protocol's model, searched further than in `unit`; minutes
	@scripts/test.sh model

dist:            ## dist/alluvium-connect-<version>.zip and dist/alluvium (command line) for glibc 2.17 and later
	@scripts/dist.sh

docs:            ## docs/config.md and docs/config-keys.json from the ConfigDef
	@gradle --no-daemon -q configDocs

bench:           ## records/s of the rooms and of the native path
	@scripts/bench.sh

clean:           ## build folders of this clone; caches stay
	rm -rf build dist .gradle java-shim/build target
