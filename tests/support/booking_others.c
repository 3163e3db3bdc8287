/* support/booking_others.c - just enough of identity for booking's calls to be answered. */

#include "support/booking_others.h"

#include "services/identity/identity.h"

static const struct json_field user_find_fields[] = {
    JSON_F_ID("user", struct identity_user_find, user, USER_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape user_find_shape =
    JSON_SHAPE(user_find_fields, struct identity_user_find);
static const struct json_field user_found_fields[] = {
    JSON_F_TEXT("email", struct identity_user_found, email, 0, 254, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct identity_user_found, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("locale", struct identity_user_found, locale, 0, 35, JSON_OPTIONAL),
};
static const struct json_shape user_found_shape =
    JSON_SHAPE(user_found_fields, struct identity_user_found);

static err identity_user_find_run(struct call *call, const struct identity_user_find *in,
                                  struct identity_user_found *ret)
{
    const struct id_text id = id_format(USER_PREFIX, in->user.uuid);

    ret->email = arena_printf(call->arena, "%s@example.com", id.text);
    ret->name = STR("Some Body");
    ret->locale = STR("en");
    return ERR_OK;
}
OP_DEFINE("identity", identity_user_find, struct identity_user_find, struct identity_user_found,
          &user_find_shape, &user_found_shape);

static const struct json_field user_row = {.type = JSON_ID, .prefix = USER_PREFIX};
static const struct json_field users_find_fields[] = {
    JSON_F_SCALARS("users", struct identity_users_find, users, user_count, &user_row, 0, 1000,
                   JSON_REQUIRED),
};
static const struct json_shape users_find_shape =
    JSON_SHAPE(users_find_fields, struct identity_users_find);
static const struct json_field person_fields[] = {
    JSON_F_TEXT("name", struct identity_person, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct identity_person, email, 0, 254, JSON_OPTIONAL),
};
static const struct json_shape person_shape = JSON_SHAPE(person_fields, struct identity_person);
static const struct json_field users_found_fields[] = {
    JSON_F_LIST("persons", struct identity_users_found, persons, person_count, &person_shape, 0,
                1000, JSON_REQUIRED),
};
static const struct json_shape users_found_shape =
    JSON_SHAPE(users_found_fields, struct identity_users_found);

static err identity_users_find_run(struct call *call, const struct identity_users_find *in,
                                   struct identity_users_found *ret)
{
    ret->persons = arena_new_array(call->arena, struct identity_person, in->user_count + 1);
    ret->person_count = in->user_count;
    for (size_t i = 0; i < in->user_count; i++) {
        const struct identity_user_find find = {in->users[i]};
        struct identity_user_found found = {0};

        TRY(identity_user_find_run(call, &find, &found));
        ret->persons[i] = (struct identity_person){found.name, found.email};
    }
    return ERR_OK;
}
OP_DEFINE("identity", identity_users_find, struct identity_users_find, struct identity_users_found,
          &users_find_shape, &users_found_shape);

static const struct json_field vendor_find_fields[] = {
    JSON_F_ID("vendor", struct identity_vendor_find, vendor, VENDOR_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct identity_vendor_find, email, 0, 254, JSON_OPTIONAL),
};
static const struct json_shape vendor_find_shape =
    JSON_SHAPE(vendor_find_fields, struct identity_vendor_find);
static const struct json_field vendor_found_fields[] = {
    JSON_F_ID("vendor", struct identity_vendor_found, vendor, VENDOR_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct identity_vendor_found, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("email", struct identity_vendor_found, email, 0, 254, JSON_OPTIONAL),
};
static const struct json_shape vendor_found_shape =
    JSON_SHAPE(vendor_found_fields, struct identity_vendor_found);

static err identity_vendor_find_run([[maybe_unused]] struct call *call,
                                    const struct identity_vendor_find *in,
                                    struct identity_vendor_found *ret)
{
    ret->vendor = in->vendor;
    ret->name = STR("Some Stage");
    ret->email = STR("stage@example.com");
    return ERR_OK;
}
OP_DEFINE("identity", identity_vendor_find, struct identity_vendor_find,
          struct identity_vendor_found, &vendor_find_shape, &vendor_found_shape);

static const struct op *const identity_ops[] = {&identity_user_find_op, &identity_users_find_op,
                                                &identity_vendor_find_op, NULL};
const struct service other_identity = {.name = "identity", .ops = identity_ops};
