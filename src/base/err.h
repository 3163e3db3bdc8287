/* base/err.h - every way an operation can end, with its HTTP status and its wire name.
 *
 * One map makes the enum, the status, the stable `code` of a problem document (RFC 9457) and its
 * title. What is refused on purpose is a value like any other; a bug is an assert. */
#pragma once

#define NODISCARD [[nodiscard]]

/* clang-format off */
#define ERR_MAP(X)                                                                                  \
    X(OK,                       200, "ok",                       "OK")                              \
    /* 400 */                                                                                       \
    X(MALFORMED,                400, "malformed",                "Malformed request")               \
    X(UNKNOWN_FIELD,            400, "unknown_field",            "Unknown field")                   \
    X(KEY_REQUIRED,             400, "idempotency_key_required", "Idempotency-Key required")        \
    /* 401, 402, 403, 404, 405, 408 */                                                              \
    X(UNAUTHENTICATED,          401, "unauthenticated",          "Sign-in required")                \
    X(INVALID_CREDENTIALS,      401, "invalid_credentials",      "Unknown address or wrong password") \
    X(TOKEN_EXPIRED,            401, "token_expired",            "Token expired")                   \
    X(TOKEN_REVOKED,            401, "token_revoked",            "Token revoked")                   \
    X(CARD_DECLINED,            402, "card_declined",            "Card declined")                   \
    X(INSUFFICIENT_FUNDS,       402, "insufficient_funds",       "Insufficient funds")              \
    X(FORBIDDEN,                403, "forbidden",                "Not allowed for this role")       \
    X(NOT_FOUND,                404, "not_found",                "Not found")                       \
    X(METHOD_NOT_ALLOWED,       405, "method_not_allowed",       "Method not allowed")              \
    X(REQUEST_TIMEOUT,          408, "request_timeout",          "Request timeout")                 \
    /* 409, 410, 412 */                                                                             \
    X(CONFLICT,                 409, "conflict",                 "Conflict")                        \
    X(EMAIL_TAKEN,              409, "email_taken",              "Address already registered")      \
    X(SOLD_OUT,                 409, "sold_out",                 "Sold out")                        \
    X(NOT_ON_SALE,              409, "not_on_sale",              "Not on sale")                     \
    X(LIMIT_EXCEEDED,           409, "limit_exceeded",           "Limit exceeded")                  \
    X(ALREADY_PAID,             409, "already_paid",             "Already paid")                    \
    X(NOT_REFUNDABLE,           409, "not_refundable",           "Not refundable")                  \
    X(IN_USE,                   409, "in_use",                   "Still in use")                    \
    X(ALREADY_USED,             409, "already_used",             "Ticket already used")             \
    X(TICKET_CANCELLED,         409, "cancelled",                "Ticket cancelled")                \
    X(WRONG_EVENT,              409, "wrong_event",              "Ticket of another event")         \
    X(TOO_EARLY,                409, "too_early",                "Check-in not open yet")           \
    X(PAYMENT_DUE,              409, "payment_due",              "Payment due")                     \
    X(INSUFFICIENT_POINTS,      409, "insufficient_points",      "Not enough points")               \
    X(NOT_REDEEMABLE,           409, "not_redeemable",           "Points not taken here")           \
    X(ORDER_EXPIRED,            410, "order_expired",            "Order expired")                   \
    X(STALE,                    412, "precondition_failed",      "Changed since it was read")       \
    /* 413, 415, 416, 417, 422, 426, 428, 429, 431 */                                               \
    X(TOO_LARGE,                413, "payload_too_large",        "Body too large")                  \
    X(UNSUPPORTED_MEDIA_TYPE,   415, "unsupported_media_type",   "Unsupported media type")          \
    X(RANGE_NOT_SATISFIABLE,    416, "range_not_satisfiable",    "Range not satisfiable")           \
    X(EXPECTATION_FAILED,       417, "expectation_failed",       "Expectation failed")              \
    X(INVALID,                  422, "invalid_field",            "Invalid field")                   \
    X(IDEMPOTENCY_MISMATCH,     422, "idempotency_mismatch",     "Idempotency-Key used with another body") \
    X(METHOD_NOT_ACCEPTED,      422, "method_not_accepted",      "Payment method not accepted")     \
    X(INVALID_CODE,             422, "invalid_code",             "Not a ticket of this box office") \
    X(UPGRADE_REQUIRED,         426, "upgrade_required",         "WebSocket required")              \
    X(PRECONDITION_REQUIRED,    428, "precondition_required",    "If-Match required")               \
    X(RATE_LIMITED,             429, "rate_limited",             "Too many requests")               \
    X(HEADERS_TOO_LARGE,        431, "headers_too_large",        "Headers too large")               \
    /* 5xx */                                                                                       \
    X(INTERNAL,                 500, "internal",                 "Internal error")                  \
    X(OVERLOADED,               503, "overloaded",               "Overloaded")                      \
    X(UNAVAILABLE,              503, "unavailable",              "Temporarily unavailable")         \
    X(PROVIDER_UNAVAILABLE,     503, "provider_unavailable",     "Payment provider unavailable")    \
    /* never leave the process: the dispatcher acts on them */                                      \
    X(WOULD_BLOCK,              500, "would_block",              "Needs a worker thread")           \
    X(PARKED,                   500, "parked",                   "Waits for somebody else")         \
    X(DUPLICATE,                500, "duplicate",                "A row with this key exists")      \
    X(CONTENDED,                503, "contended",                "Ended for others' sake; run again") \
    X(CRASHED,                  500, "crashed",                  "The simulated process is dead")
/* clang-format on */

#define ERR_ENUM(code, status, name, title) ERR_##code,
typedef enum NODISCARD err { ERR_MAP(ERR_ENUM) } err;
#undef ERR_ENUM

/* The HTTP status, the stable wire name and the title of `e`. */
int err_status(err e);
const char *err_name(err e);
const char *err_title(err e);

/* Debug builds keep the trail of TRYs that an error came through, per thread. */
void err_trail_push(err e, const char *file, int line);
/* The trail as "file:line file:line", newest last, and empties it; "" in release builds. */
const char *err_trail_take(void);

#ifdef NDEBUG_TRAIL
#define ERR_TRAIL(e) ((void)0)
#else
#define ERR_TRAIL(e) err_trail_push((e), __FILE__, __LINE__)
#endif

/* The one macro that may return. Cleanup is by attribute, so leaving here is safe. */
#define TRY(expr)                       \
    do {                                \
        const err try_result_ = (expr); \
        if (try_result_ != ERR_OK) {    \
            ERR_TRAIL(try_result_);     \
            return try_result_;         \
        }                               \
    } while (0)

/* Runs fn(&variable) when the variable leaves its scope. fn accepts a zeroed value. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
