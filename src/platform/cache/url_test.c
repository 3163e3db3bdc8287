/* platform/cache/url_test.c - what cache.url may be, and what is said of what it may not be. */
#include "platform/cache/url.h"

#include <string.h>

#include "support/test.h"

TEST(a_url_of_redis_names_host_port_database_and_who_signs_in)
{
    static const struct {
        const char *text;
        const char *host;
        int port;
        int database;
        const char *user;
        const char *password;
    } cases[] = {
        {"redis://cache",                "cache",     6379, 0,  NULL,  NULL    },
        {"redis://cache/",               "cache",     6379, 0,  NULL,  NULL    },
        {"redis://127.0.0.1:7000/15",    "127.0.0.1", 7000, 15, NULL,  NULL    },
        {"redis://[::1]:7000",           "::1",       7000, 0,  NULL,  NULL    },
        {"redis://[::1]/2",              "::1",       6379, 2,  NULL,  NULL    },
        {"redis://:secret@cache",        "cache",     6379, 0,  NULL,  "secret"},
        {"redis://box:secret@cache:1/1", "cache",     1,    1,  "box", "secret"},
        {"redis://:a:b@cache",           "cache",     6379, 0,  NULL,  "a:b"   },
        {"redis://:a%40%2f%3A@cache",    "cache",     6379, 0,  NULL,  "a@/:"  },
        {"redis://:a@b@cache",           "cache",     6379, 0,  NULL,  "a@b"   },
        {"redis://b%6Fx:%25@cache",      "cache",     6379, 0,  "box", "%"     },
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cache_url url;
        str why = STR_ABSENT;

        CHECK_OK(cache_url_read(str_of(cases[i].text), arena, &url, &why));
        CHECK(!url.is_memory && url.host_count == 1 && url.master == NULL);
        CHECK_STR(cases[i].host, str_of(url.hosts[0].name));
        CHECK_I64(cases[i].port, url.hosts[0].port);
        CHECK_I64(cases[i].database, url.database);
        CHECK_STR(cases[i].user, str_of(url.user));
        CHECK_STR(cases[i].password, str_of(url.password));
    }
}

TEST(a_url_of_sentinels_names_them_and_the_master)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct cache_url url;
    str why = STR_ABSENT;

    CHECK_OK(
        cache_url_read(STR("redis+sentinel://:pw@one:1,two,[::3]:3/main/4"), arena, &url, &why));
    CHECK_I64(3, url.host_count);
    CHECK_STR("one", str_of(url.hosts[0].name));
    CHECK_I64(1, url.hosts[0].port);
    CHECK_STR("two", str_of(url.hosts[1].name));
    CHECK_I64(SENTINEL_PORT, url.hosts[1].port);
    CHECK_STR("::3", str_of(url.hosts[2].name));
    CHECK_STR("main", str_of(url.master));
    CHECK_STR("pw", str_of(url.password));
    CHECK_I64(4, url.database);
    CHECK_OK(cache_url_read(STR("redis+sentinel://one/main"), arena, &url, &why));
    CHECK_I64(0, url.database);
    CHECK_OK(cache_url_read(STR("memory:"), arena, &url, &why));
    CHECK(url.is_memory);
}

TEST(what_is_not_understood_is_refused_in_one_line_that_tells_no_secret)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"",                                     "understood are"     },
        {"memory",                               "understood are"     },
        {"memory:1",                             "understood are"     },
        {"redis:cache",                          "understood are"     },
        {"http://user:hush@cache",               "understood are"     },
        {"rediss://:hush@cache",                 "TLS"                },
        {"rediss+sentinel://:hush@cache/main",   "TLS"                },
        {"redis://",                             "a host is missing"  },
        {"redis://:hush@",                       "a host is missing"  },
        {"redis://:hush@:1",                     "a host is missing"  },
        {"redis://[",                            "a host is missing"  },
        {"redis://[::1",                         "a host is missing"  },
        {"redis://[]:1",                         "a host is missing"  },
        {"redis://[::1]x",                       "a port is not"      },
        {"redis://:hush@cache:0",                "a port is not"      },
        {"redis://:hush@cache:65536",            "a port is not"      },
        {"redis://:hush@cache:",                 "a port is not"      },
        {"redis://:hush@cache/x",                "the database is not"},
        {"redis://:hush@cache/-1",               "the database is not"},
        {"redis://:hush@cache/1000",             "the database is not"},
        {"redis://hush@cache",                   "before the @"       },
        {"redis://hush:@cache",                  "before the @"       },
        {"redis://@cache",                       "before the @"       },
        {"redis://:hush%4@cache",                "two hex digits"     },
        {"redis://:hush%zz@cache",               "two hex digits"     },
        {"redis://:hush%00@cache",               "two hex digits"     },
        {"redis://hu%sh:hush@cache",             "two hex digits"     },
        {"redis+sentinel://one:1",               "the master's name"  },
        {"redis+sentinel://one:1/",              "the master's name"  },
        {"redis+sentinel://one,,two/main",       "a host is missing"  },
        {"redis+sentinel://a,b,c,d,e,f,g,h,i/m", "more than 8 hosts"  },
        {"redis+sentinel://one/main/hush",       "the database is not"},
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cache_url url;
        str why = STR_ABSENT;

        CHECK_ERR(ERR_INVALID, cache_url_read(str_of(cases[i].text), arena, &url, &why));
        if (strstr(why.ptr, cases[i].why) == NULL)
            print_error("%s: %s\n", cases[i].text, why.ptr);
        CHECK(str_starts(why, STR("cache.url: ")) && strstr(why.ptr, cases[i].why) != NULL);
        CHECK(strstr(why.ptr, "hush") == NULL && strchr(why.ptr, '\n') == NULL);
    }
}
