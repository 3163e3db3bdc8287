/* booking/demo_event.h - invented events; for demo*.c alone. */
#pragma once

#include "services/booking/event.h"

/* The nth event of the demo data, not written yet; in `arena`. */
struct event *demo_event(struct call *call, struct arena *arena, const struct booking_demo *in,
                         size_t nth);
