/* booking/export/write.h - rows of an export as CSV (RFC 4180) and as JSON. Pure. */
#pragma once

#include "services/booking/export/tables.h"

/* The row of names. Lines end with CR LF. */
void export_csv_names(struct buf *out, const struct export_table *table);
/* What people wrote and a spreadsheet would run as a formula, because it begins with = + - @ TAB or CR,
 * gets a ' in front (OWASP, CSV Injection). A missing value is an empty field. */
void export_csv_row(struct buf *out, const struct export_table *table, const struct value *cells);
/* An object; a missing value is null. */
void export_json_row(struct buf *out, const struct export_table *table, const struct value *cells);
