/* identity/session.c - sign-in and sign-out, and the verdict on a token.
 *
 * Unknown address and wrong password get the same answer after the same work: one argon2id, one
 * look-up, one failure counted. */
#include "services/identity/session.h"

#include "platform/crypto/crypto.h"
#include "services/identity/session.sql.h"
#include "services/identity/session_share.h"
#include "services/identity/state.h"
#include "services/identity/throttle.h"

enum { FORGET_EVERY_MS = 3600000, FORGET_AGAIN_MS = 1000 };

struct login {
    str email;
    str password;
    str totp;
};
static const struct json_field login_fields[] = {
    JSON_F_TEXT("email", struct login, email, 1, EMAIL_SIZE_MAX, JSON_REQUIRED),
    JSON_F_TEXT("password", struct login, password, 1, PASSWORD_POINTS_MAX,
                JSON_REQUIRED | JSON_SECRET),
    JSON_F_TOKEN("totp", struct login, totp, 6, 8, JSON_SECRET),
};
static const struct json_shape login_shape = JSON_SHAPE(login_fields, struct login);

struct signed_in {
    const struct account *user;
    str access_token;
    str token_type;
    int64_t expires_in;
    str refresh_token;
};
static const struct json_field signed_in_fields[] = {
    JSON_F_OBJECT("user", struct signed_in, user, &account_shape, JSON_OPTIONAL),
    JSON_F_TOKEN("access_token", struct signed_in, access_token, 1, TOKEN_TEXT_SIZE, JSON_OPTIONAL),
    JSON_F_TOKEN("token_type", struct signed_in, token_type, 1, 20, JSON_OPTIONAL),
    JSON_F_I64("expires_in", struct signed_in, expires_in, 0, REFRESH_LIFE_S, JSON_OPTIONAL),
    JSON_F_TOKEN("refresh_token", struct signed_in, refresh_token, 1, TOKEN_TEXT_SIZE,
                 JSON_OPTIONAL),
};
static const struct json_shape signed_in_shape = JSON_SHAPE(signed_in_fields, struct signed_in);

static struct token_hash hash_of(str token)
{
    struct token_hash hash;

    sha256(token, hash.bytes);
    return hash;
}

static struct value hash_value(const struct token_hash *hash)
{
    return BLOB(((str){(const char *)hash->bytes, sizeof(hash->bytes)}));
}

/* --- Storage --- */

static err insert(struct call *call, user_id user, str access, str refresh)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const struct token_hash access_hash = hash_of(access);
    const struct token_hash refresh_hash = hash_of(refresh);

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_SESSION_INSERT,
                ARGS(UUID(call_uuid(call)), UUID(user.uuid), hash_value(&access_hash),
                     hash_value(&refresh_hash), I64(call->now_ms + ACCESS_LIFE_S * INT64_C(1000)),
                     I64(call->now_ms + REFRESH_LIFE_S * INT64_C(1000)), I64(call->now_ms))));
    return tx_commit(&tx);
}

/* The account of an address and its password's hash; ERR_NOT_FOUND. */
static err find_credential(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE],
                           user_id *ret_user, str *ret_phc)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_CREDENTIAL_FIND,
                   ARGS(BLOB(((str){(const char *)index, EMAIL_INDEX_SIZE}))), call->arena));
    ret_user->uuid = row_uuid(&rows, 0);
    *ret_phc = row_text(&rows, 1);
    return rows_close(&rows);
}

static err rehash(struct call *call, user_id user, str password)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct node *node = call->self->node;
    str phc = STR_ABSENT;

    TRY(hasher_hash(node->hasher, node->rng, call->arena, password, &phc));
    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_CREDENTIAL_SET_PASSWORD, ARGS(UUID(user.uuid), TEXT(phc))));
    return tx_commit(&tx);
}

static err revoke(struct call *call, struct uuid session)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_SESSION_REVOKE, ARGS(UUID(session), I64(call->now_ms))));
    return tx_commit(&tx);
}

/* A little at a time, so that it is in nobody's way; soon again while there is more. */
err session_forget(struct call *call, int64_t *ret_next_ms)
{
    int64_t sessions = 0;
    int64_t failures = 0;

    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        TRY(tx_begin(&tx, call_db(call)));
        TRY(db_exec_count(&tx, &SQL_SESSION_FORGET, ARGS(I64(call->now_ms), I64(FORGET_AT_ONCE)),
                          &sessions));
        TRY(tx_commit(&tx));
    }
    TRY(throttle_forget(call, &failures));
    const bool more = sessions == FORGET_AT_ONCE || failures == FORGET_AT_ONCE;
    *ret_next_ms = call->now_ms + (more ? FORGET_AGAIN_MS : FORGET_EVERY_MS);
    return ERR_OK;
}

/* --- Verdicts --- */

static err find_session(struct call *call, const struct token_hash *hash,
                        struct identity_token_verified *ret, bool *ret_revoked)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_SESSION_FIND, ARGS(hash_value(hash)), call->arena));
    *ret = (struct identity_token_verified){
        .session = {row_uuid(&rows, 0)},
        .user = {row_uuid(&rows, 1)},
        .expires_at_ms = row_i64(&rows, 2),
        .role = (int)row_i64(&rows, 4),
        .vendor = {row_uuid(&rows, 5)},
    };
    *ret_revoked = !row_is_null(&rows, 3);
    return rows_close(&rows);
}

/* From the other instances, else from the database; ERR_TOKEN_REVOKED. */
static err look_up(struct call *call, const struct token_hash *hash, struct session_seen *ret)
{
    bool revoked = false;

    switch (session_share_ask(call, hash, &ret->verdict, &ret->at_ms)) {
    case SESSION_LIVE:
        return ERR_OK;
    case SESSION_ENDED:
        return ERR_TOKEN_REVOKED;
    case SESSION_UNKNOWN:
        break;
    }
    const err e = find_session(call, hash, &ret->verdict, &revoked);
    if (e == ERR_NOT_FOUND || revoked)
        return ERR_TOKEN_REVOKED;
    TRY(e);
    ret->at_ms = call->now_ms;
    session_share_tell(call, hash, &ret->verdict);
    return ERR_OK;
}

err session_verify(struct call *call, str token, struct identity_token_verified *ret)
{
    struct session_cache *cache = identity_of(call)->sessions;
    struct session_seen seen = {0};
    uint64_t generation = 0;

    if (token.size != TOKEN_TEXT_SIZE)
        return ERR_TOKEN_REVOKED;
    const struct token_hash hash = hash_of(token);
    if (!session_cache_find(cache, &hash, call->now_ms, &seen.verdict, &generation)) {
        if (!call->may_block)
            return ERR_WOULD_BLOCK;
        TRY(look_up(call, &hash, &seen));
        session_cache_put(cache, &hash, &seen, generation);
    }
    if (seen.verdict.expires_at_ms <= call->now_ms)
        return ERR_TOKEN_EXPIRED;
    *ret = seen.verdict;
    return ERR_OK;
}

/* --- Handlers --- */

err session_begin(struct req *req, int status, const struct account *account)
{
    struct node *node = req->call.self->node;
    const struct token_text access = token_new(node->rng);
    const struct token_text refresh = token_new(node->rng);

    TRY(insert(&req->call, account->id, str_of(access.text), str_of(refresh.text)));
    const struct signed_in answer = {
        .user = account,
        .access_token = str_of(access.text),
        .token_type = STR("Bearer"),
        .expires_in = ACCESS_LIFE_S,
        .refresh_token = str_of(refresh.text),
    };
    return reply_json(req, status, &signed_in_shape, &answer);
}

static err check_password(struct call *call, const struct login *in, user_id *ret_user)
{
    uint8_t index[EMAIL_INDEX_SIZE];
    user_id user = {0};
    str phc = STR_ABSENT;
    bool outdated = false;

    account_email_index(call, in->email, index);
    TRY(throttle_check(call, index));
    const err found = find_credential(call, index, &user, &phc);
    if (found != ERR_OK && found != ERR_NOT_FOUND)
        return found;
    const err e = hasher_verify(call->self->node->hasher, phc, in->password, &outdated);
    if (e == ERR_INVALID_CREDENTIALS)
        TRY(throttle_fail(call, index));
    TRY(e);
    TRY(throttle_clear(call, index));
    if (outdated)
        TRY(rehash(call, user, in->password));
    *ret_user = user;
    return ERR_OK;
}

static err post_login(struct req *req)
{
    struct login in = {0};
    struct account account = {0};
    user_id user = {0};

    TRY(req_body(req, &login_shape, &in));
    TRY(check_password(&req->call, &in, &user));
    TRY(account_get(&req->call, user, &account));
    return session_begin(req, 200, &account);
}

static err post_logout(struct req *req)
{
    const struct token_hash hash = hash_of(req->authorization);

    TRY(revoke(&req->call, req->call.caller.session));
    session_cache_remove(identity_of(&req->call)->sessions, &hash);
    session_share_end(&req->call, &hash);
    return reply_empty(req, 204);
}

static const struct route routes[] = {
    {METHOD_POST, "/login",  post_login,  AUTH_NONE, BODY(8192), UNKEYED, ON_WORKER},
    {METHOD_POST, "/logout", post_logout, AUTH_USER, NO_BODY,    UNKEYED, ON_WORKER},
};
const struct route_table session_routes = ROUTE_TABLE(routes);
