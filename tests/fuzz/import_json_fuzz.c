/* tests/fuzz/import_json_fuzz.c - import_read_json by libFuzzer. */
#include "import_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return import_fuzz(import_read_json, data, size);
}
