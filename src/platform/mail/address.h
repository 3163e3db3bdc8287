/* platform/mail/address.h - the parts of addresses; for this folder only. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* ASCII letters and digits. */
bool is_letter_or_digit(char c);
/* atext of RFC 5322 3.2.3: what may stand in an address or a name without quotes. */
bool is_atom_char(char c);
/* Atoms with single dots between them. */
bool is_dot_atom(str text);
/* UTF-8 without control characters (C0, DEL, C1) or line and paragraph separators: fit for a
 * header. */
bool is_header_text(str text);
/* Splits `Name <address>`, `"Name" <address>` or a plain address; the name may be absent.
 * ERR_INVALID. */
err mailbox_split(struct arena *arena, str mailbox, str *ret_name, str *ret_address);
