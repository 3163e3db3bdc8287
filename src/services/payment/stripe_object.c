/* payment/stripe_object.c - reads Stripe's objects. Pure: asks nobody.
 *
 * What is not named here is skipped, and what Stripe adds later too. A status that we do not know is
 * taken as one that is still under way: we look again rather than decide. */
#include "services/payment/stripe_object.h"

enum { ID_MAX = 255, URL_MAX = 4096, WORD_MAX = 100, ITEMS_MAX = 100 };

/* --- Shapes --- */

static const struct json_field failure_fields[] = {
    JSON_F_TOKEN("code", struct stripe_failure, code, 0, WORD_MAX, JSON_NULLABLE),
    JSON_F_TOKEN("decline_code", struct stripe_failure, decline_code, 0, WORD_MAX, JSON_NULLABLE),
};
static const struct json_shape failure_shape = JSON_SHAPE(failure_fields, struct stripe_failure);
static const struct json_field redirect_fields[] = {
    JSON_F_TOKEN("url", struct stripe_redirect, url, 0, URL_MAX, JSON_NULLABLE),
};
static const struct json_shape redirect_shape = JSON_SHAPE(redirect_fields, struct stripe_redirect);
static const struct json_field action_fields[] = {
    JSON_F_OBJECT("redirect_to_url", struct stripe_action, redirect_to_url, &redirect_shape,
                  JSON_NULLABLE),
};
static const struct json_shape action_shape = JSON_SHAPE(action_fields, struct stripe_action);
static const struct json_field card_fields[] = {
    JSON_F_TOKEN("brand", struct stripe_card, brand, 0, WORD_MAX, JSON_NULLABLE),
};
static const struct json_shape card_shape = JSON_SHAPE(card_fields, struct stripe_card);
static const struct json_field details_fields[] = {
    JSON_F_OBJECT("card", struct stripe_details, card, &card_shape, JSON_NULLABLE),
};
const struct json_shape stripe_details_shape = JSON_SHAPE(details_fields, struct stripe_details);
static const struct json_field charge_fields[] = {
    JSON_F_OBJECT("payment_method_details", struct stripe_charge, details, &stripe_details_shape,
                  JSON_NULLABLE),
};
static const struct json_shape charge_shape = JSON_SHAPE(charge_fields, struct stripe_charge);
static const struct json_field metadata_fields[] = {
    JSON_F_TOKEN("payment", struct stripe_metadata, payment, 0, ID_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("refund", struct stripe_metadata, refund, 0, ID_MAX, JSON_OPTIONAL),
};
static const struct json_shape metadata_shape = JSON_SHAPE(metadata_fields, struct stripe_metadata);
static const struct json_field intent_fields[] = {
    JSON_F_TOKEN("id", struct stripe_intent, id, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("status", struct stripe_intent, status, 1, WORD_MAX, JSON_REQUIRED),
    JSON_F_OBJECT("last_payment_error", struct stripe_intent, failure, &failure_shape,
                  JSON_NULLABLE),
    JSON_F_OBJECT("next_action", struct stripe_intent, action, &action_shape, JSON_NULLABLE),
    JSON_F_OBJECT("latest_charge", struct stripe_intent, charge, &charge_shape, JSON_NULLABLE),
    JSON_F_OBJECT("metadata", struct stripe_intent, metadata, &metadata_shape, JSON_NULLABLE),
};
const struct json_shape stripe_intent_shape = JSON_SHAPE(intent_fields, struct stripe_intent);
static const struct json_field session_fields[] = {
    JSON_F_TOKEN("id", struct stripe_session, id, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("url", struct stripe_session, url, 0, URL_MAX, JSON_NULLABLE),
    JSON_F_TOKEN("status", struct stripe_session, status, 0, WORD_MAX, JSON_NULLABLE),
    JSON_F_OBJECT("payment_intent", struct stripe_session, intent, &stripe_intent_shape,
                  JSON_NULLABLE),
};
const struct json_shape stripe_session_shape = JSON_SHAPE(session_fields, struct stripe_session);
static const struct json_field refund_fields[] = {
    JSON_F_TOKEN("id", struct stripe_refund, id, 1, ID_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("status", struct stripe_refund, status, 0, WORD_MAX, JSON_NULLABLE),
    JSON_F_OBJECT("metadata", struct stripe_refund, metadata, &metadata_shape, JSON_NULLABLE),
};
const struct json_shape stripe_refund_shape = JSON_SHAPE(refund_fields, struct stripe_refund);
static const struct json_field refunds_fields[] = {
    JSON_F_LIST("data", struct stripe_refunds, items, count, &stripe_refund_shape, 0, ITEMS_MAX,
                JSON_REQUIRED),
    JSON_F_BOOL("has_more", struct stripe_refunds, has_more, JSON_OPTIONAL),
};
const struct json_shape stripe_refunds_shape = JSON_SHAPE(refunds_fields, struct stripe_refunds);

/* --- Rules: no I/O --- */

static bool is_one_of(str word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_eq(word, str_of(*words)))
            return true;
    return false;
}

err stripe_refusal(str code, str decline_code)
{
    return str_eq(decline_code, STR("insufficient_funds")) ||
                   str_eq(code, STR("insufficient_funds"))
               ? ERR_INSUFFICIENT_FUNDS
               : ERR_CARD_DECLINED;
}

static bool waits_for_a_card(const struct stripe_intent *intent)
{
    static const char *const words[] = {"requires_payment_method", "requires_confirmation", NULL};

    return is_one_of(intent->status, words);
}

bool stripe_is_unconfirmed(const struct stripe_intent *intent)
{
    return waits_for_a_card(intent) && intent->failure == NULL;
}

bool stripe_is_cancellable(const struct stripe_intent *intent)
{
    static const char *const words[] = {"succeeded", "canceled", NULL};

    return !is_one_of(intent->status, words);
}

static enum charge_status status_of(const struct stripe_intent *intent)
{
    static const struct {
        const char *word;
        enum charge_status status;
    } words[] = {
        {"requires_payment_method", CHARGE_DECLINED       },
        {"requires_confirmation",   CHARGE_DECLINED       },
        {"requires_action",         CHARGE_REQUIRES_ACTION},
        {"requires_capture",        CHARGE_AUTHORISED     },
        {"succeeded",               CHARGE_CAPTURED       },
        {"canceled",                CHARGE_VOIDED         },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_eq(intent->status, str_of(words[i].word)))
            return words[i].status;
    return CHARGE_PROCESSING;
}

static str brand_of(const struct stripe_intent *intent)
{
    const struct stripe_charge *charge = intent->charge;

    return charge != NULL && charge->details != NULL && charge->details->card != NULL
               ? charge->details->card->brand
               : STR_ABSENT;
}

struct charge stripe_intent_charge(const struct stripe_intent *intent)
{
    struct charge charge = {.status = status_of(intent), .brand = brand_of(intent)};

    if (charge.status == CHARGE_REQUIRES_ACTION && intent->action != NULL &&
        intent->action->redirect_to_url != NULL)
        charge.redirect_url = intent->action->redirect_to_url->url;
    if (charge.status == CHARGE_DECLINED || charge.status == CHARGE_VOIDED)
        charge.failure = intent->failure != NULL
                             ? stripe_refusal(intent->failure->code, intent->failure->decline_code)
                             : ERR_CARD_DECLINED;
    return charge;
}

/* On the page a card that was refused is not the end: the buyer takes another, until he is through
 * or the session expires. */
struct charge stripe_session_charge(const struct stripe_session *session)
{
    const struct stripe_intent *intent = session->intent;

    if (str_eq(session->status, STR("expired")))
        return (struct charge){.status = CHARGE_VOIDED, .failure = ERR_CARD_DECLINED};
    if (intent == NULL || waits_for_a_card(intent) ||
        str_eq(intent->status, STR("requires_action")))
        return (struct charge){.status = str_eq(session->status, STR("open"))
                                             ? CHARGE_REQUIRES_ACTION
                                             : CHARGE_PROCESSING,
                               .redirect_url = session->url};
    return stripe_intent_charge(intent);
}

enum refund_status stripe_refund_status(const struct stripe_refund *refund)
{
    static const char *const failed[] = {"failed", "canceled", NULL};

    if (str_eq(refund->status, STR("succeeded")))
        return REFUND_SUCCEEDED;
    return is_one_of(refund->status, failed) ? REFUND_FAILED : REFUND_PENDING;
}
