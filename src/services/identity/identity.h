/* identity/identity.h - who somebody is: the contract of the identity service. */
#pragma once

#include "platform/node/node.h"

typedef struct user_id {
    struct uuid uuid;
} user_id;
typedef struct vendor_id {
    struct uuid uuid;
} vendor_id;
typedef struct session_id {
    struct uuid uuid;
} session_id;

#define USER_PREFIX    "usr"
#define VENDOR_PREFIX  "vnd"
#define SESSION_PREFIX "ses"

/* Whose is this access token? ERR_TOKEN_EXPIRED, ERR_TOKEN_REVOKED (also for one that was never
 * given out), ERR_WOULD_BLOCK if the answer is not in memory and the call may not block. */
struct identity_token_verify {
    str token;
};
struct identity_token_verified {
    user_id user;
    vendor_id vendor; /* zero: acts for none */
    session_id session;
    int role; /* enum role */
    int64_t expires_at_ms;
};
OP_DECLARE(identity_token_verify, struct identity_token_verify, struct identity_token_verified);

/* A person, for mails, tickets and what is near. ERR_NOT_FOUND. */
struct identity_user_find {
    user_id user;
};
struct identity_user_found {
    str email;
    str name;
    str locale;
    str city; /* absent: he has not said */
};
OP_DECLARE(identity_user_find, struct identity_user_find, struct identity_user_found);

/* Many persons at once, 1000 at the most: one for each user that was asked for, in that order;
 * without name and address where there is no such account (any more). */
struct identity_users_find {
    user_id *users;
    size_t user_count;
};
struct identity_person {
    str name;
    str email;
};
struct identity_users_found {
    struct identity_person *persons;
    size_t person_count;
};
OP_DECLARE(identity_users_find, struct identity_users_find, struct identity_users_found);

/* A vendor by id, or by a member's address if the id is zero. ERR_NOT_FOUND. */
struct identity_vendor_find {
    vendor_id vendor;
    str email;
};
struct identity_vendor_found {
    vendor_id vendor;
    str name;
    str email;
};
OP_DECLARE(identity_vendor_find, struct identity_vendor_find, struct identity_vendor_found);

extern const struct service identity_service;

/* `boxoffice user create`: ERR_EMAIL_TAKEN, ERR_INVALID with the call explaining. */
struct identity_user_new {
    str email;
    str password;
    str name;
    int role; /* enum role */
    str vendor_name;
};
err identity_user_create(struct call *call, const struct identity_user_new *in, user_id *ret_user);

/* --- `boxoffice demo`: invented people --- */

struct identity_demo {
    size_t customers;
    size_t vendors;
};
struct identity_demo_made {
    user_id *users; /* the customers, in the order they were made; in `arena` */
    size_t user_count;
    vendor_id *vendors;
    size_t vendor_count;
};

#define IDENTITY_DEMO_PASSWORD "demo demo demo"

/* Makes customer@example.test, user2@..., vendor@example.test, vendor2@..., admin@example.test, all with the one password, many in a transaction. Names are
 * combined from lists in several scripts, by the node's rng. ERR_CONFLICT, explained: there is somebody already. */
err identity_demo_make(struct call *call, struct arena *arena, const struct identity_demo *in,
                       struct identity_demo_made *ret);
