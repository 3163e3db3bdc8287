/* booking/cursor.h - where a list goes on: an opaque position that only we can have written. */
#pragma once

#include "platform/node/call.h"

enum { CURSOR_POSITION_SIZE_MAX = 512 };

/* `list` names the list and whatever the position depends on ("events date_asc"): a cursor of one list is none
 * of another. `position` is any bytes, 1 to CURSOR_POSITION_SIZE_MAX. The text lives in call's arena. */
str cursor_make(struct call *call, const char *list, str position);
/* ERR_MALFORMED with a detail: forged, cut, or of another list. *ret_position lives in call's arena. */
err cursor_read(struct call *call, const char *list, str cursor, str *ret_position);
