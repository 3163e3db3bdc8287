/* platform/log/log.c - puts one line together on the stack and writes it with one write(2).
 *
 * A line is at most as long as a pipe takes in one piece, so lines of several threads (or
 * processes) never mix and no lock is needed. What does not fit is left out, and `cut=true` says
 * so. A log that cannot be written must not stop the service: the line is then lost. */

#include "platform/log/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"

enum {
    LINE_SIZE_MAX = PIPE_BUF,
    TAIL_SIZE = sizeof(" cut=true\n") - 1, /* kept free for it */
    DIGITS_MAX = 20,
    HEX_ESCAPE_SIZE = 4, /* \x1b */
};

struct log {
    int fd;
    enum log_level level;
    const struct clock *clock;
};

struct line {
    char text[LINE_SIZE_MAX];
    size_t size;
    bool cut;
};

struct log *log_open(int fd, enum log_level level, const struct clock *clock)
{
    struct log *log = mem_new(struct log);

    *log = (struct log){.fd = fd, .level = level, .clock = clock};
    return log;
}

void log_close(struct log *log)
{
    mem_free(log);
}

/* --- The line --- */

/* Whole pieces only, and nothing behind the first that did not fit. */
static void add(struct line *line, str s)
{
    if (line->cut || s.size > sizeof(line->text) - TAIL_SIZE - line->size) {
        line->cut = true;
        return;
    }
    if (s.size > 0)
        memcpy(line->text + line->size, s.ptr, s.size);
    line->size += s.size;
}

static void add_char(struct line *line, char c)
{
    add(line, (str){&c, 1});
}

static void add_number(struct line *line, int64_t n)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof(digits);
    /* Negated in unsigned, where INT64_MIN has a counterpart. */
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        digits[--at] = '-';
    add(line, (str){digits + at, sizeof(digits) - at});
}

/* Size of the character at `at`, if it may stand in a quoted value as it is; else 0. C1 controls
 * act on terminals like C0 ones. */
static size_t plain_size(str s, size_t at)
{
    const unsigned char c = (unsigned char)s.ptr[at];
    const size_t size = str_utf8_next(s, at);

    if (c < ' ' || c == 0x7f || c == '"' || c == '\\')
        return 0;
    if (c == 0xc2 && size == 2 && (unsigned char)s.ptr[at + 1] <= 0x9f)
        return 0;
    return size;
}

static bool needs_quotes(str s)
{
    if (s.size == 0)
        return true;
    for (size_t at = 0; at < s.size;) {
        const size_t size = plain_size(s, at);
        if (size == 0 || s.ptr[at] == ' ' || s.ptr[at] == '=')
            return true;
        at += size;
    }
    return false;
}

static void add_escaped(struct line *line, char c)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned code = (unsigned char)c;

    if (c == '"' || c == '\\')
        add(line, (str){
                      (const char[2]){'\\', c},
                       2
        });
    else if (c == '\n')
        add(line, STR("\\n"));
    else if (c == '\t')
        add(line, STR("\\t"));
    else if (c == '\r')
        add(line, STR("\\r"));
    else {
        const char escape[HEX_ESCAPE_SIZE] = {'\\', 'x', hex[code >> 4], hex[code & 15]};
        add(line, (str){escape, sizeof(escape)});
    }
}

static void add_quoted(struct line *line, str s)
{
    add_char(line, '"');
    for (size_t at = 0; at < s.size && !line->cut;) {
        const size_t size = plain_size(s, at);

        if (size > 0)
            add(line, str_slice(s, at, at + size));
        else
            add_escaped(line, s.ptr[at]);
        at += size > 0 ? size : 1;
    }
    add_char(line, '"');
}

/* The whole pair, or as if it had never been begun: half a value misleads. */
static void add_value(struct line *line, const struct log_value *value)
{
    const size_t before = line->size;

    add_char(line, ' ');
    add(line, str_of(value->key));
    add_char(line, '=');
    if (value->text.ptr == NULL)
        add_number(line, value->number);
    else if (needs_quotes(value->text))
        add_quoted(line, value->text);
    else
        add(line, value->text);
    if (line->cut)
        line->size = before;
}

/* --- Writing --- */

static void write_line(int fd, const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, text, size);

        if (written < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        text += written;
        size -= (size_t)written;
    }
}

void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_value *values)
{
    static const char names[][8] = {" debug ", " info ", " warn ", " error "};
    const int saved_errno = errno; /* who logs an errno wants to use it afterwards */
    struct line line;

    assert(level < LOG_OFF);
    if (level < log->level)
        return;
    line.size = 0;
    line.cut = false;
    add(&line, str_of(time_format_ms(clock_now_ms(log->clock)).text));
    add(&line, str_of(names[level]));
    add(&line, str_of(event));
    for (const struct log_value *value = values; value->key != NULL && !line.cut; value++)
        add_value(&line, value);

    const str tail = line.cut ? STR(" cut=true\n") : STR("\n");
    memcpy(line.text + line.size, tail.ptr, tail.size);
    write_line(log->fd, line.text, line.size + tail.size);
    errno = saved_errno;
}
