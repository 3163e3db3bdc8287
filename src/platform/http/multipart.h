/* platform/http/multipart.h - multipart/form-data (RFC 7578, RFC 2046 5.1), read strictly.
 *
 * Nothing is copied but names that need unescaping: values point into the body. What browsers and
 * curl send is taken; what two readers could understand differently is refused: preambles,
 * padding behind boundaries, two parts of one name, filename*. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    MULTIPART_RULES_MAX = 16,
    MULTIPART_HEAD_MAX = 2048,    /* bytes of the header lines of one part */
    MULTIPART_BOUNDARY_MAX = 70,  /* RFC 2046 5.1.1 */
    MULTIPART_FILENAME_MAX = 255, /* bytes */
};

enum part_kind {
    PART_TEXT, /* UTF-8 without NUL */
    PART_FILE, /* any bytes, with a filename */
};

struct part_rule {
    const char *name;
    enum part_kind kind;
    size_t size_max; /* bytes */
    bool is_required;
};

struct part {
    bool is_there;
    str value;
    str content_type; /* as sent; absent: not said */
    str filename;     /* PART_FILE: its last component, for people only: never a path on disk */
};

/* Why it was refused; detail is one sentence, name the part that it is about (absent: none). */
struct part_fault {
    str name;
    const char *detail;
};

struct form {
    const struct part_rule *rules;
    size_t count; /* of rules and of parts */
    struct part *parts;
    struct part_fault fault;
};

/* Sets form->parts[i] by form->rules[i]. ERR_UNSUPPORTED_MEDIA_TYPE: not form-data, or a charset
 * other than UTF-8; ERR_MALFORMED; ERR_UNKNOWN_FIELD; ERR_TOO_LARGE: a file; ERR_INVALID: a missing
 * part, one that comes twice, a text that is too long or no UTF-8, a file without a name. */
err multipart_read(struct arena *arena, str content_type, str body, struct form *form);
