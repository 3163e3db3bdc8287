/* platform/mail/mail.h - composes messages (RFC 5322, MIME, RFC 2047) and hands them to SMTP or
 * writes them as files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"

enum {
    MAIL_ATTACHMENTS_MAX = 16,
    MAIL_SIZE_MAX = 25 << 20 /* composed; what servers commonly take */
};

struct mail_part {
    str content_type; /* "application/pdf" */
    str file_name;    /* attachments; RFC 2231 where it needs to be */
    str content_id;   /* inline pictures: <img src="cid:..."> */
    str body;
};
struct mail {
    str from; /* "Boxoffice <tickets@example.org>" */
    str to_name;
    str to_address;
    str subject;
    str text;
    str html; /* absent: text only */
    struct mail_part inlines[MAIL_ATTACHMENTS_MAX];
    size_t inline_count;
    struct mail_part attachments[MAIL_ATTACHMENTS_MAX];
    size_t attachment_count;
    str message_id; /* "ord_...@host": the same message sent twice carries the same id */
    int64_t at_ms;
};

/* The message, 7-bit, with CRLF lines of at most 998 bytes. ERR_INVALID: an address or header
 * field with CR, LF or control characters, no address, text that is not UTF-8, pictures without
 * html. ERR_TOO_LARGE: over MAIL_SIZE_MAX. */
err mail_compose(struct arena *arena, const struct mail *mail, struct rng *rng, str *ret);
/* A plain address: local part, @, domain; ERR_INVALID for anything a server could misread. */
err mail_check_address(str address);

/* A seam: how messages leave. */
struct mailer {
    /* From any thread. `from` as in struct mail or a plain address, `to` a plain address.
     * ERR_OK: accepted. ERR_UNAVAILABLE: try again later. ERR_INVALID: refused for good (5xx to the
     * recipient or to the message; a bad address; a line end that is not CRLF). */
    err (*send)(struct mailer *mailer, struct arena *arena, str from, str to, str message);
    /* Would a message leave now? Sends none. ERR_UNAVAILABLE: *ret_why says why not, in `arena`. */
    err (*check)(struct mailer *mailer, struct arena *arena, str *ret_why);
    void (*close)(struct mailer *mailer);
};
/* Writes DIR/NAME.eml (temporary name, fsync, rename), NAME in the order of sending; makes DIR,
 * whose parent must exist. ERR_INVALID: it cannot be had. */
err mailer_open_files(const char *dir, struct mailer **ret);

struct smtp_options {
    const char *url;  /* "smtp://host:587", "smtps://host:465" */
    const char *user; /* NULL: no AUTH */
    const char *password;
    bool require_tls;    /* STARTTLS or fail; false only for loopback hosts */
    const char *ca_file; /* certificates to trust, PEM; NULL: the system's */
};
/* ERR_INVALID: not such a URL, or no TLS to a host that is not loopback. Connects when it sends. */
err mailer_open_smtp(const struct smtp_options *options, struct mailer **ret);
