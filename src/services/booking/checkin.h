/* booking/checkin.h - POST /checkin: a ticket is scanned at the door, and admits once. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/ticket.h"
#include "services/booking/ticket_code.h"

enum {
    CHECKIN_CODE_SIZE_MAX = 1024, /* longer than any code: what is no code is refused as one */
    CHECKIN_NAME_SIZE_MAX = 128,  /* of a device, of a nonce */
};

/* What one scan comes to. */
struct verdict {
    err result; /* ERR_OK: admitted */
    /* What the refusal says besides: first_scanned_at, checkin_opens_at (ms), amount_due (minor
     * units); JSON_NULL: nothing. */
    int64_t fact;
};

/* Does `ticket`, by the code that was shown, admit at `at_ms`? The event may be named by the
 * scanner (`wanted`; zero: any). In this order: ERR_INVALID_CODE, ERR_WRONG_EVENT,
 * ERR_TICKET_CANCELLED, ERR_PAYMENT_DUE, ERR_TOO_EARLY, ERR_ALREADY_USED. Pure. */
struct verdict checkin_judge(const struct ticket *ticket, const struct ticket_code *code,
                             const struct event *event, event_id wanted, int64_t at_ms);

extern const struct route_table checkin_routes;
