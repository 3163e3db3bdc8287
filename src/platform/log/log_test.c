/* platform/log/log_test.c */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "platform/log/log.h"

#define NOW_MS INT64_C(1795382533001)

/* A log into a pipe, and what came out of it. */
struct pipe_log {
    struct clock_manual clock;
    struct log *log;
    int ends[2];
    char text[2 * PIPE_BUF];
};

static void begin(struct pipe_log *to, enum log_level level)
{
    clock_manual_init(&to->clock, NOW_MS);
    CHECK_I64(0, pipe2(to->ends, O_NONBLOCK));
    to->log = log_open(to->ends[1], level, &to->clock.clock);
}

static str take(struct pipe_log *from)
{
    const ssize_t size = read(from->ends[0], from->text, sizeof(from->text));

    return (str){from->text, size > 0 ? (size_t)size : 0};
}

static void end(struct pipe_log *to)
{
    log_close(to->log);
    close(to->ends[0]);
    close(to->ends[1]);
}

TEST(an_event_is_one_line)
{
    struct pipe_log to;

    begin(&to, LOG_INFO);
    log_event(to.log, LOG_INFO, "server.ready", LOG_I64("port", 8080), LOG_CSTR("host", "::1"));
    CHECK_STR("2026-11-22T21:22:13.001Z info server.ready port=8080 host=::1\n", take(&to));
    log_event(to.log, LOG_ERROR, "server.stopped");
    CHECK_STR("2026-11-22T21:22:13.001Z error server.stopped\n", take(&to));
    end(&to);
}

TEST(milliseconds_are_always_shown)
{
    struct pipe_log to;

    begin(&to, LOG_DEBUG);
    clock_manual_advance(&to.clock, 999);
    log_event(to.log, LOG_WARN, "a");
    CHECK_STR("2026-11-22T21:22:14.000Z warn a\n", take(&to));
    end(&to);
}

TEST(what_is_below_the_level_is_not_written)
{
    static const char *const expected[] = {"debug", "info", "warn", "error"};

    for (int level = LOG_DEBUG; level <= LOG_OFF; level++) {
        struct pipe_log to;

        begin(&to, (enum log_level)level);
        for (int of_event = LOG_DEBUG; of_event < LOG_OFF; of_event++) {
            log_event(to.log, (enum log_level)of_event, "e");
            const str line = take(&to);
            if (of_event < level)
                CHECK_STR("", line);
            else
                CHECK(strncmp(line.ptr + 25, expected[of_event], strlen(expected[of_event])) == 0);
        }
        end(&to);
    }
}

TEST(values_are_quoted_where_they_could_be_misread)
{
    static const struct {
        str value;
        const char *written;
    } cases[] = {
        {STR("plain"),                        "plain"                            },
        {STR("ord_01h4:/.-?"),                "ord_01h4:/.-?"                    },
        {STR(""),                             "\"\""                             },
        {STR("two words"),                    "\"two words\""                    },
        {STR("a=b"),                          "\"a=b\""                          },
        {STR("say \"hi\""),                   "\"say \\\"hi\\\"\""               },
        {STR("back\\slash"),                  "\"back\\\\slash\""                },
        {STR("a\nb\r\tc"),                    "\"a\\nb\\r\\tc\""                 },
        {STR("a\n2026-01-01T00:00:00Z info"), "\"a\\n2026-01-01T00:00:00Z info\""},
        {STR("\x1b[31m"),                     "\"\\x1b[31m\""                    },
        {STR("a\0b"),                         "\"a\\x00b\""                      },
        {STR("\x7f"),                         "\"\\x7f\""                        },
        {STR("gr\xc3\xbc\xc3\x9f"),           "gr\xc3\xbc\xc3\x9f"               },
        {STR("\xc2\x85"),                     "\"\\xc2\\x85\""                   },
        {STR("a\xff"),                        "\"a\\xff\""                       },
    };
    struct pipe_log to;

    begin(&to, LOG_INFO);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf expected = buf_on_heap(200);

        log_event(to.log, LOG_INFO, "e", LOG_TEXT("v", cases[i].value), LOG_I64("n", i));
        buf_printf(&expected, "2026-11-22T21:22:13.001Z info e v=%s n=%zu\n", cases[i].written, i);
        CHECK(str_eq(buf_str(&expected), take(&to)));
    }
    end(&to);
}

TEST(numbers_of_any_size_are_written)
{
    struct pipe_log to;

    begin(&to, LOG_INFO);
    log_event(to.log, LOG_INFO, "e", LOG_I64("a", INT64_MIN), LOG_I64("b", INT64_MAX),
              LOG_I64("c", 0));
    CHECK_STR("2026-11-22T21:22:13.001Z info e a=-9223372036854775808 b=9223372036854775807 c=0\n",
              take(&to));
    end(&to);
}

TEST(a_line_that_would_be_too_long_is_cut_between_values_and_says_so)
{
    static char value[PIPE_BUF];
    struct pipe_log to;

    memset(value, '"', sizeof(value));
    begin(&to, LOG_INFO);
    for (size_t size = PIPE_BUF / 2 - 100; size < PIPE_BUF / 2; size++) {
        log_event(to.log, LOG_INFO, "e", LOG_I64("n", 1), LOG_TEXT("v", ((str){value, size})),
                  LOG_I64("m", 2));
        const str line = take(&to);

        CHECK(line.size <= PIPE_BUF);
        CHECK(memchr(line.ptr, '\n', line.size) == line.ptr + line.size - 1);
        CHECK(str_ends(line, STR("\" m=2\n")) || str_ends(line, STR("\"\" cut=true\n")) ||
              str_ends(line, STR("n=1 cut=true\n")));
    }
    log_event(to.log, LOG_INFO, "e", LOG_I64("n", 1), LOG_TEXT("v", ((str){value, PIPE_BUF})),
              LOG_I64("m", 2));
    CHECK_STR("2026-11-22T21:22:13.001Z info e n=1 cut=true\n", take(&to));
    end(&to);
}

TEST(a_log_that_cannot_be_written_changes_nothing_for_its_writer)
{
    struct clock_manual clock;

    clock_manual_init(&clock, NOW_MS);
    struct log *log = log_open(-1, LOG_INFO, &clock.clock);
    errno = ENOENT;
    log_event(log, LOG_INFO, "e");
    CHECK_I64(ENOENT, errno);
    log_close(log);
}

enum { THREADS = 4, LINES = 500, TOTAL = THREADS * LINES };

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_event(arg, LOG_INFO, "e", LOG_CSTR("v", "0123456789 0123456789 0123456789"));
    return NULL;
}

TEST(lines_of_several_threads_do_not_mix)
{
    static const char expected[] =
        "2026-11-22T21:22:13.001Z info e v=\"0123456789 0123456789 0123456789\"\n";
    struct clock_manual clock;
    pthread_t threads[THREADS];
    char line[200];
    int count = 0;

    clock_manual_init(&clock, NOW_MS);
    FILE *file = tmpfile();
    CHECK(file != NULL);
    const int fd = fileno(file);
    CHECK_I64(0, fcntl(fd, F_SETFL, O_APPEND));
    struct log *log = log_open(fd, LOG_INFO, &clock.clock);
    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_create(&threads[i], NULL, write_lines, log));
    for (size_t i = 0; i < THREADS; i++)
        CHECK_I64(0, pthread_join(threads[i], NULL));
    CHECK_I64(0, fseek(file, 0, SEEK_SET));
    while (fgets(line, sizeof(line), file) != NULL) {
        CHECK_STR(expected, str_of(line));
        count++;
    }
    CHECK_I64(TOTAL, count);
    log_close(log);
    CHECK_I64(0, fclose(file));
}
