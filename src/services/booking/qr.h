/* booking/qr.h - QR codes (ISO/IEC 18004): alphanumeric mode, error correction M, quiet zone 4. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    QR_QUIET = 4,           /* modules left white on every side */
    QR_TEXT_SIZE_MAX = 512, /* version 14 at most, which is still read from a phone's screen */
    QR_PNG_WIDTH_MIN = 330, /* pixels, quiet zone included */
};

struct qr {
    int width;              /* modules on a side, quiet zone excluded: 21 to 73 */
    const uint8_t *modules; /* width * width, row by row: 1 is dark */
};

/* ERR_INVALID for a text with other characters than 0-9, A-Z, space and $%*+-./: or for an empty
 * one, ERR_TOO_LARGE beyond QR_TEXT_SIZE_MAX. */
err qr_make(struct arena *arena, str text, struct qr *ret);

bool qr_is_dark(const struct qr *qr, int x, int y); /* x, y from 0 to width - 1 */

/* The dark modules of a row as few rectangles: the next run from *x on. False at the row's end. */
bool qr_next_run(const struct qr *qr, int y, int *x, int *ret_start, int *ret_length);

/* An image of one path on white, a unit a module, without a size of its own. `title` is its text
 * alternative. */
str qr_svg(struct arena *arena, const struct qr *qr, str title);

/* 1 bit a pixel, QR_PNG_WIDTH_MIN pixels wide or up to one more a module. */
err qr_png(struct arena *arena, const struct qr *qr, str *ret);
