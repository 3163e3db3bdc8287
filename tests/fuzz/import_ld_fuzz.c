/* tests/fuzz/import_ld_fuzz.c - import_read_ld by libFuzzer. */
#include "import_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return import_fuzz(import_read_ld, data, size);
}
