/* booking/import/format.h - which reader a file of events wants; for import.c alone. */
#pragma once

#include "services/booking/import/read.h"

typedef err import_read(str text, const struct import_reader *reader);

/* By the end of its name, else by how the text begins. NULL: neither says. */
import_read *import_format(str path, str text);
