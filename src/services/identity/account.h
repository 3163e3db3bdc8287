/* identity/account.h - accounts of customers, vendors and admins: registration and profile. */
#pragma once

#include "platform/http/http.h"
#include "services/identity/identity.h"

enum {
    EMAIL_SIZE_MAX = 254,
    PASSWORD_POINTS_MIN = 8,
    PASSWORD_POINTS_MAX = 256,
    NAME_POINTS_MAX = 100,
    INTERESTS_MAX = 30,
    EMAIL_INDEX_SIZE = 32,
};

struct account {
    user_id id;
    int role;         /* enum role */
    vendor_id vendor; /* zero: none */
    str vendor_name;
    str email;
    str name;
    str city;
    str locale;
    str *interests;
    size_t interest_count;
    int64_t created_at_ms;
};
extern const struct json_shape account_shape; /* as the API shows it */
extern const char *const role_names[];

/* ERR_NOT_FOUND. */
err account_get(struct call *call, user_id id, struct account *ret);
/* Writes a new account, and its vendor if it has one: for who makes many at once. ERR_EMAIL_TAKEN. */
err account_write(struct tx *tx, struct call *call, const struct account *account, str phc);
/* What an address is found by: the same for "Ana@Example.org" and "ana@example.org". */
void account_email_index(const struct call *call, str email, uint8_t ret[EMAIL_INDEX_SIZE]);

extern const struct route_table account_routes;
