/* platform/node/databases_test.c - the URL of a service's database, made of the server's. */

#include "platform/node/databases.h"
#include "support/test.h"

TEST(each_service_has_a_database_and_acts_as_its_role)
{
    static const struct {
        const char *url;
        const char *want;
    } cases[] = {
        {"postgresql://",                                                        "postgresql:///box_pay?options=-c%20role%3Dbox_pay"          },
        {"postgresql://db.example",                                              "postgresql://db.example/box_pay?options=-c%20role%3Dbox_pay"},
        {"postgres://u:p%2Fw@[::1]:5433/other",
         "postgresql://u:p%2Fw@[::1]:5433/box_pay?options=-c%20role%3Dbox_pay"                                                                },
        {"postgresql:///?host=/run/pg",
         "postgresql:///box_pay?host=/run/pg&options=-c%20role%3Dbox_pay"                                                                     },
        {"postgresql://a,b:2/x?target_session_attrs=read-write&sslmode=require",
         "postgresql://a,b:2/box_pay?target_session_attrs=read-write&sslmode=require"
         "&options=-c%20role%3Dbox_pay"                                                                                                       },
        {"postgresql://a/x?options=-c%20lock_timeout%3D1s&port=7",
         "postgresql://a/box_pay?options=-c%20lock_timeout%3D1s%20-c%20role%3Dbox_pay&port=7"                                                 },
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(cases[i].want, postgres_url_for(str_of(cases[i].url), STR("box_pay"), arena));
}
