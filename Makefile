# Verbs. `make` builds the release; every verb installs what is missing first.
LISTEN ?= 127.0.0.1:8080
DATA   ?= ./boxoffice-data
CC_CI  ?= gcc

.PHONY: all run test scenario check fmt bench fuzz deps install clean
all: deps build/release/build.ninja
	@ninja -C build/release src/boxoffice
	@ln -sf release/src/boxoffice build/boxoffice

run: all
	@scripts/run "$(LISTEN)" "$(DATA)"

test: deps build/debug/build.ninja
	@meson test -C build/debug --print-errorlogs --no-suite scenario
	@meson test -C build/debug --print-errorlogs --suite scenario

scenario: deps build/debug/build.ninja
	@meson test -C build/debug --print-errorlogs --suite scenario

check: deps build/debug/build.ninja
	@tools/tidy/tidy
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
	@scripts/lint build/debug

fmt:
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

bench: all
	@ninja -C build/release tests/bench/hold_bench tests/bench/search_bench
	@scripts/bench build/release

fuzz: deps build/fuzz/build.ninja
	@ninja -C build/fuzz
	@scripts/fuzz build/fuzz $(or $(SECONDS_EACH),60)

deps:
	@scripts/deps

install: all
	@meson install -C build/release

clean:
	rm -rf build

build/release/build.ninja:
	@CC=$(CC_CI) meson setup build/release --buildtype=release -Db_lto=true -Db_pie=true >/dev/null
build/debug/build.ninja:
	@CC=$(CC_CI) meson setup build/debug -Db_sanitize=address,undefined >/dev/null
build/fuzz/build.ninja:
	@CC=clang meson setup build/fuzz -Dfuzz=true -Db_lundef=false >/dev/null
