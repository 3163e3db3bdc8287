/* identity/identity.c - the identity service: its tables, ops and what it keeps in memory. */
#include "services/identity/identity.h"

#include "base/mem.h"
#include "services/identity/account.h"
#include "services/identity/account.sql.h"
#include "services/identity/demo_people.sql.h"
#include "services/identity/migrations.h"
#include "services/identity/session.h"
#include "services/identity/session.sql.h"
#include "services/identity/session_share.h"
#include "services/identity/state.h"
#include "services/identity/throttle.sql.h"

static const struct json_field verify_fields[] = {
    JSON_F_TOKEN("token", struct identity_token_verify, token, 0, 4096, JSON_REQUIRED),
};
static const struct json_shape verify_shape =
    JSON_SHAPE(verify_fields, struct identity_token_verify);
static const struct json_field verified_fields[] = {
    JSON_F_ID("user", struct identity_token_verified, user, USER_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("vendor", struct identity_token_verified, vendor, VENDOR_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("session", struct identity_token_verified, session, SESSION_PREFIX, JSON_OPTIONAL),
    JSON_F_ENUM("role", struct identity_token_verified, role, role_names, JSON_OPTIONAL),
    JSON_F_TIME("expires_at", struct identity_token_verified, expires_at_ms, JSON_OPTIONAL),
};
static const struct json_shape verified_shape =
    JSON_SHAPE(verified_fields, struct identity_token_verified);

static err identity_token_verify_run(struct call *call, const struct identity_token_verify *in,
                                     struct identity_token_verified *ret)
{
    return session_verify(call, in->token, ret);
}
OP_DEFINE("identity", identity_token_verify, struct identity_token_verify,
          struct identity_token_verified, &verify_shape, &verified_shape);

static err open_identity(struct instance *self, [[maybe_unused]] struct call *call)
{
    struct identity *identity = mem_new(struct identity);

    identity->sessions = session_cache_new();
    self->state = identity;
    session_share_open(self->node, identity->sessions);
    return ERR_OK;
}

static void close_identity(struct instance *self)
{
    struct identity *identity = self->state;

    session_share_close(self->node, identity->sessions);
    session_cache_free(identity->sessions);
    mem_free(identity);
    self->state = NULL;
}

static const struct route_table *const routes[] = {&account_routes, &session_routes, NULL};
static const struct op *const ops[] = {&identity_token_verify_op, &identity_user_find_op,
                                       &identity_users_find_op, &identity_vendor_find_op, NULL};
static const struct sql_list *const statements[] = {&account_sql, &demo_people_sql, &session_sql,
                                                    &throttle_sql, NULL};
static const struct chore chores[] = {
    {"forget_sessions", session_forget},
    {NULL,              NULL          },
};

static const struct setting setting_rows[] = {
    SETTING_NUMBER("identity.argon2_memory_kib", SETTING_COUNT, RANGE(8, 1048576), 19456,
                   "Memory that hashing one password takes, in KiB: more makes guessing dearer."),
};
static const struct settings identity_settings = SETTINGS(setting_rows);

const struct service identity_service = {
    .name = "identity",
    .routes = routes,
    .ops = ops,
    .statements = statements,
    .migrations = &identity_migrations,
    .settings = &identity_settings,
    .chores = chores,
    .open = open_identity,
    .close = close_identity,
};
