/* tests/fuzz/import_csv_fuzz.c - import_read_csv by libFuzzer. */
#include "import_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return import_fuzz(import_read_csv, data, size);
}
