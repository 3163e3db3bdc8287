/* platform/mail/address_test.c - what is an address, and what only looks like one. */

#include "platform/mail/address.h"

#include <string.h>

#include "platform/mail/mail.h"
#include "support/test.h"

/* `count` times the same character. */
static const char *many(struct arena *arena, char c, size_t count)
{
    char *text = arena_alloc(arena, count + 1);

    memset(text, c, count);
    return text;
}

TEST(plain_addresses_are_taken)
{
    static const char *const taken[] = {
        "a@b.co",
        "ana.maria+tickets@example.org",
        "o'hara_42@mail-1.example.co.uk",
        "!#$%&'*+-/=?^_`{|}~@example.org",
        "me@xn--mnchen-3ya.de",
        "root@localhost",
        "buyer@shop.invalid",
        "x@1.2.3.example",
        "UPPER@EXAMPLE.ORG",
        "a@3com.com",
    };

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        CHECK_OK(mail_check_address(str_of(taken[i])));
}

TEST(what_a_server_could_misread_is_no_address)
{
    static const char *const refused[] = {
        "",
        "@",
        "a",
        "a@",
        "@example.org",
        "a@b@example.org",
        "a@@example.org",
        ".a@example.org",
        "a.@example.org",
        "a..b@example.org",
        "a b@example.org",
        " a@example.org",
        "a@example.org ",
        "a@ example.org",
        "\"a\"@example.org",
        "\"a b\"@example.org",
        "a(comment)@example.org",
        "<a@example.org>",
        "Ana <a@example.org>",
        "a,b@example.org",
        "a;b@example.org",
        "a:b@example.org",
        "a\\b@example.org",
        "a@example",
        "a@.example.org",
        "a@example..org",
        "a@example.org.",
        "a@-example.org",
        "a@example-.org",
        "a@exa_mple.org",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@localhost.",
        "\xd8\xa2\xd9\x86\xd8\xa7@example.org",
        "a@m\xc3\xbcnchen.de",
        "a@example.org\r\nRCPT TO:<b@example.org>",
        "a@example.org\n",
        "a\r@example.org",
        "a\t@example.org",
        "a\x7f@example.org",
        "a@example.org,b@example.org",
        "a%b@c@example.org",
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CHECK_ERR(ERR_INVALID, mail_check_address(str_of(refused[i])));
    }
    CHECK_ERR(ERR_INVALID, mail_check_address(STR_ABSENT));
    CHECK_ERR(ERR_INVALID, mail_check_address((str){"a@example.org\0", 14}));
    CHECK_ERR(ERR_INVALID, mail_check_address((str){"a\0b@example.org", 15}));
}

TEST(sizes_are_those_of_rfc_5321)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *label = many(arena, 'd', 63);

    CHECK_OK(mail_check_address(arena_printf(arena, "%s@b.co", many(arena, 'l', 64))));
    CHECK_ERR(ERR_INVALID,
              mail_check_address(arena_printf(arena, "%s@b.co", many(arena, 'l', 65))));
    CHECK_OK(mail_check_address(arena_printf(arena, "a@%s.co", label)));
    CHECK_ERR(ERR_INVALID, mail_check_address(arena_printf(arena, "a@%sd.co", label)));

    /* 254 in all, and one more. */
    const str longest =
        arena_printf(arena, "%s@%s.%s.%s", many(arena, 'l', 61), label, label, label);
    CHECK_I64(253, (int64_t)longest.size);
    CHECK_OK(mail_check_address(arena_printf(arena, "l%.*s", STR_ARG(longest))));
    CHECK_ERR(ERR_INVALID, mail_check_address(arena_printf(arena, "ll%.*s", STR_ARG(longest))));
}

TEST(a_mailbox_is_a_name_and_an_address)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct {
        const char *mailbox;
        const char *name;
        const char *address;
    } cases[] = {
        {"a@example.org",                    NULL,                    "a@example.org"},
        {"<a@example.org>",                  NULL,                    "a@example.org"},
        {"Box Office <a@example.org>",       "Box Office",            "a@example.org"},
        {"Box Office<a@example.org>",        "Box Office",            "a@example.org"},
        {"\"Box, Office\" <a@example.org>",  "Box, Office",           "a@example.org"},
        {"\"say \\\"hi\\\" \\\\\" <a@b.co>", "say \"hi\" \\",         "a@b.co"       },
        {"a<b <a@b.co>",                     "a<b",                   "a@b.co"       },
        {"Th\xc3\xa9\xc3\xa2tre <a@b.co>",   "Th\xc3\xa9\xc3\xa2tre", "a@b.co"       },
    };
    static const char *const refused[] = {
        "",
        "Box Office",
        "Box <>",
        "<a@b.co",
        "a@b.co>",
        "Box <a@b.co> x",
        "Box\r\n <a@b.co>",
        "Box\n<a@b.co>",
        "\"a\"b\" <a@b.co>",
        "\"a\\\" <a@b.co>",
        "Bo\xc2\x85x <a@b.co>",
        "\xff <a@b.co>",
        "Box <a@b.co\r\n>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str name = STR("untouched");
        str address = STR("untouched");

        CHECK_OK(mailbox_split(arena, str_of(cases[i].mailbox), &name, &address));
        CHECK_STR(cases[i].name, name);
        CHECK_STR(cases[i].address, address);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        str name = STR("untouched");
        str address = STR("untouched");

        CHECK_ERR(ERR_INVALID, mailbox_split(arena, str_of(refused[i]), &name, &address));
        CHECK_STR("untouched", name);
    }
}
