# Verbs. Each works alone on a fresh machine: it first installs what is missing, then builds what changed. `make` builds the release.
LISTEN ?= 127.0.0.1:8080
DATA   ?= ./boxoffice-data
# Meson says why it failed on standard output.
SETUP   = mkdir -p build; setup() { meson setup "$$@" >build/setup.log || { cat build/setup.log; exit 1; }; }; setup

.NOTPARALLEL:
.PHONY: all run test scenario check fmt docs bench fuzz install clean deps-build deps-test deps-lint
all: deps-build build/release/build.ninja
	@ninja -C build/release src/boxoffice
	@ln -sf release/src/boxoffice build/boxoffice

run: all
	@scripts/run "$(LISTEN)" "$(DATA)"

test: deps-test build/debug/build.ninja
	@meson test -C build/debug --print-errorlogs --no-suite scenario
	@meson test -C build/debug --print-errorlogs --suite scenario
	@ninja -C build/debug tests/support/with_postgres
	@build/debug/tests/support/with_postgres meson test -C build/debug --print-errorlogs --num-processes 1 --suite engines

scenario: deps-test build/debug/build.ninja
	@meson test -C build/debug --print-errorlogs --suite scenario

check: deps-lint build/debug/build.ninja
	@tools/tidy/tidy
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
	@scripts/lint build/debug

fmt: deps-lint
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

docs: deps-test build/debug/build.ninja
	@ninja -C build/debug docs

bench: all
	@scripts/deps bench
	@ninja -C build/release tests/bench/cache_bench tests/bench/hold_bench tests/support/with_postgres tests/bench/idle_bench tests/bench/search_bench tests/bench/sales_bench tests/bench/read_load
	@scripts/bench build/release

fuzz: deps-lint build/fuzz/build.ninja
	@scripts/fuzz build/fuzz $(or $(SECONDS_EACH),60)

install: all
	@meson install -C build/release --no-rebuild

clean:
	rm -rf build

deps-build:
	@scripts/deps build
deps-test:
	@scripts/deps build test
deps-lint:
	@scripts/deps build test lint

# Only the first time; from then on ninja looks after its own definition.
build/release/build.ninja: | deps-build
	@export CC='$(CC)'; $(SETUP) build/release --buildtype=release -Db_lto=true -Db_pie=true
build/debug/build.ninja: | deps-build
	@export CC='$(CC)'; $(SETUP) build/debug -Db_sanitize=address,undefined
build/fuzz/build.ninja: | deps-lint
	@export CC=clang; $(SETUP) build/fuzz -Dfuzz=true -Db_lundef=false
