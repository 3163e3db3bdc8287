/* identity/account.c - accounts: who may sign in, and what we know of them.
 *
 * Address and name are sealed at rest and found through a keyed index, so that a copy of the
 * database names nobody. */
#include "services/identity/account.h"

#include "platform/crypto/crypto.h"
#include "platform/mail/mail.h"
#include "services/identity/account.sql.h"
#include "services/identity/session.h"

const char *const role_names[] = {[ROLE_ANONYMOUS] = "anonymous",
                                  [ROLE_CUSTOMER] = "customer",
                                  [ROLE_VENDOR] = "vendor",
                                  [ROLE_ADMIN] = "admin",
                                  NULL};

enum { USERS_MAX = 1000 }; /* of identity_users_find */

static const struct json_field interest = {.type = JSON_TEXT, .min = 1, .max = 50};

static const struct json_field account_fields[] = {
    JSON_F_ID("id", struct account, id, USER_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct account, email, 3, EMAIL_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct account, name, 1, NAME_POINTS_MAX, JSON_OPTIONAL),
    JSON_F_ENUM("role", struct account, role, role_names, JSON_OPTIONAL),
    JSON_F_ID("vendor_id", struct account, vendor, VENDOR_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("vendor_name", struct account, vendor_name, 1, NAME_POINTS_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct account, city, 1, NAME_POINTS_MAX, JSON_NULLABLE),
    JSON_F_TOKEN("locale", struct account, locale, 2, 35, JSON_OPTIONAL),
    JSON_F_SCALARS("interests", struct account, interests, interest_count, &interest, 0,
                   INTERESTS_MAX, JSON_OPTIONAL),
    JSON_F_TIME("created_at", struct account, created_at_ms, JSON_OPTIONAL),
};
const struct json_shape account_shape = JSON_SHAPE(account_fields, struct account);

/* What a profile may change. */
static const struct json_field profile_fields[] = {
    JSON_F_TEXT("email", struct account, email, 3, EMAIL_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct account, name, 1, NAME_POINTS_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct account, city, 1, NAME_POINTS_MAX, JSON_NULLABLE),
    JSON_F_TOKEN("locale", struct account, locale, 2, 35, JSON_OPTIONAL),
    JSON_F_SCALARS("interests", struct account, interests, interest_count, &interest, 0,
                   INTERESTS_MAX, JSON_OPTIONAL),
};
static const struct json_shape profile_shape = JSON_SHAPE(profile_fields, struct account);

/* The column user_profile.interests. */
struct interests {
    str *items;
    size_t count;
};
static const struct json_field interests_fields[] = {
    JSON_F_SCALARS("items", struct interests, items, count, &interest, 0, INTERESTS_MAX,
                   JSON_OPTIONAL),
};
static const struct json_shape interests_shape = JSON_SHAPE(interests_fields, struct interests);

static const char *const register_roles[] = {"customer", "vendor", NULL};

struct registration {
    str email;
    str password;
    str name;
    int role; /* index in register_roles */
    str vendor_name;
};
static const struct json_field registration_fields[] = {
    JSON_F_TEXT("email", struct registration, email, 3, EMAIL_SIZE_MAX, JSON_REQUIRED),
    JSON_F_TEXT("password", struct registration, password, PASSWORD_POINTS_MIN, PASSWORD_POINTS_MAX,
                JSON_REQUIRED | JSON_SECRET),
    JSON_F_TEXT("name", struct registration, name, 1, NAME_POINTS_MAX, JSON_REQUIRED),
    JSON_F_ENUM("role", struct registration, role, register_roles, JSON_REQUIRED),
    JSON_F_TEXT("vendor_name", struct registration, vendor_name, 1, NAME_POINTS_MAX, JSON_OPTIONAL),
};
static const struct json_shape registration_shape =
    JSON_SHAPE(registration_fields, struct registration);

/* --- Rules: no I/O but the clockless kind --- */

/* Case is folded in the whole address: no provider that people use tells local parts apart by
 * it. */
static str fold_email(struct arena *arena, str email)
{
    char *folded = arena_new_array(arena, char, email.size + 1);

    for (size_t i = 0; i < email.size; i++)
        folded[i] =
            (char)(email.ptr[i] >= 'A' && email.ptr[i] <= 'Z' ? email.ptr[i] + 32 : email.ptr[i]);
    return (str){folded, email.size};
}

void account_email_index(const struct call *call, str email, uint8_t ret[EMAIL_INDEX_SIZE])
{
    keyring_mac(call->self->node->keyring, "email_index", fold_email(call->arena, email), ret);
}

/* Well-formed text of so many characters. */
static bool has_points(str text, size_t min, size_t max)
{
    if (!str_is_utf8(text))
        return false;
    const size_t points = str_code_points(text);
    return points >= min && points <= max;
}

/* The shapes of requests say the same; the command line has none. */
static err check_registration(struct call *call, const struct identity_user_new *in)
{
    if (in->email.size > EMAIL_SIZE_MAX || mail_check_address(in->email) != ERR_OK)
        return call_invalid(call, "/email", "is not an e-mail address");
    if (!has_points(in->password, PASSWORD_POINTS_MIN, PASSWORD_POINTS_MAX))
        return call_invalid(call, "/password", "must have %d to %d characters", PASSWORD_POINTS_MIN,
                            PASSWORD_POINTS_MAX);
    if (str_eq_nocase(in->password, in->email))
        return call_invalid(call, "/password", "must not be the address");
    if (!has_points(in->name, 1, NAME_POINTS_MAX))
        return call_invalid(call, "/name", "must have 1 to %d characters", NAME_POINTS_MAX);
    if (in->role != ROLE_VENDOR && in->vendor_name.ptr != NULL)
        return call_invalid(call, "/vendor_name", "is for vendors");
    if (in->vendor_name.ptr != NULL && !has_points(in->vendor_name, 1, NAME_POINTS_MAX))
        return call_invalid(call, "/vendor_name", "must have 1 to %d characters", NAME_POINTS_MAX);
    return ERR_OK;
}

/* --- Storage --- */

static str seal(struct call *call, const char *column, user_id user, str plain)
{
    const str context = arena_printf(call->arena, "user_profile.%s/%s", column,
                                     id_format(USER_PREFIX, user.uuid).text);

    return keyring_seal(call->self->node->keyring, call->self->node->rng, call->arena, context,
                        plain);
}

static err unseal(struct call *call, const char *column, user_id user, str sealed, str *ret)
{
    const str context = arena_printf(call->arena, "user_profile.%s/%s", column,
                                     id_format(USER_PREFIX, user.uuid).text);

    return keyring_unseal(call->self->node->keyring, call->arena, context, sealed, ret) == ERR_OK
               ? ERR_OK
               : ERR_INTERNAL;
}

err account_get(struct call *call, user_id id, struct account *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct interests interests = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_ACCOUNT_FIND, ARGS(UUID(id.uuid)), call->arena));
    struct account account = {
        .id = id,
        .role = (int)row_i64(&rows, 0),
        .vendor = {row_uuid(&rows, 1)},
        .vendor_name = row_text(&rows, 2),
        .city = row_text(&rows, 5),
        .locale = row_text(&rows, 6),
        .created_at_ms = row_i64(&rows, 8),
    };
    TRY(unseal(call, "email", id, row_blob(&rows, 3), &account.email));
    TRY(unseal(call, "name", id, row_blob(&rows, 4), &account.name));
    TRY(json_read(call->arena, row_text(&rows, 7), &interests_shape, &interests));
    TRY(rows_close(&rows));
    account.interests = interests.items;
    account.interest_count = interests.count;
    *ret = account;
    return ERR_OK;
}

static err tell(struct tx *tx, struct call *call, const char *kind, user_id user)
{
    return outbox_add(
        tx, call, kind,
        arena_printf(call->arena, "{\"user_id\":\"%s\"}", id_format(USER_PREFIX, user.uuid).text));
}

static str interests_json(struct call *call, const struct account *account)
{
    const struct interests interests = {account->interests, account->interest_count};

    return json_encode(call->arena, &interests_shape, &interests);
}

err account_write(struct tx *tx, struct call *call, const struct account *account, str phc)
{
    uint8_t index[EMAIL_INDEX_SIZE];
    const user_id id = account->id;

    account_email_index(call, account->email, index);
    if (!uuid_is_zero(account->vendor.uuid))
        TRY(db_exec(
            tx, &SQL_VENDOR_INSERT,
            ARGS(UUID(account->vendor.uuid), TEXT(account->vendor_name), I64(call->now_ms))));
    TRY(db_exec(tx, &SQL_ACCOUNT_INSERT,
                ARGS(UUID(id.uuid), BLOB(((str){(const char *)index, sizeof(index)})), TEXT(phc),
                     I64(account->role), UUID_OR_NIL(account->vendor.uuid))));
    TRY(db_exec(tx, &SQL_PROFILE_INSERT,
                ARGS(UUID(id.uuid), BLOB(seal(call, "email", id, account->email)),
                     BLOB(seal(call, "name", id, account->name)), TEXT(account->city),
                     TEXT(account->locale), TEXT(interests_json(call, account)),
                     I64(call->now_ms))));
    return tell(tx, call, "user.registered", id);
}

static err insert(struct call *call, const struct account *account, str phc)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(account_write(&tx, call, account, phc));
    TRY(tx_commit(&tx));
    outbox_wake(call->self);
    return ERR_OK;
}

static err email_taken(struct call *call, str email)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    uint8_t index[EMAIL_INDEX_SIZE];
    int64_t one = 0;

    account_email_index(call, email, index);
    TRY(tx_read(&tx, call_db(call)));
    const err e = db_get_i64(&tx, &SQL_ACCOUNT_EXISTS,
                             ARGS(BLOB(((str){(const char *)index, sizeof(index)}))), &one);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    return e == ERR_OK ? ERR_EMAIL_TAKEN : e;
}

/* The password is hashed before the transaction: it takes a hundred times as long. */
static err create(struct call *call, const struct identity_user_new *in, struct account *ret)
{
    struct node *node = call->self->node;
    str phc = STR_ABSENT;
    const bool sells = in->role == ROLE_VENDOR;
    vendor_id vendor = {0};

    TRY(check_registration(call, in));
    TRY(email_taken(call, in->email)); /* spares the hash; the unique index decides */
    if (sells)
        vendor.uuid = call_uuid(call);
    const struct account account = {
        .id.uuid = call_uuid(call),
        .role = in->role,
        .vendor = vendor,
        .vendor_name =
            sells ? (in->vendor_name.ptr != NULL ? in->vendor_name : in->name) : STR_ABSENT,
        .email = in->email,
        .name = in->name,
        .locale = STR("en"),
        .created_at_ms = call->now_ms,
    };
    TRY(hasher_hash(node->hasher, node->rng, call->arena, in->password, &phc));
    TRY(insert(call, &account, phc));
    *ret = account;
    return ERR_OK;
}

err identity_user_create(struct call *call, const struct identity_user_new *in, user_id *ret_user)
{
    struct account account = {0};

    TRY(create(call, in, &account));
    *ret_user = account.id;
    return ERR_OK;
}

static err update(struct call *call, const struct account *account)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    uint8_t index[EMAIL_INDEX_SIZE];
    const user_id id = account->id;

    account_email_index(call, account->email, index);
    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_ACCOUNT_SET_EMAIL,
                ARGS(UUID(id.uuid), BLOB(((str){(const char *)index, sizeof(index)})))));
    TRY(db_exec(&tx, &SQL_PROFILE_UPDATE,
                ARGS(UUID(id.uuid), BLOB(seal(call, "email", id, account->email)),
                     BLOB(seal(call, "name", id, account->name)), TEXT(account->city),
                     TEXT(account->locale), TEXT(interests_json(call, account)),
                     I64(call->now_ms))));
    TRY(tell(&tx, call, "user.updated", id));
    TRY(tx_commit(&tx));
    outbox_wake(call->self);
    return ERR_OK;
}

/* --- Handlers --- */

static err post_register(struct req *req)
{
    struct registration in = {0};
    struct account account = {0};

    TRY(req_body(req, &registration_shape, &in));
    const struct identity_user_new new = {
        .email = in.email,
        .password = in.password,
        .name = in.name,
        .role = in.role == 0 ? ROLE_CUSTOMER : ROLE_VENDOR,
        .vendor_name = in.vendor_name,
    };
    TRY(create(&req->call, &new, &account));
    return session_begin(req, 201, &account);
}

static err get_me(struct req *req)
{
    struct account account = {0};

    TRY(account_get(&req->call, (user_id){req->call.caller.user}, &account));
    return reply_json(req, 200, &account_shape, &account);
}

static err put_user(struct req *req)
{
    struct call *call = &req->call;
    struct account account = {0};
    user_id id = {0};

    TRY(req_param_id(req, "user", USER_PREFIX, &id.uuid));
    if (!uuid_eq(id.uuid, call->caller.user))
        return ERR_NOT_FOUND;
    TRY(account_get(call, id, &account));
    TRY(req_body(req, &profile_shape, &account));
    if (mail_check_address(account.email) != ERR_OK)
        return call_invalid(call, "/email", "is not an e-mail address");
    TRY(update(call, &account));
    return reply_json(req, 200, &account_shape, &account);
}

static const struct route routes[] = {
    {METHOD_POST, "/register",     post_register, AUTH_NONE, BODY(8192), UNKEYED, ON_WORKER},
    {METHOD_GET,  "/users/me",     get_me,        AUTH_USER, NO_BODY,    UNKEYED, ON_WORKER},
    {METHOD_PUT,  "/users/{user}", put_user,      AUTH_USER, BODY(8192), UNKEYED, ON_WORKER},
};
const struct route_table account_routes = ROUTE_TABLE(routes);

/* --- Ops --- */

static const struct json_field user_find_fields[] = {
    JSON_F_ID("user", struct identity_user_find, user, USER_PREFIX, JSON_REQUIRED),
};
static const struct json_shape user_find_shape =
    JSON_SHAPE(user_find_fields, struct identity_user_find);
static const struct json_field user_found_fields[] = {
    JSON_F_TEXT("email", struct identity_user_found, email, 0, EMAIL_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct identity_user_found, name, 0, NAME_POINTS_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("locale", struct identity_user_found, locale, 0, 35, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct identity_user_found, city, 0, NAME_POINTS_MAX, JSON_OPTIONAL),
};
static const struct json_shape user_found_shape =
    JSON_SHAPE(user_found_fields, struct identity_user_found);

static err identity_user_find_run(struct call *call, const struct identity_user_find *in,
                                  struct identity_user_found *ret)
{
    struct account account = {0};

    TRY(account_get(call, in->user, &account));
    *ret = (struct identity_user_found){account.email, account.name, account.locale, account.city};
    return ERR_OK;
}
OP_DEFINE("identity", identity_user_find, struct identity_user_find, struct identity_user_found,
          &user_find_shape, &user_found_shape);

static const struct json_field user_row = {.type = JSON_ID, .prefix = USER_PREFIX};
static const struct json_field users_find_fields[] = {
    JSON_F_SCALARS("users", struct identity_users_find, users, user_count, &user_row, 0, USERS_MAX,
                   JSON_REQUIRED),
};
static const struct json_shape users_find_shape =
    JSON_SHAPE(users_find_fields, struct identity_users_find);
static const struct json_field person_fields[] = {
    JSON_F_TEXT("name", struct identity_person, name, 0, NAME_POINTS_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct identity_person, email, 0, EMAIL_SIZE_MAX, JSON_OPTIONAL),
};
static const struct json_shape person_shape = JSON_SHAPE(person_fields, struct identity_person);
static const struct json_field users_found_fields[] = {
    JSON_F_LIST("persons", struct identity_users_found, persons, person_count, &person_shape, 0,
                USERS_MAX, JSON_REQUIRED),
};
static const struct json_shape users_found_shape =
    JSON_SHAPE(users_found_fields, struct identity_users_found);

static err identity_users_find_run(struct call *call, const struct identity_users_find *in,
                                   struct identity_users_found *ret)
{
    struct identity_person *persons =
        arena_new_array(call->arena, struct identity_person, in->user_count + 1);

    for (size_t i = 0; i < in->user_count; i++) {
        struct account account = {0};
        const err e = account_get(call, in->users[i], &account);

        if (e != ERR_NOT_FOUND)
            TRY(e);
        persons[i] = (struct identity_person){account.name, account.email};
    }
    *ret = (struct identity_users_found){persons, in->user_count};
    return ERR_OK;
}
OP_DEFINE("identity", identity_users_find, struct identity_users_find, struct identity_users_found,
          &users_find_shape, &users_found_shape);

static const struct json_field vendor_find_fields[] = {
    JSON_F_ID("vendor", struct identity_vendor_find, vendor, VENDOR_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct identity_vendor_find, email, 0, EMAIL_SIZE_MAX, JSON_OPTIONAL),
};
static const struct json_shape vendor_find_shape =
    JSON_SHAPE(vendor_find_fields, struct identity_vendor_find);
static const struct json_field vendor_found_fields[] = {
    JSON_F_ID("vendor", struct identity_vendor_found, vendor, VENDOR_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct identity_vendor_found, name, 0, NAME_POINTS_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct identity_vendor_found, email, 0, EMAIL_SIZE_MAX, JSON_OPTIONAL),
};
static const struct json_shape vendor_found_shape =
    JSON_SHAPE(vendor_found_fields, struct identity_vendor_found);

static err vendor_of_email(struct tx *tx, struct call *call, str email, vendor_id *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    uint8_t index[EMAIL_INDEX_SIZE];

    account_email_index(call, email, index);
    TRY(rows_first(&rows, tx, &SQL_VENDOR_OF_EMAIL,
                   ARGS(BLOB(((str){(const char *)index, sizeof(index)}))), call->arena));
    ret->uuid = row_uuid(&rows, 0);
    return rows_close(&rows);
}

static err identity_vendor_find_run(struct call *call, const struct identity_vendor_find *in,
                                    struct identity_vendor_found *ret)
{
    struct identity_vendor_found found = {.vendor = in->vendor};
    struct account account = {0};
    user_id member = {0};

    {
        CLEANUP(tx_rollback) struct tx tx = {0};
        CLEANUP(rows_done) struct rows rows = {0};

        TRY(tx_read(&tx, call_db(call)));
        if (uuid_is_zero(found.vendor.uuid))
            TRY(vendor_of_email(&tx, call, in->email, &found.vendor));
        TRY(rows_first(&rows, &tx, &SQL_VENDOR_FIND, ARGS(UUID(found.vendor.uuid)), call->arena));
        found.name = row_text(&rows, 0);
        member.uuid = row_uuid(&rows, 1);
        TRY(rows_close(&rows));
    }
    TRY(account_get(call, member, &account));
    found.email = account.email;
    *ret = found;
    return ERR_OK;
}
OP_DEFINE("identity", identity_vendor_find, struct identity_vendor_find,
          struct identity_vendor_found, &vendor_find_shape, &vendor_found_shape);
