/* services/booking/import/import_lab.c - an event as one line of text, so that a test is a comparison. */
#include "services/booking/import/import_lab.h"

#include <inttypes.h>

static void add_field(struct buf *buf, const char *name, str text)
{
    if (text.ptr != NULL)
        buf_printf(buf, " %s=%.*s", name, STR_ARG(text));
}

static void add_when(struct buf *buf, const char *name, const struct import_when *when)
{
    switch (when->kind) {
    case IMPORT_UNKNOWN:
        return;
    case IMPORT_DAY:
        buf_printf(buf, " %s=%04d-%02d-%02d", name, when->civil.year, when->civil.month,
                   when->civil.day);
        return;
    case IMPORT_LOCAL:
        buf_printf(buf, " %s=%.19s", name, time_format(civil_to_ms(&when->civil)).text);
        return;
    case IMPORT_INSTANT:
        buf_printf(buf, " %s=%s", name, time_format(when->at_ms).text);
        return;
    }
}

static void add_offer(struct buf *buf, const struct import_offer *offer, const char *currency)
{
    add_field(buf, "offer", offer->name);
    if (offer->price_minor >= 0)
        buf_printf(buf, " price=%" PRId64, offer->price_minor);
    if (currency[0] != '\0')
        buf_printf(buf, " %s", currency);
    if (offer->quantity >= 0)
        buf_printf(buf, " quantity=%" PRId64, offer->quantity);
    if (offer->sales_start_ms != INT64_MIN)
        buf_printf(buf, " from=%s", time_format(offer->sales_start_ms).text);
    if (offer->sales_end_ms != INT64_MIN)
        buf_printf(buf, " until=%s", time_format(offer->sales_end_ms).text);
}

static const char *const statuses[] = {"", "draft", "published", "cancelled"};

err hear_row(void *arg, const struct import_event *event)
{
    struct heard *heard = arg;
    struct buf *buf = &heard->buf;

    heard->rows++;
    buf_printf(buf, "%zu %.*s", event->line, STR_ARG(event->name));
    add_when(buf, "starts", &event->starts);
    add_when(buf, "ends", &event->ends);
    add_when(buf, "doors", &event->doors);
    add_field(buf, "zone", event->timezone);
    add_field(buf, "venue", event->venue);
    add_field(buf, "address", event->address);
    add_field(buf, "city", event->city);
    add_field(buf, "country", event->country);
    for (size_t i = 0; i < event->artist_count; i++)
        add_field(buf, "artist", event->artists[i]);
    add_field(buf, "type", event->type);
    add_field(buf, "description", event->description);
    add_field(buf, "url", event->url);
    if (event->online)
        buf_add_cstr(buf, " online");
    for (size_t i = 0; i < event->offer_count; i++)
        add_offer(buf, &event->offers[i], i == 0 ? event->currency.code : "");
    add_field(buf, "uid", event->uid);
    if (event->status != IMPORT_ANY_STATUS)
        buf_printf(buf, " %s", statuses[event->status]);
    if (event->lat >= -90)
        buf_printf(buf, " at=%.4f;%.4f", event->lat, event->lon);
    buf_add_char(buf, '\n');
    return heard->answer;
}

void hear_refused(void *arg, size_t line, const char *reason)
{
    struct heard *heard = arg;

    heard->refused++;
    buf_printf(&heard->buf, "!%zu %s\n", line, reason);
}

void hear_ignored(void *arg, size_t line, const char *what)
{
    struct heard *heard = arg;

    buf_printf(&heard->buf, "~%zu %s\n", line, what);
}

struct heard heard_new(void)
{
    return (struct heard){.buf = buf_on_heap(1 << 20)};
}

void heard_done(struct heard *heard)
{
    buf_done(&heard->buf);
}

err read_as(read_file *read, str text, struct heard *heard)
{
    return read(text, &(struct import_reader){
                          .row = hear_row,
                          .refused = hear_refused,
                          .ignored = hear_ignored,
                          .arg = heard,
                      });
}

void check_read(read_file *read, err expected, const char *text, const char *lines)
{
    CLEANUP(heard_done) struct heard heard = heard_new();

    CHECK_ERR(expected, read_as(read, str_of(text), &heard));
    CHECK_STR(lines, heard.buf.size > 0 ? buf_str(&heard.buf) : STR(""));
}
