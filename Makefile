# The menu. The build itself is Meson's (meson.build); every target here is one line.
.DEFAULT_GOAL := help
.PHONY: help build demo test interop interop-full bench crash asan tsan clang fmt lint clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

build: ## the program and the simulator, optimized, in build/release
	@tools/build release

demo: ## SQL Server and ScyllaDB to PostgreSQL before your eyes (KEEP=1 leaves it running, KAFKA=1 puts a broker between)
	@tools/build release src/sluice sim/sqlserver/sluice-sim-sqlserver sim/scylla/sluice-sim-scylla && tools/demo

test: ## all tests that need no JVM; ends with "N passed, N failed"
	@tools/test

interop: ## strangers judge: Debezium, Microsoft's drivers and others, from the package registries
	@tools/interop

interop-full: ## the long rest of the strangers; writes its dated table to build/
	@tools/interop --full

bench: ## throughput and latency beside their ceilings (STAGES=1: each stage beside its budget)
	@tools/build release && tools/bench

crash: ## kill -9 at random points until ROUNDS (20) are through; the ledger judges
	@tools/build release && tools/crash

asan: ## a build with address and undefined behaviour sanitizers, in build/asan
	@tools/build asan

tsan: ## a build with the thread sanitizer, in build/tsan
	@tools/build tsan

clang: ## a build with clang, warnings as errors, in build/clang
	@tools/build clang

fmt: ## let clang-format lay out every C file
	@tools/lint --fix

lint: ## layout, include directions, banned calls, function lengths
	@tools/lint

clean: ## remove everything built
	@rm -rf build
