/* payment/payee.c - the bank account of a vendor, as far as buyers may know it.
 *
 * A method's configuration is the vendor's own JSON and may hold secrets: only members that are known
 * to be meant for buyers are given out, and only texts. */
#include <assert.h>

#include "services/payment/method.h"
#include "services/payment/payment.h"

enum { VALUE_MAX = 1000 };

struct account {
    str holder;
    str bank;
    str iban;
    str bic;
    str number;
    str sort_code;
    str routing_number;
    str branch;
    str instructions;
};
#define LINE(n, m) JSON_F_RAW(n, struct account, m, JSON_NULLABLE)
static const struct json_field account_fields[] = {
    LINE("account_holder", holder),
    LINE("bank", bank),
    LINE("iban", iban),
    LINE("bic", bic),
    LINE("account_number", number),
    LINE("sort_code", sort_code),
    LINE("routing_number", routing_number),
    LINE("branch", branch),
    LINE("instructions", instructions),
};
static const struct json_shape account_shape = JSON_SHAPE(account_fields, struct account);
static const char *const labels[] = {"Account holder", "Bank",      "IBAN",           "BIC",
                                     "Account number", "Sort code", "Routing number", "Branch",
                                     "Instructions"};
enum { LINES_MAX = sizeof(labels) / sizeof(labels[0]) };

struct text {
    str text;
};
static const struct json_field text_fields[] = {
    JSON_F_TEXT("text", struct text, text, 1, VALUE_MAX, JSON_OPTIONAL),
};
static const struct json_shape text_shape = JSON_SHAPE(text_fields, struct text);

/* A member as text; absent where it is something else. */
static str text_of(struct call *call, str raw)
{
    struct text value = {0};

    if (!str_starts(raw, STR("\"")) ||
        json_read(call->arena, arena_printf(call->arena, "{\"text\":%.*s}", STR_ARG(raw)),
                  &text_shape, &value) != ERR_OK)
        return STR_ABSENT;
    return value.text;
}

static err payment_payee_find_run(struct call *call, const struct payment_payee_find *in,
                                  struct payment_payee_found *ret)
{
    struct account account = {0};
    str config = STR_ABSENT;

    TRY(method_config(call, in->vendor, in->method, &config));
    if (config.ptr != NULL)
        TRY(json_read(call->arena, config, &account_shape, &account));
    const str raw[] = {
        account.holder,      account.bank,      account.iban,           account.bic,
        account.number,      account.sort_code, account.routing_number, account.branch,
        account.instructions};

    static_assert(sizeof(raw) / sizeof(raw[0]) == LINES_MAX, "a label for each");
    ret->lines = arena_new_array(call->arena, struct booking_account_line, LINES_MAX);
    ret->line_count = 0;
    for (size_t i = 0; i < LINES_MAX; i++) {
        const str value = text_of(call, raw[i]);

        if (value.ptr != NULL)
            ret->lines[ret->line_count++] = (struct booking_account_line){str_of(labels[i]), value};
    }
    return ERR_OK;
}

static const struct json_field find_fields[] = {
    JSON_F_ID("vendor", struct payment_payee_find, vendor, "vnd", JSON_REQUIRED),
    JSON_F_ID("method", struct payment_payee_find, method, PAYMENT_METHOD_PREFIX, JSON_REQUIRED),
};
static const struct json_shape find_shape = JSON_SHAPE(find_fields, struct payment_payee_find);
static const struct json_field line_fields[] = {
    JSON_F_TEXT("label", struct booking_account_line, label, 1, 100, JSON_REQUIRED),
    JSON_F_TEXT("value", struct booking_account_line, value, 1, VALUE_MAX, JSON_REQUIRED),
};
static const struct json_shape line_shape = JSON_SHAPE(line_fields, struct booking_account_line);
static const struct json_field found_fields[] = {
    JSON_F_LIST("lines", struct payment_payee_found, lines, line_count, &line_shape, 0, LINES_MAX,
                JSON_OPTIONAL),
};
static const struct json_shape found_shape = JSON_SHAPE(found_fields, struct payment_payee_found);
OP_DEFINE("payment", payment_payee_find, struct payment_payee_find, struct payment_payee_found,
          &find_shape, &found_shape);
