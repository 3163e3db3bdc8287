/* identity/account_test.c - who may register, what is kept of him, and what others see of it. */
#include "services/identity/account.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/identity/identity_fixture.h"
#include "support/test.h"
#include "support/test_database.h"

enum { CROWD = 8, FILE_SIZE_MAX = 32 * 1024 * 1024 };

static str repeated(struct arena *arena, const char *what, int times)
{
    struct buf text = buf_in(arena, 4096);

    for (int i = 0; i < times; i++)
        buf_add_cstr(&text, what);
    return buf_str(&text);
}

/* --- Registration --- */

/* What a request says; NULL: nothing. JSON texts without their quotes. */
struct says {
    const char *email;
    const char *password;
    const char *name;
    const char *role;
    const char *rest; /* further members */
};

static const char *registration(struct arena *arena, const struct says *says)
{
    const char *const names[] = {"email", "password", "name", "role"};
    const char *const values[] = {says->email, says->password, says->name, says->role};
    struct buf body = buf_in(arena, 4096);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (values[i] != NULL)
            buf_printf(&body, "%s\"%s\":\"%s\"", body.size > 0 ? "," : "{", names[i], values[i]);
    buf_printf(&body, "%s}", says->rest != NULL ? says->rest : "");
    return buf_str(&body).ptr;
}

TEST(registration_is_refused_for_what_is_wrong_with_it)
{
#define EIGHT    "12345678"
#define CUSTOMER "customer"
    static const struct {
        struct says says;
        int status;
        const char *pointer;
    } cases[] = {
        {{NULL, EIGHT, "A", CUSTOMER, NULL},                               422, "/email"      },
        {{"", EIGHT, "A", CUSTOMER, NULL},                                 422, "/email"      },
        {{"ana", EIGHT, "A", CUSTOMER, NULL},                              422, "/email"      },
        {{"@b.org", EIGHT, "A", CUSTOMER, NULL},                           422, "/email"      },
        {{"ana@", EIGHT, "A", CUSTOMER, NULL},                             422, "/email"      },
        {{"a b@c.org", EIGHT, "A", CUSTOMER, NULL},                        422, "/email"      },
        {{"a@b@c.org", EIGHT, "A", CUSTOMER, NULL},                        422, "/email"      },
        {{"a@b.org\\nBcc: x@y.org", EIGHT, "A", CUSTOMER, NULL},           422, "/email"      },
        {{"Ana <a@b.org>", EIGHT, "A", CUSTOMER, NULL},                    422, "/email"      },
        {{"a@b.org", NULL, "A", CUSTOMER, NULL},                           422, "/password"   },
        {{"a@b.org", "", "A", CUSTOMER, NULL},                             422, "/password"   },
        {{"a@b.org", "1234567", "A", CUSTOMER, NULL},                      422, "/password"   },
        {{"a@b.org", "\\u00e4\\u00e4\\u00e4\\u00e4", "A", CUSTOMER, NULL}, 422, "/password"   },
        {{"ana@b.org", "ANA@b.org", "A", CUSTOMER, NULL},                  422, "/password"   },
        {{"a@b.org", EIGHT, NULL, CUSTOMER, NULL},                         422, "/name"       },
        {{"a@b.org", EIGHT, "", CUSTOMER, NULL},                           422, "/name"       },
        {{"a@b.org", EIGHT, "A", NULL, NULL},                              422, "/role"       },
        {{"a@b.org", EIGHT, "A", "admin", NULL},                           422, "/role"       },
        {{"a@b.org", EIGHT, "A", CUSTOMER, ",\"vendor_name\":\"V\""},      422, "/vendor_name"},
        {{"a@b.org", EIGHT, "A", "vendor", ",\"vendor_name\":\"\""},       422, "/vendor_name"},
        {{"a@b.org", EIGHT, "A", CUSTOMER, ",\"id\":\"usr_1\""},           400, "/id"         },
        {{"a@b.org", EIGHT, "A", CUSTOMER, ","},                           400, NULL          },
    };
#undef EIGHT
#undef CUSTOMER
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *body = registration(office.arena, &cases[i].says);
        const struct answer answer = identity_ask(&office, NULL, "POST", "/register", body);

        if (answer.status != cases[i].status)
            print_error("%s\n", body);
        check_problem(office.arena, &answer, cases[i].status,
                      cases[i].status == 422     ? "invalid_field"
                      : cases[i].pointer != NULL ? "unknown_field"
                                                 : "malformed");
        CHECK_STR(cases[i].pointer, answer_at(office.arena, &answer, "/errors/0/pointer"));
    }
    CHECK_I64(0, office_i64(&office, "identity", "SELECT count(*) FROM user_credential"));
}

TEST(passwords_are_counted_in_characters)
{
    static const struct {
        const char *what;
        int times;
        int status;
    } cases[] = {
        {"x",                7,   422},
        {"x",                8,   201},
        {"x",                256, 201},
        {"x",                257, 422},
        {"\xf0\x9f\x8e\xb7", 7,   422}, /* a saxophone has four bytes */
        {"\xf0\x9f\x8e\xb7", 8,   201},
        {"\xf0\x9f\x8e\xb7", 256, 201},
        {" x",               4,   201}, /* nothing is trimmed, no class of characters is asked for */
    };
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str email = arena_printf(office.arena, "ana%zu@example.org", i);
        const str password = repeated(office.arena, cases[i].what, cases[i].times);
        const struct answer answer = identity_register(&office, email.ptr, password.ptr);

        check_status(cases[i].status, &answer);
        if (cases[i].status == 201)
            CHECK_I64(200, identity_login(&office, email.ptr, password.ptr).status);
    }
}

TEST(a_new_account_is_answered_with_a_session)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer answer = identity_ask(
        &office, NULL, "POST", "/register",
        "{\"email\":\"Vera@Example.org\",\"password\":\"correct horse\",\"name\":\"Vera\","
        "\"role\":\"vendor\",\"vendor_name\":\"Opera\"}");
    check_status(201, &answer);
    CHECK_STR("Bearer", answer_at(office.arena, &answer, "/token_type"));
    CHECK_STR("43200", answer_at(office.arena, &answer, "/expires_in"));
    CHECK_I64(43, answer_at(office.arena, &answer, "/access_token").size);
    CHECK_I64(43, answer_at(office.arena, &answer, "/refresh_token").size);
    CHECK_STR("Vera@Example.org", answer_at(office.arena, &answer, "/user/email"));
    CHECK_STR("vendor", answer_at(office.arena, &answer, "/user/role"));
    CHECK_STR("Opera", answer_at(office.arena, &answer, "/user/vendor_name"));
    CHECK_STR("no-store", answer_header(&answer, "Cache-Control"));
    CHECK(memmem(answer.body.ptr, answer.body.size, "correct horse", 13) == NULL);

    const struct answer me = identity_me(&office, identity_token(&office, &answer));
    check_status(200, &me);
    CHECK_STR(answer_at(office.arena, &answer, "/user").ptr, me.body);
    CHECK(str_starts(answer_at(office.arena, &me, "/vendor_id"), STR("vnd_")));
}

TEST(a_vendor_without_a_name_of_its_own_has_its_owners)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer answer = identity_ask(
        &office, NULL, "POST", "/register",
        "{\"email\":\"v@b.org\",\"password\":\"12345678\",\"name\":\"Vera\",\"role\":\"vendor\"}");
    CHECK_STR("Vera", answer_at(office.arena, &answer, "/user/vendor_name"));
    const struct answer customer = identity_register(&office, "c@b.org", "12345678");
    CHECK_STR(NULL, answer_at(office.arena, &customer, "/user/vendor_id"));
    CHECK_STR(NULL, answer_at(office.arena, &customer, "/user/vendor_name"));
}

TEST(an_address_is_taken_in_whatever_case)
{
    static const char *const same[] = {"ana@example.org", "ANA@EXAMPLE.ORG", "Ana@Example.Org"};
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    CHECK_I64(201, identity_register(&office, "Ana@example.org", "12345678").status);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        const struct answer answer = identity_register(&office, same[i], "87654321");

        check_problem(office.arena, &answer, 409, "email_taken");
        CHECK_I64(200, identity_login(&office, same[i], "12345678").status);
    }
    CHECK_I64(201, identity_register(&office, "ana@example.com", "12345678").status);
}

TEST(of_many_who_register_an_address_at_once_one_has_it)
{
    CLEANUP(office_close) struct office office;
    struct ask asks[CROWD];
    struct answer answers[CROWD];
    int created = 0;

    identity_fixture_open(&office);
    for (size_t i = 0; i < CROWD; i++)
        asks[i] = (struct ask){
            .method = "POST",
            .path = "/register",
            .body = arena_printf(office.arena,
                                 "{\"email\":\"%s@example.org\",\"password\":\"12345678\","
                                 "\"name\":\"A\",\"role\":\"vendor\"}",
                                 i % 2 == 0 ? "ana" : "ANA")
                        .ptr,
        };
    office_ask_together(&office, asks, CROWD, answers);
    for (size_t i = 0; i < CROWD; i++) {
        if (answers[i].status == 201)
            created++;
        else
            check_problem(office.arena, &answers[i], 409, "email_taken");
    }
    CHECK_I64(1, created);
    CHECK_I64(1, office_i64(&office, "identity", "SELECT count(*) FROM user_credential"));
    CHECK_I64(1, office_i64(&office, "identity", "SELECT count(*) FROM user_profile"));
    CHECK_I64(1, office_i64(&office, "identity", "SELECT count(*) FROM vendor"));
    CHECK_I64(1, office_i64(&office, "identity", "SELECT count(*) FROM outbox"));
}

TEST(the_command_line_keeps_to_the_same_rules)
{
    static const struct {
        struct identity_user_new in;
        err expected;
    } cases[] = {
        {{{"ana@b.org", 9}, {"12345678", 8}, {"Ana", 3}, ROLE_ADMIN, {NULL, 0}},     ERR_OK     },
        {{{"ANA@b.org", 9}, {"12345678", 8}, {"Ana", 3}, ROLE_CUSTOMER, {NULL, 0}},
         ERR_EMAIL_TAKEN                                                                        },
        {{{"eva@b.org", 9},
          {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8},
          {"Eva", 3},
          ROLE_ADMIN,
          {NULL, 0}},
         ERR_INVALID                                                                            },
        {{{"eva@b.org", 9}, {"1234567\xff", 8}, {"Eva", 3}, ROLE_ADMIN, {NULL, 0}},  ERR_INVALID},
        {{{"eva@b.org", 9}, {"12345678", 8}, {"E\xff", 2}, ROLE_ADMIN, {NULL, 0}},   ERR_INVALID},
        {{{"eva@b.org", 9}, {"12345678", 8}, {"", 0}, ROLE_ADMIN, {NULL, 0}},        ERR_INVALID},
        {{{"eva", 3}, {"12345678", 8}, {"Eva", 3}, ROLE_ADMIN, {NULL, 0}},           ERR_INVALID},
        {{{"eva@b.org", 9}, {"12345678", 8}, {"Eva", 3}, ROLE_ADMIN, {"Opera", 5}},  ERR_INVALID},
        {{{"eva@b.org", 9}, {"12345678", 8}, {"Eva", 3}, ROLE_VENDOR, {"Opera", 5}}, ERR_OK     },
    };
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(call_done) struct call call = {0};
        user_id user = {0};

        identity_fixture_call(&office, &call);
        CHECK_ERR(cases[i].expected, identity_user_create(&call, &cases[i].in, &user));
        CHECK_I64(cases[i].expected == ERR_OK, !uuid_is_zero(user.uuid));
    }
}

/* --- At rest --- */

/* What is on the disk, of database and log. */
static str bytes_of(struct office *office, const char *name)
{
    const str path = arena_printf(office->arena, "%s/%s", office->dir, name);
    const int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0)
        return STR("");
    CHECK(fstat(fd, &status) == 0 && status.st_size <= FILE_SIZE_MAX);
    char *bytes = arena_alloc(office->arena, (size_t)status.st_size + 1);
    CHECK(read(fd, bytes, (size_t)status.st_size) == status.st_size);
    (void)close(fd);
    return (str){bytes, (size_t)status.st_size};
}

static bool is_on_disk(struct office *office, str what)
{
    static const char *const files[] = {"identity.db", "identity.db-wal"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const str bytes = bytes_of(office, files[i]);

        if (bytes.size > 0 && memmem(bytes.ptr, bytes.size, what.ptr, what.size) != NULL)
            return true;
    }
    return false;
}

TEST(a_copy_of_the_database_names_nobody_and_opens_nothing)
{
    if (test_on_postgres())
        return; /* the same values are sealed, in files that are the server's */

    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer answer =
        identity_ask(&office, NULL, "POST", "/register",
                     "{\"email\":\"zenobia@palmyra.example\",\"password\":\"open-sesame-1\","
                     "\"name\":\"Zenobia Septimia\",\"role\":\"customer\"}");
    check_status(201, &answer);
    const char *token = identity_token(&office, &answer);
    const str path = arena_printf(office.arena, "/users/%.*s",
                                  STR_ARG(answer_at(office.arena, &answer, "/user/id")));
    CHECK_I64(200, identity_ask(&office, token, "PUT", path.ptr,
                                "{\"name\":\"Zenobia Augusta\",\"city\":\"Emesa-City\"}")
                       .status);
    CHECK_I64(401, identity_login(&office, "zenobia@palmyra.example", "open-sesame-2").status);

    CHECK(is_on_disk(&office, STR("Emesa-City"))); /* what is not sealed is found */
    CHECK(is_on_disk(&office, STR("$argon2id$")));
    const str secrets[] = {
        STR("zenobia"),
        STR("palmyra"),
        STR("Zenobia"),
        STR("Septimia"),
        STR("Augusta"),
        STR("open-sesame"),
        answer_at(office.arena, &answer, "/access_token"),
        answer_at(office.arena, &answer, "/refresh_token"),
    };
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        CHECK(!is_on_disk(&office, secrets[i]));
        CHECK_I64(0, office_logged(&office, secrets[i].ptr));
    }
}

TEST(a_sealed_column_cannot_be_moved_to_another_row)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer ana = identity_register(&office, "ana@b.org", "12345678");
    CHECK_I64(201, identity_register(&office, "eva@b.org", "12345678").status);
    office_exec(&office, "identity",
                "UPDATE user_profile SET name = (SELECT name FROM user_profile ORDER BY "
                "created_at_ms DESC, user_id DESC LIMIT 1)");
    const struct answer me = identity_me(&office, identity_token(&office, &ana));
    check_problem(office.arena, &me, 500, "internal");
}

/* --- The profile --- */

struct person {
    const char *token;
    const char *path; /* /users/usr_... */
};

static struct person registered(struct office *office, const char *email)
{
    const struct answer answer = identity_register(office, email, "12345678");

    check_status(201, &answer);
    return (struct person){
        .token = identity_token(office, &answer),
        .path = arena_printf(office->arena, "/users/%.*s",
                             STR_ARG(answer_at(office->arena, &answer, "/user/id")))
                    .ptr,
    };
}

TEST(put_merges_what_is_given)
{
    static const struct {
        const char *body;
        const char *pointer;
        const char *value;
    } cases[] = {
        {"{\"city\":\"Cairo\"}",                 "/city",        "Cairo"             },
        {"{\"interests\":[\"jazz\",\"opera\"]}", "/interests/1", "opera"             },
        {"{\"name\":\"\\u0622\\u0646\\u0627\"}", "/name",        "\u0622\u0646\u0627"},
        {"{\"locale\":\"ar-EG\"}",               "/locale",      "ar-EG"             },
        {"{}",                                   "/city",        "Cairo"             },
        {"{\"interests\":[]}",                   "/interests",   "[]"                },
        {"{\"city\":null}",                      "/city",        "null"              },
        {"{\"email\":\"new@b.org\"}",            "/email",       "new@b.org"         },
    };
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct person ana = registered(&office, "ana@b.org");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer put = identity_ask(&office, ana.token, "PUT", ana.path, cases[i].body);
        check_status(200, &put);
        CHECK_STR(cases[i].value, answer_at(office.arena, &put, cases[i].pointer));
        const struct answer me = identity_me(&office, ana.token);
        CHECK_STR(arena_cstr(office.arena, put.body), me.body);
    }
    const struct answer me = identity_me(&office, ana.token);
    CHECK_STR("\u0622\u0646\u0627", answer_at(office.arena, &me, "/name"));
    CHECK_STR("ar-EG", answer_at(office.arena, &me, "/locale"));
    CHECK_I64(200, identity_login(&office, "NEW@b.org", "12345678").status);
    CHECK_I64(401, identity_login(&office, "ana@b.org", "12345678").status);
    CHECK_I64(201, identity_register(&office, "ana@b.org", "12345678").status);
}

TEST(put_refuses_what_a_profile_may_not_say)
{
    static const struct {
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {"{\"email\":\"EVA@b.org\"}",   409, "email_taken"  },
        {"{\"email\":\"nobody\"}",      422, "invalid_field"},
        {"{\"email\":null}",            422, "invalid_field"},
        {"{\"name\":\"\"}",             422, "invalid_field"},
        {"{\"name\":null}",             422, "invalid_field"},
        {"{\"locale\":\"x\"}",          422, "invalid_field"},
        {"{\"interests\":[\"\"]}",      422, "invalid_field"},
        {"{\"role\":\"admin\"}",        400, "unknown_field"},
        {"{\"vendor_id\":\"vnd_1\"}",   400, "unknown_field"},
        {"{\"password\":\"87654321\"}", 400, "unknown_field"},
        {"[]",                          422, "invalid_field"},
    };
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct person ana = registered(&office, "ana@b.org");
    (void)registered(&office, "eva@b.org");
    const struct answer before = identity_me(&office, ana.token);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer put = identity_ask(&office, ana.token, "PUT", ana.path, cases[i].body);

        if (put.status != cases[i].status)
            print_error("%s\n", cases[i].body);
        check_status(cases[i].status, &put);
    }
    const struct answer after = identity_me(&office, ana.token);
    CHECK_STR(arena_cstr(office.arena, before.body), after.body);
}

TEST(other_peoples_profiles_do_not_exist)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct person ana = registered(&office, "ana@b.org");
    const struct person eva = registered(&office, "eva@b.org");
    const char *const paths[] = {eva.path, "/users/usr_01h455vb4pex5vsknk084sn02q", "/users/1",
                                 "/users/evt_01h455vb4pex5vsknk084sn02q"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct answer put = identity_ask(&office, ana.token, "PUT", paths[i], "{\"broken");

        check_problem(office.arena, &put, 404, "not_found");
    }
    const struct answer nobody = identity_ask(&office, NULL, "PUT", ana.path, "{}");
    check_problem(office.arena, &nobody, 401, "unauthenticated");
}

/* --- What others ask --- */

TEST(a_person_is_found_by_id_and_a_vendor_by_id_or_address)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct identity_user_find find = {0};
    struct identity_user_found found = {0};
    struct identity_vendor_found vendor = {0};
    struct identity_vendor_found again = {0};

    identity_fixture_open(&office);
    const struct answer answer =
        identity_ask(&office, NULL, "POST", "/register",
                     "{\"email\":\"Vera@b.org\",\"password\":\"12345678\",\"name\":\"Vera\","
                     "\"role\":\"vendor\",\"vendor_name\":\"Opera\"}");
    const struct answer ana = identity_register(&office, "ana@b.org", "12345678");
    identity_fixture_call(&office, &call);
    CHECK(id_parse(USER_PREFIX, answer_at(office.arena, &answer, "/user/id"), &find.user.uuid));
    CHECK_OK(identity_user_find(&call, &find, &found));
    CHECK_STR("Vera@b.org", found.email);
    CHECK_STR("Vera", found.name);
    CHECK_STR("en", found.locale);
    find.user.uuid = office_user(1);
    CHECK_ERR(ERR_NOT_FOUND, identity_user_find(&call, &find, &found));

    struct identity_vendor_find by = {.email = STR("VERA@b.org")};
    CHECK_OK(identity_vendor_find(&call, &by, &vendor));
    CHECK_STR("Opera", vendor.name);
    CHECK_STR("Vera@b.org", vendor.email);
    by = (struct identity_vendor_find){.vendor = vendor.vendor};
    CHECK_OK(identity_vendor_find(&call, &by, &again));
    CHECK_STR("Opera", again.name);
    check_status(201, &ana);
    by = (struct identity_vendor_find){.email = STR("ana@b.org")};
    CHECK_ERR(ERR_NOT_FOUND, identity_vendor_find(&call, &by, &again));
    by = (struct identity_vendor_find){.vendor = {office_vendor(1)}};
    CHECK_ERR(ERR_NOT_FOUND, identity_vendor_find(&call, &by, &again));
    by = (struct identity_vendor_find){0};
    CHECK_ERR(ERR_NOT_FOUND, identity_vendor_find(&call, &by, &again));
}
