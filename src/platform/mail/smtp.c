/* platform/mail/smtp.c - hands messages to an SMTP server (RFC 5321), by libcurl.
 *
 * One message is one conversation; a few connections are kept for the next ones. What an answer
 * means for the sender of the queue depends on the command it answers:
 *
 *   4xx, no connection, no TLS, no sign-in           try again later
 *   5xx to EHLO, AUTH, MAIL                          try again later: our settings are wrong, not
 *                                                    the message
 *   5xx to RCPT or to the message; 552 to MAIL       refused for good
 *
 * Messages with a line end other than CRLF are not sent: servers disagree on where such a
 * message ends, and what follows could pass as another one (SMTP smuggling). libcurl doubles
 * leading dots. */

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "platform/mail/address.h"
#include "platform/mail/mail.h"
#include "platform/mail/mime.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 30000,
    IDLE_MAX_S = 20, /* servers close idle connections after minutes (RFC 5321 4.5.3.2) */
    KEPT_MAX = 4,
};

struct smtp_mailer {
    struct mailer mailer; /* the first member */
    struct arena *arena;  /* of the options */
    struct smtp_options options;
    pthread_mutex_t lock;
    CURL *kept[KEPT_MAX];
    size_t kept_count;
};

enum step { STEP_OTHER, STEP_MAIL, STEP_RCPT, STEP_DATA };

/* One message under way. */
struct delivery {
    str rest;       /* of the message: what is not sent yet */
    enum step step; /* the last command */
};

/* --- Rules: no I/O --- */

static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return str_eq_nocase(str_of(host), STR("localhost")) || str_eq(str_of(host), STR("[::1]"));
}

/* What the server's last answer means. */
static err err_of_answer(long code, enum step step)
{
    if (code < 500 || code > 599)
        return ERR_UNAVAILABLE;
    switch (code) {
    case 503: /* bad sequence of commands */
    case 530: /* sign in or start TLS first */
    case 534:
    case 535:
    case 538:
        return ERR_UNAVAILABLE; /* the session is refused, not the message */
    case 552: /* too large, which the server may say as soon as it knows the size */
        return step >= STEP_MAIL ? ERR_INVALID : ERR_UNAVAILABLE;
    default:
        return step >= STEP_RCPT ? ERR_INVALID : ERR_UNAVAILABLE;
    }
}

static size_t read_message(char *buffer, size_t size, size_t count, void *arg)
{
    struct delivery *delivery = arg;
    const str part = str_slice(delivery->rest, 0, size * count);

    if (part.size > 0)
        memcpy(buffer, part.ptr, part.size);
    delivery->rest = str_slice(delivery->rest, part.size, delivery->rest.size);
    return part.size;
}

/* libcurl tells its commands here: an answer's code alone does not say what was refused. */
static int watch_commands([[maybe_unused]] CURL *handle, curl_infotype type,
                          char *data, /* NOLINT(readability-non-const-parameter): libcurl's type */
                          size_t size, void *arg)
{
    struct delivery *delivery = arg;
    const str line = {data, size};

    if (type != CURLINFO_HEADER_OUT || delivery == NULL)
        return 0;
    if (str_starts(line, STR("MAIL FROM:")))
        delivery->step = STEP_MAIL;
    else if (str_starts(line, STR("RCPT TO:")))
        delivery->step = STEP_RCPT;
    else if (str_eq(line, STR("DATA\r\n")))
        delivery->step = STEP_DATA;
    return 0;
}

/* What stays the same for every message. */
static bool set_options(CURL *handle, const struct smtp_options *options)
{
    const long use_ssl = options->require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE;

    return curl_easy_setopt(handle, CURLOPT_URL, options->url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK && /* nor the environment's */
           curl_easy_setopt(handle, CURLOPT_USE_SSL, use_ssl) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
               CURLE_OK &&
           (options->ca_file == NULL ||
            curl_easy_setopt(handle, CURLOPT_CAINFO, options->ca_file) == CURLE_OK) &&
           (options->user == NULL ||
            (curl_easy_setopt(handle, CURLOPT_USERNAME, options->user) == CURLE_OK &&
             curl_easy_setopt(handle, CURLOPT_PASSWORD, options->password) == CURLE_OK)) &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_READFUNCTION, read_message) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, watch_commands) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L) == CURLE_OK; /* to the function above */
}

/* One that was kept, or a new one; NULL if libcurl has none to give. */
static CURL *take_handle(struct smtp_mailer *smtp)
{
    CURL *handle = NULL;

    (void)pthread_mutex_lock(&smtp->lock);
    if (smtp->kept_count > 0)
        handle = smtp->kept[--smtp->kept_count];
    (void)pthread_mutex_unlock(&smtp->lock);
    if (handle != NULL)
        return handle;

    handle = curl_easy_init();
    if (handle != NULL && !set_options(handle, &smtp->options)) {
        curl_easy_cleanup(handle);
        return NULL;
    }
    return handle;
}

/* Keeps the handle with its connection, if there is room. */
static void give_back(struct smtp_mailer *smtp, CURL *handle)
{
    (void)pthread_mutex_lock(&smtp->lock);
    const bool kept = smtp->kept_count < KEPT_MAX;
    if (kept)
        smtp->kept[smtp->kept_count++] = handle;
    (void)pthread_mutex_unlock(&smtp->lock);
    if (!kept)
        curl_easy_cleanup(handle);
}

static bool set_delivery(CURL *handle, const char *from, struct curl_slist *to,
                         struct delivery *delivery)
{
    const curl_off_t size = delivery != NULL ? (curl_off_t)delivery->rest.size : -1;

    return curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, size) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_READDATA, delivery) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_DEBUGDATA, delivery) == CURLE_OK;
}

static err deliver(CURL *handle, const char *from, struct curl_slist *to, str message)
{
    struct delivery delivery = {.rest = message};
    long code = 0;

    if (!set_delivery(handle, from, to, &delivery))
        return ERR_UNAVAILABLE;
    const CURLcode result = curl_easy_perform(handle);
    if (result == CURLE_OK)
        return ERR_OK;
    if (curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code) != CURLE_OK)
        return ERR_UNAVAILABLE;
    return err_of_answer(code, delivery.step);
}

static err smtp_send(struct mailer *mailer, struct arena *arena, str from, str to, str message)
{
    struct smtp_mailer *smtp = (struct smtp_mailer *)mailer;
    str name = STR_ABSENT;
    str sender = STR_ABSENT;

    TRY(mailbox_split(arena, from, &name, &sender));
    TRY(mail_check_address(to));
    if (!mime_is_crlf(message))
        return ERR_INVALID;

    CURL *handle = take_handle(smtp);
    if (handle == NULL)
        return ERR_UNAVAILABLE;
    struct curl_slist *recipients = curl_slist_append(NULL, arena_cstr(arena, to));
    const err result = recipients != NULL
                           ? deliver(handle, arena_cstr(arena, sender), recipients, message)
                           : ERR_UNAVAILABLE;
    /* What is kept must not point at this message, nor have a connection in an unknown state. */
    if (result == ERR_OK && set_delivery(handle, NULL, NULL, NULL))
        give_back(smtp, handle);
    else
        curl_easy_cleanup(handle);
    curl_slist_free_all(recipients);
    return result;
}

/* As far as to be signed in, on a connection of its own. */
static err smtp_check(struct mailer *mailer, struct arena *arena, str *ret_why)
{
    const struct smtp_mailer *smtp = (const struct smtp_mailer *)mailer;
    CURL *handle = curl_easy_init();
    CURLcode result = CURLE_OUT_OF_MEMORY;

    if (handle != NULL && set_options(handle, &smtp->options) &&
        curl_easy_setopt(handle, CURLOPT_UPLOAD, 0L) == CURLE_OK &&
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L) == CURLE_OK &&
        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "NOOP") == CURLE_OK)
        result = curl_easy_perform(handle);
    if (handle != NULL)
        curl_easy_cleanup(handle);
    if (result == CURLE_OK)
        return ERR_OK;
    *ret_why = arena_str(arena, str_of(curl_easy_strerror(result)));
    return ERR_UNAVAILABLE;
}

static void smtp_close(struct mailer *mailer)
{
    struct smtp_mailer *smtp = (struct smtp_mailer *)mailer;

    for (size_t i = 0; i < smtp->kept_count; i++)
        curl_easy_cleanup(smtp->kept[i]);
    (void)pthread_mutex_destroy(&smtp->lock);
    arena_close(smtp->arena);
    mem_free(smtp);
}

static void init_curl(void)
{
    /* Only this: whoever else in the process uses libcurl does the same, and it counts. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

/* "smtp://host[:port]" or "smtps://...", without a name or password: those are settings of their
 * own. In the clear only to this machine. */
static err check_url(const struct smtp_options *options)
{
    CURLU *url = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *user = NULL;
    err result = ERR_INVALID;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, options->url, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER) {
        const bool is_smtps = str_eq(str_of(scheme), STR("smtps"));
        const bool is_smtp = str_eq(str_of(scheme), STR("smtp"));

        if (is_smtps || (is_smtp && (options->require_tls || is_loopback(host))))
            result = ERR_OK;
    }
    curl_free(user);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(url);
    return result;
}

/* A copy that lives as long as the mailer. */
static const char *keep(struct arena *arena, const char *text)
{
    return text != NULL ? arena_cstr(arena, str_of(text)) : NULL;
}

err mailer_open_smtp(const struct smtp_options *options, struct mailer **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (pthread_once(&once, init_curl) != 0)
        return ERR_INTERNAL;
    if (options->url == NULL || (options->user != NULL && options->password == NULL))
        return ERR_INVALID;
    TRY(check_url(options));

    struct smtp_mailer *smtp = mem_new(struct smtp_mailer);
    smtp->mailer = (struct mailer){.send = smtp_send, .check = smtp_check, .close = smtp_close};
    smtp->arena = arena_open(0);
    smtp->options = (struct smtp_options){
        .url = keep(smtp->arena, options->url),
        .user = keep(smtp->arena, options->user),
        .password = keep(smtp->arena, options->password),
        .require_tls = options->require_tls,
        .ca_file = keep(smtp->arena, options->ca_file),
    };
    if (pthread_mutex_init(&smtp->lock, NULL) != 0) {
        arena_close(smtp->arena);
        mem_free(smtp);
        return ERR_INTERNAL;
    }
    *ret = &smtp->mailer;
    return ERR_OK;
}
