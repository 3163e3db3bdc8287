/* commands.c - the commands that work on the data and end: migrate, import, user, audit, version. */
#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "platform/crypto/crypto.h"
#include "services/booking/booking.h"
#include "services/identity/identity.h"
#include "services/payment/payment.h"
#include "world.h"

#ifndef BOXOFFICE_VERSION
#error "the build defines BOXOFFICE_VERSION"
#endif

enum { WORDS_MAX = 2, PASSWORD_SIZE_MAX = 1024 };

int command_wrong(const char *what)
{
    (void)fprintf(stderr, "boxoffice: %s (try: boxoffice help)\n", what);
    return 2;
}

int command_failed(const struct call *call, err e)
{
    const struct problem *problem = &call->problem;

    (void)fprintf(stderr, "boxoffice: %s", err_title(e));
    if (problem->detail.size > 0)
        (void)fprintf(stderr, ": %.*s", STR_ARG(problem->detail));
    for (size_t i = 0; i < problem->errors.count; i++)
        (void)fprintf(stderr, "; %.*s %.*s", STR_ARG(problem->errors.items[i].pointer),
                      STR_ARG(problem->errors.items[i].detail));
    (void)fputc('\n', stderr);
    return 1;
}

err command_find_vendor(struct call *call, str email, struct uuid *ret)
{
    const struct identity_vendor_find find = {.email = email};
    struct identity_vendor_found vendor = {0};
    const err e = identity_vendor_find(call, &find, &vendor);

    *ret = vendor.vendor.uuid;
    return e == ERR_NOT_FOUND
               ? call_explain(call, e, "no vendor has the address %.*s", STR_ARG(email))
               : e;
}

static bool number_of(str text, int64_t standard, int64_t *ret)
{
    *ret = standard;
    return text.ptr == NULL || (str_to_i64(text, ret) && *ret >= 0);
}

int command_version(int argc, [[maybe_unused]] char **argv)
{
    if (argc > 0)
        return command_wrong("version takes no flags");
    puts("boxoffice " BOXOFFICE_VERSION);
    return 0;
}

int command_migrate(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {.prepares = true};
    const struct option flags[] = {
        WORLD_FLAGS(options), {NULL, NULL, NULL}
    };
    size_t words = 0;

    if (options_read(argc, argv, flags, NULL, 0, &words) != ERR_OK)
        return 2;
    const err e = world_open(&world, &options);
    if (e == ERR_OK) {
        const struct node_prepared *made = &world.node->prepared;
        printf("migrate: %d roles, %d databases made; %d migrations applied\n", made->roles,
               made->databases, made->migrations);
    }
    world_close(&world);
    return e == ERR_OK ? 0 : 1;
}

int audit_world(struct world *world)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(call_done) struct call money = {0};
    str found = STR_ABSENT;

    call_init(&call, node_find(world->node, "booking"), "audit");
    call_init(&money, node_find(world->node, "payment"), "audit");
    err e = booking_audit(&call, &found);
    if (e == ERR_OK)
        e = payment_audit(&money, &found);
    if (e == ERR_OK)
        puts("audit: stock, orders, tickets and payments agree");
    else if (found.size > 0)
        printf("audit: %.*s\n", STR_ARG(found));
    else
        (void)command_failed(&call, e);
    /* No divergence: it is known, and somebody has to act. */
    if (payment_unresolved(&money, &found) == ERR_OK)
        printf("%.*s", STR_ARG(found));
    return e == ERR_OK ? 0 : 1;
}

int command_audit(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {0};
    const struct option flags[] = {
        WORLD_FLAGS(options), {NULL, NULL, NULL}
    };
    size_t words = 0;
    int status = 1;

    if (options_read(argc, argv, flags, NULL, 0, &words) != ERR_OK)
        return 2;
    if (world_open(&world, &options) == ERR_OK)
        status = audit_world(&world);
    world_close(&world);
    return status;
}

/* --- import --- */

static void report_line([[maybe_unused]] void *arg, int line, const char *text)
{
    (void)fprintf(stderr, "line %d: %s\n", line, text);
}

static int import_events(struct world *world, str email, struct booking_import *in)
{
    CLEANUP(call_done) struct call call = {0};
    struct booking_imported done = {0};

    call_init(&call, node_find(world->node, "booking"), "import");
    err e = command_find_vendor(&call, email, &in->vendor);
    if (e == ERR_OK)
        e = booking_import_events(&call, in, &done);
    if (e != ERR_OK)
        return command_failed(&call, e);
    printf("imported: %lld created, %lld updated, %lld unchanged, %lld refused\n",
           (long long)done.created, (long long)done.updated, (long long)done.unchanged,
           (long long)done.refused);
    return 0;
}

int command_import(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {0};
    struct booking_import in = {.report = report_line};
    str email = STR_ABSENT, price = STR_ABSENT, currency = STR_ABSENT, quantity = STR_ABSENT;
    str words[WORDS_MAX];
    size_t word_count = 0;
    const struct option flags[] = {
        WORLD_FLAGS(options),
        {"--vendor",   &email,       NULL       },
        {"--publish",  NULL,         &in.publish},
        {"--price",    &price,       NULL       },
        {"--currency", &currency,    NULL       },
        {"--quantity", &quantity,    NULL       },
        {"--timezone", &in.timezone, NULL       },
        {NULL,         NULL,         NULL       },
    };

    if (options_read(argc, argv, flags, words, WORDS_MAX, &word_count) != ERR_OK)
        return 2;
    if (word_count != 2 || !str_eq(words[0], STR("events")))
        return command_wrong("import wants: events FILE");
    if (email.ptr == NULL)
        return command_wrong("import wants --vendor EMAIL");
    if (!number_of(price, -1, &in.price_minor) || !number_of(quantity, -1, &in.quantity))
        return command_wrong("--price and --quantity are whole numbers");
    if (currency.ptr != NULL ? !currency_parse(currency, &in.currency) : price.ptr != NULL)
        return command_wrong("--price wants --currency with an ISO 4217 code, such as EUR");
    int status = 1;
    if (world_open(&world, &options) == ERR_OK) {
        in.path = arena_cstr(world.arena, words[1]);
        status = import_events(&world, email, &in);
    }
    world_close(&world);
    return status;
}

/* --- user --- */

static str read_password(char *line, size_t size)
{
    if (fgets(line, (int)size, stdin) == NULL)
        return STR("");
    line[strcspn(line, "\r\n")] = '\0';
    return str_of(line);
}

static int role_of(str name)
{
    static const char *const names[] = {
        [ROLE_CUSTOMER] = "customer", [ROLE_VENDOR] = "vendor", [ROLE_ADMIN] = "admin"};

    for (int role = ROLE_CUSTOMER; role <= ROLE_ADMIN; role++)
        if (str_eq(name, str_of(names[role])))
            return role;
    return ROLE_ANONYMOUS;
}

static int create_user(struct world *world, struct identity_user_new *in)
{
    CLEANUP(call_done) struct call call = {0};
    struct token_text made = {0};
    user_id user = {0};

    if (in->password.ptr == NULL) {
        made = token_new(world->node->rng);
        in->password = str_slice(str_of(made.text), 0, 20);
    }
    call_init(&call, node_find(world->node, "identity"), "user");
    const err e = identity_user_create(&call, in, &user);
    if (e != ERR_OK)
        return command_failed(&call, e);
    printf("created %s %.*s\n", id_format(USER_PREFIX, user.uuid).text, STR_ARG(in->email));
    if (made.text[0] != '\0')
        printf("password: %.*s\n", STR_ARG(in->password));
    return 0;
}

int command_user(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {0};
    struct identity_user_new in = {0};
    str role = STR_ABSENT;
    bool password_stdin = false;
    char line[PASSWORD_SIZE_MAX];
    str words[WORDS_MAX];
    size_t word_count = 0;
    const struct option flags[] = {
        WORLD_FLAGS(options),
        {"--role",           &role,           NULL           },
        {"--email",          &in.email,       NULL           },
        {"--name",           &in.name,        NULL           },
        {"--vendor-name",    &in.vendor_name, NULL           },
        {"--password-stdin", NULL,            &password_stdin},
        {NULL,               NULL,            NULL           },
    };

    if (options_read(argc, argv, flags, words, WORDS_MAX, &word_count) != ERR_OK)
        return 2;
    if (word_count != 1 || !str_eq(words[0], STR("create")))
        return command_wrong("user wants: create");
    in.role = role_of(role);
    if (in.role == ROLE_ANONYMOUS)
        return command_wrong("--role is one of customer, vendor, admin");
    if (in.email.ptr == NULL)
        return command_wrong("user create wants --email E");
    if (password_stdin)
        in.password = read_password(line, sizeof(line));
    if (in.name.ptr == NULL)
        in.name = str_slice(
            in.email, 0,
            (size_t)((const char *)memchr(in.email.ptr, '@', in.email.size) != NULL
                         ? (const char *)memchr(in.email.ptr, '@', in.email.size) - in.email.ptr
                         : (ptrdiff_t)in.email.size));
    if (in.vendor_name.ptr == NULL && in.role == ROLE_VENDOR)
        in.vendor_name = in.name;
    int status = 1;
    if (world_open(&world, &options) == ERR_OK)
        status = create_user(&world, &in);
    world_close(&world);
    return status;
}
