/* payment/stripe_api.c - sends requests to Stripe, tries again what may be, and sorts what comes
 * back.
 *
 * Only a few tries are made here, for a buyer waits: what still fails is the attempt's or the refund's
 * to try again later. The secret key and the tokens of buyers are in no log: of an answer only its
 * type, its code and Stripe's own request id are. */
#include "services/payment/stripe_api.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "services/payment/state.h"

enum {
    TRIES_MAX = 3,
    PAUSE_MS_MAX = 2000, /* longer than that no thread waits for */
    SECRET_FILE_SIZE_MAX = 4096,
    TEXT_MAX = 300,
};
/* The shapes that stripe_object.c reads are those of this version. */
#define API_VERSION STR("2026-10-28.endive")

/* --- Secrets --- */

static err read_secret_file(struct call *call, const char *setting, struct arena *arena, str *ret)
{
    const str path = config_text(call->self->node->config, setting);
    char *text = arena_alloc(arena, SECRET_FILE_SIZE_MAX + 1);
    struct stat stat;

    if (path.ptr == NULL) {
        *ret = STR_ABSENT;
        return ERR_OK;
    }
    const int fd = open(arena_cstr(arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return call_explain(call, ERR_INVALID, "%s: cannot read %.*s: %s", setting, STR_ARG(path),
                            strerrordesc_np(errno));
    const ssize_t size = read(fd, text, SECRET_FILE_SIZE_MAX + 1);
    const bool is_open_to_all = fstat(fd, &stat) != 0 || (stat.st_mode & S_IRWXO) != 0;
    (void)close(fd);
    if (size < 0 || size > SECRET_FILE_SIZE_MAX)
        return call_explain(call, ERR_INVALID, "%s: %.*s is no file of a secret", setting,
                            STR_ARG(path));
    if (is_open_to_all)
        return call_explain(call, ERR_INVALID, "%s: %.*s is open to everybody; chmod 600 it",
                            setting, STR_ARG(path));
    *ret = str_trim((str){text, (size_t)size});
    return ret->size > 0
               ? ERR_OK
               : call_explain(call, ERR_INVALID, "%s: %.*s is empty", setting, STR_ARG(path));
}

/* One a line: while one is replaced by the next, both hold. */
static err read_webhook_secrets(struct call *call, struct stripe *stripe)
{
    str rest = STR_ABSENT;
    str line = STR_ABSENT;

    TRY(read_secret_file(call, "payment.stripe.webhook_secret_file", stripe->arena, &rest));
    while (rest.ptr != NULL && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.size == 0)
            continue;
        if (stripe->webhook_secret_count == STRIPE_SECRETS_MAX)
            return call_explain(call, ERR_INVALID,
                                "payment.stripe.webhook_secret_file: more than %d secrets",
                                STRIPE_SECRETS_MAX);
        stripe->webhook_secrets[stripe->webhook_secret_count++] = line;
    }
    return ERR_OK;
}

/* --- Opening and closing --- */

static err fill(struct call *call, struct stripe *stripe)
{
    struct config *config = call->self->node->config;
    const struct fetcher_options options = {.timeout_ms =
                                                config_i64(config, "payment.stripe.timeout_ms")};
    str base = config_text(config, "payment.stripe.api_base");
    str key = STR_ABSENT;

    if (!fetch_is_base_url(base))
        return call_explain(call, ERR_INVALID,
                            "payment.stripe.api_base: must be https://..., or http:// to this "
                            "machine");
    while (str_ends(base, STR("/")))
        base.size--;
    stripe->base = arena_str(stripe->arena, base);
    stripe->retry_ms = config_i64(config, "payment.stripe.retry_ms");
    TRY(read_secret_file(call, "payment.stripe.secret_key_file", stripe->arena, &key));
    TRY(read_webhook_secrets(call, stripe));
    if (key.ptr != NULL)
        stripe->authorization = arena_printf(stripe->arena, "Bearer %.*s", STR_ARG(key));
    return fetcher_open(&options, &stripe->fetcher);
}

err stripe_open(struct call *call, struct stripe **ret)
{
    struct stripe *stripe = mem_new(struct stripe);

    stripe->arena = arena_open(0);
    const err e = fill(call, stripe);
    if (e == ERR_OK && (stripe->authorization.ptr != NULL || stripe->webhook_secret_count > 0)) {
        *ret = stripe;
        return ERR_OK;
    }
    stripe_close(stripe);
    *ret = NULL;
    return e;
}

void stripe_close(struct stripe *stripe)
{
    if (stripe == NULL)
        return;
    if (stripe->fetcher != NULL)
        stripe->fetcher->close(stripe->fetcher);
    arena_close(stripe->arena);
    mem_free(stripe);
}

err stripe_of(struct call *call, struct stripe **ret)
{
    *ret = payment_of(call)->stripe;
    if (*ret != NULL && (*ret)->authorization.ptr != NULL)
        return ERR_OK;
    return call_explain(call, ERR_UNAVAILABLE, "payment.stripe.secret_key_file is not set");
}

/* --- Reading answers --- */

struct error_document {
    struct stripe_error *error;
};
static const struct json_field error_fields[] = {
    JSON_F_TEXT("type", struct stripe_error, type, 0, TEXT_MAX, JSON_NULLABLE),
    JSON_F_TEXT("code", struct stripe_error, code, 0, TEXT_MAX, JSON_NULLABLE),
    JSON_F_TEXT("decline_code", struct stripe_error, decline_code, 0, TEXT_MAX, JSON_NULLABLE),
    JSON_F_TEXT("param", struct stripe_error, param, 0, TEXT_MAX, JSON_NULLABLE),
};
static const struct json_shape error_shape = JSON_SHAPE(error_fields, struct stripe_error);
static const struct json_field document_fields[] = {
    JSON_F_OBJECT("error", struct error_document, error, &error_shape, JSON_NULLABLE),
};
static const struct json_shape document_shape = JSON_SHAPE(document_fields, struct error_document);

static struct stripe_error read_error(struct call *call, str body)
{
    struct error_document document = {0};

    if (json_read(call->arena, body, &document_shape, &document) != ERR_OK ||
        document.error == NULL)
        return (struct stripe_error){0};
    return *document.error;
}

static err err_of(int status)
{
    if (status >= 200 && status <= 299)
        return ERR_OK;
    switch (status) {
    case 401: /* our key is wrong, or may not do this */
    case 403:
    case 409: /* another request has the object, or this Idempotency-Key, in its hands */
    case 429:
        return ERR_PROVIDER_UNAVAILABLE;
    default:
        return status >= 400 && status <= 499 ? ERR_CONFLICT : ERR_UNAVAILABLE;
    }
}

/* May the same request under the same key be sent again right now? */
static bool is_worth_a_try(err e, const struct stripe_answer *answer,
                           const struct fetch_answer *fetched)
{
    if (str_eq(fetch_header(fetched, STR("stripe-should-retry")), STR("false")))
        return false;
    if (e == ERR_UNAVAILABLE)
        return fetched->status >= 500 && !answer->is_saved;
    return e == ERR_PROVIDER_UNAVAILABLE && answer->status != 401 && answer->status != 403;
}

/* --- Asking --- */

static void log_trouble(struct call *call, const struct stripe_question *question,
                        const struct stripe_answer *answer, str request_id, const char *why)
{
    log_event(call->self->node->log, LOG_WARN, "stripe.trouble",
              LOG_CSTR("method", question->method), LOG_TEXT("path", question->path),
              LOG_I64("status", answer->status), LOG_TEXT("type", answer->error.type),
              LOG_TEXT("code", answer->error.code), LOG_TEXT("param", answer->error.param),
              LOG_TEXT("stripe_request", request_id),
              LOG_CSTR("why", why != NULL ? why : "it answered so"),
              LOG_TEXT("request", call->request_id));
}

static err ask_once(struct call *call, struct stripe *stripe,
                    const struct stripe_question *question, struct stripe_answer *ret,
                    struct fetch_answer *fetched)
{
    struct fetch_request request = {
        .method = question->method,
        .url =
            arena_printf(call->arena, "%.*s%.*s", STR_ARG(stripe->base), STR_ARG(question->path)),
        .body = question->form,
    };
    const char *why = NULL;

    fetch_add_header(&request, STR("Authorization"), stripe->authorization);
    fetch_add_header(&request, STR("Stripe-Version"), API_VERSION);
    if (question->form.ptr != NULL)
        fetch_add_header(&request, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
    if (question->key.ptr != NULL)
        fetch_add_header(&request, STR("Idempotency-Key"), question->key);
    err e = stripe->fetcher->send(stripe->fetcher, call->arena, &request, fetched, &why);
    *ret = (struct stripe_answer){.status = fetched->status, .body = fetched->body};
    if (e != ERR_OK) {
        e = fetched->sent ? ERR_UNAVAILABLE : ERR_PROVIDER_UNAVAILABLE;
    } else {
        e = err_of(fetched->status);
        if (e != ERR_OK)
            ret->error = read_error(call, fetched->body);
        ret->is_saved = str_eq(fetch_header(fetched, STR("idempotent-replayed")), STR("true"));
    }
    if (e == ERR_UNAVAILABLE || e == ERR_PROVIDER_UNAVAILABLE ||
        (e == ERR_CONFLICT && fetched->status != 402))
        log_trouble(call, question, ret, fetch_header(fetched, STR("request-id")), why);
    return e;
}

/* Half of it is chance, so that those who were refused together do not come back together. */
static int64_t pause_ms(struct call *call, const struct stripe *stripe, int try)
{
    const int64_t ms = stripe->retry_ms << try;

    return ms / 2 + (int64_t)rng_below(call->self->node->rng, (uint64_t)(ms / 2) + 1);
}

static void wait_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

/* What an earlier try may have done, a later one that was not let in has not undone. */
static err with_doubt(err e, bool doubt)
{
    return doubt && e == ERR_PROVIDER_UNAVAILABLE ? ERR_UNAVAILABLE : e;
}

err stripe_ask(struct call *call, const struct stripe_question *question, struct stripe_answer *ret)
{
    struct stripe *stripe = NULL;
    struct fetch_answer fetched = {0};
    bool doubt = false;

    TRY(stripe_of(call, &stripe));
    for (int try = 0;; try++) {
        const err e = ask_once(call, stripe, question, ret, &fetched);
        const int64_t asked_s = fetch_retry_after_s(&fetched);
        const int64_t ms = asked_s > 0 ? asked_s * 1000 : pause_ms(call, stripe, try);

        call->problem.retry_after_s = (int)asked_s;
        if (e == ERR_OK || try + 1 == TRIES_MAX || ms > PAUSE_MS_MAX ||
            !is_worth_a_try(e, ret, &fetched))
            return with_doubt(e, doubt);
        doubt = doubt || e == ERR_UNAVAILABLE;
        wait_ms(ms);
    }
}
