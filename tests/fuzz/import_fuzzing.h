/* tests/fuzz/import_fuzzing.h - what the fuzzers of import formats have in common. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "services/booking/import/read.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the input twice, which must be heard alike, and holds each row against what import/read.h promises of it. */
int import_fuzz(err (*read)(str text, const struct import_reader *reader), const uint8_t *data,
                size_t size);
