/* platform/node/call.h - the context of one unit of work: a request, a job, a feed event, an op.
 *
 * Whatever may depend on time, chance, the caller or a database is reached from here and from
 * nowhere else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "platform/json/json.h"

struct node;
struct instance;

enum role { ROLE_ANONYMOUS, ROLE_CUSTOMER, ROLE_VENDOR, ROLE_ADMIN };

struct caller {
    enum role role;
    struct uuid user;    /* zero: anonymous */
    struct uuid vendor;  /* zero: acts for no vendor */
    struct uuid session; /* what logout ends */
};

/* What goes into a problem document besides the err. */
struct problem {
    str detail;
    struct json_errors errors;
    struct buf members; /* further members: `,"name":value` */
    int retry_after_s;  /* 0: none (429 and 503 then say 1) */
};

struct call {
    struct instance *self; /* the service that works now */
    struct arena *arena;
    int64_t now_ms; /* taken once: one unit of work has one time */
    str request_id;
    str traceparent; /* W3C; absent: none came */
    struct caller caller;
    bool may_block; /* false on an event loop: what would block returns ERR_WOULD_BLOCK */
    struct problem problem;
};

/* A call for work that no request began. The arena is the call's until call_done. */
void call_init(struct call *call, struct instance *self, const char *what);
void call_done(struct call *call); /* for CLEANUP */
/* Between two units of work in one loop: resets the arena and takes the time anew. */
void call_next(struct call *call);

/* One sentence for people, into `detail`; the last one counts. Gives `e` back: return
 * call_explain(call, ERR_SOLD_OUT, "..."). */
err call_explain(struct call *call, err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes one bad field (RFC 6901 pointer) and gives ERR_INVALID. */
err call_invalid(struct call *call, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A further member of the problem document; `json` is a JSON value. */
void call_member(struct call *call, const char *name, str json);
/* For the log: "sold_out: Only 3 are left." and, in debug builds, the trail of TRYs. Empties the
 * trail. */
str call_failure(struct call *call, err e);

struct db *call_db(const struct call *call);
struct uuid call_uuid(const struct call *call); /* a new UUIDv7 */
