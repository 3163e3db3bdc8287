/* tests/fuzz/import_ics_fuzz.c - import_read_ics by libFuzzer. */
#include "import_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return import_fuzz(import_read_ics, data, size);
}
