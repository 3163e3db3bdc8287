/* platform/mail/mime.h - the encodings of MIME; for this folder only.
 *
 * Each takes what is_header_text or str_is_utf8 let through and adds 7-bit text with CRLF line
 * ends. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* "NAME: text" and a line end: as it is where that is plain ASCII and short, else in encoded words
 * (RFC 2047, UTF-8, base64), folded. */
void mime_header(struct buf *out, const char *name, str text);
/* "NAME: display name <address>" and a line end; the display name may be absent. */
void mime_mailbox(struct buf *out, const char *name, str display_name, str address);
/* ";", a fold, and the parameter: quoted where it is plain ASCII and short, else as RFC 2231 has
 * it. */
void mime_parameter(struct buf *out, const char *name, str value);
/* Lines of at most 76 characters; LF and CRLF of the text are its line ends. */
void mime_quoted_printable(struct buf *out, str text);
void mime_base64(struct buf *out, str data); /* `out` has an arena */
/* Is there no CR and no LF but in CRLF, and no NUL? */
bool mime_is_crlf(str message);
