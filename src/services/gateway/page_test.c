/* gateway/page_test.c - what people wrote stays text in a page. */
#include "services/gateway/page.h"

#include "support/test.h"

TEST(text_is_text_anywhere_in_a_page)
{
    static const struct {
        const char *text;
        const char *html;
    } cases[] = {
        {"Jazz & Blues",              "Jazz &amp; Blues"                     },
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\" onmouseover=\"alert(1)", "&quot; onmouseover=&quot;alert(1)"    },
        {"' autofocus onfocus='x",    "&#39; autofocus onfocus=&#39;x"       },
        {"&lt;",                      "&amp;lt;"                             },
        {"يا ليل",               "يا ليل"                          },
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf html = buf_in(arena, 1000);

        page_add_text(&html, str_of(cases[i].text));
        CHECK_STR(cases[i].html, buf_str(&html));
    }
}

TEST(absent_text_adds_nothing)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buf html = buf_in(arena, 1000);

    page_add_text(&html, STR_ABSENT);
    CHECK_I64(0, (int64_t)html.size);
}
