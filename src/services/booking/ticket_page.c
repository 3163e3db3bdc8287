/* booking/ticket_page.c - lays out one ticket on an A4 page.
 *
 * Top down: whose event and what (as large as fits), when and where; below the tear line what this
 * ticket is, with the code beside it; below the card a line on how to use it. Colour is decoration
 * only: on a black and white printer nothing is lost. Each text is clipped to its place, so that no
 * name, however its marks are stacked, can cover the code or more than the edge of another text. */

#include "services/booking/ticket_page.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- Measures, in points --- */

#define CARD_X        42.0
#define CARD_Y        42.0
#define CARD_WIDTH    (TICKET_PAGE_WIDTH - 2 * CARD_X)
#define CARD_RADIUS   14.0
#define NOTCH_RADIUS  9.0
#define PADDING       34.0
#define INNER_X       (CARD_X + PADDING)
#define INNER_WIDTH   (CARD_WIDTH - 2 * PADDING)
#define QR_WIDTH      187.0 /* at most, with the quiet zone: 66 mm */
#define GAP           24.0
#define FACT_GAP      13.0 /* between two facts */
#define ACCENT_HEIGHT 5.0
#define OVERHANG      0.2 /* of its size: what a glyph may reach beyond its line */
#define HAIRLINE      0.6

enum { HEADLINE_LINES_MAX = 3 };
static const double headline_sizes[] = {34, 30, 26, 23, 20, 17};
enum { HEADLINE_SIZE_COUNT = sizeof(headline_sizes) / sizeof(headline_sizes[0]) };

struct colour {
    double red, green, blue;
};

static const struct colour ink = {0.07, 0.08, 0.11};
static const struct colour muted = {0.36, 0.39, 0.45};
static const struct colour line_gray = {0.76, 0.78, 0.82};
static const struct colour accent = {0.22, 0.19, 0.64};
static const struct colour tint = {0.945, 0.943, 0.98};
static const struct colour white = {1, 1, 1};
static const struct colour black = {0, 0, 0};

static void set_colour(cairo_t *cairo, const struct colour *colour)
{
    cairo_set_source_rgb(cairo, colour->red, colour->green, colour->blue);
}

/* --- Text --- */

/* Before fontconfig looks for whatever else has a glyph: one hand for all scripts. */
#define FAMILIES                                                          \
    "Noto Sans,Noto Sans Arabic,Noto Sans Hebrew,Noto Sans Armenian,"     \
    "Noto Sans Georgian,Noto Sans Thai,Noto Sans Devanagari,DejaVu Sans," \
    "WenQuanYi Zen Hei,sans-serif"

struct canvas {
    cairo_t *cairo;
    PangoLayout *layout;
};

struct style {
    double size;
    PangoWeight weight;
    double letter_spacing; /* for our own Latin labels only: it would tear joined scripts apart */
    double leading;        /* from line to line, in sizes: the same for fonts of every script */
    const struct colour *colour;
};

static const struct style brand = {10.5, PANGO_WEIGHT_BOLD, 0, 1.36, &accent};
static const struct style headline = {0, PANGO_WEIGHT_BOLD, 0, 1.2, &ink};
static const struct style label = {7.0, PANGO_WEIGHT_BOLD, 0.55, 1.36, &muted};
static const struct style value = {12.5, PANGO_WEIGHT_NORMAL, 0, 1.3, &ink};
static const struct style strong = {12.5, PANGO_WEIGHT_BOLD, 0, 1.3, &ink};
static const struct style detail = {10.0, PANGO_WEIGHT_NORMAL, 0, 1.36, &muted};
static const struct style small = {8.0, PANGO_WEIGHT_NORMAL, 0, 1.36, &muted};

enum edge { EDGE_LEFT, EDGE_RIGHT, EDGE_CENTER, EDGE_START }; /* start: of the text's own script */

struct place {
    double x, y, width;
    int lines_max; /* what is longer ends in an ellipsis */
    enum edge edge;
};

static void set_style(PangoLayout *layout, const struct style *style, double size)
{
    PangoFontDescription *font = pango_font_description_new();
    PangoAttrList *attributes = pango_attr_list_new();

    pango_font_description_set_family_static(font, FAMILIES);
    pango_font_description_set_weight(font, style->weight);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);

    if (style->letter_spacing > 0)
        pango_attr_list_insert(
            attributes, pango_attr_letter_spacing_new((int)(style->letter_spacing * PANGO_SCALE)));
    pango_attr_list_insert(attributes, pango_attr_line_height_new_absolute(
                                           (int)(style->leading * size * PANGO_SCALE)));
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
}

/* To Pango, left means start: where a text from right to left begins on the right. */
static PangoAlignment align_to(enum edge edge, bool is_rtl)
{
    if (edge == EDGE_CENTER)
        return PANGO_ALIGN_CENTER;
    if (edge == EDGE_START)
        return PANGO_ALIGN_LEFT;
    return (edge == EDGE_LEFT) != is_rtl ? PANGO_ALIGN_LEFT : PANGO_ALIGN_RIGHT;
}

static bool is_picture(gunichar c)
{
    return (c >= 0x2600 && c <= 0x27BF) || (c >= 0x2B00 && c <= 0x2BFF) ||
           (c >= 0x1F000 && c <= 0x1FAFF);
}

/* Without emoji, and the spaces that stood around them. `copy` has room for all of the text. */
static str without_pictures(str text, char *copy)
{
    const char *end = text.ptr + text.size;
    size_t size = 0;

    for (const char *at = text.ptr; at < end; at += g_utf8_skip[(guchar)*at]) {
        const size_t width = (size_t)g_utf8_skip[(guchar)*at];
        const bool is_doubled = *at == ' ' && (size == 0 || copy[size - 1] == ' ');

        if (is_picture(g_utf8_get_char(at)) || is_doubled)
            continue;
        memcpy(copy + size, at, width);
        size += width;
    }
    return str_trim((str){copy, size});
}

static void set_text(PangoLayout *layout, str text, const struct place *place)
{
    char copy[TICKET_PAGE_TEXT_SIZE_MAX];
    PangoLayoutLine *line = NULL;
    bool is_rtl = false;

    assert(text.size <= sizeof(copy));
    pango_layout_set_width(layout, (int)(place->width * PANGO_SCALE));
    pango_layout_set_height(layout, -place->lines_max);
    pango_layout_set_text(layout, text.ptr, (int)text.size);
    /* A party popper that no font has is no loss; a box with its number would be one. */
    if (pango_layout_get_unknown_glyphs_count(layout) > 0) {
        const str kept = without_pictures(text, copy);

        pango_layout_set_text(layout, kept.ptr, (int)kept.size);
    }
    line = pango_layout_get_line_readonly(layout, 0);
    is_rtl = line != NULL && pango_layout_line_get_resolved_direction(line) == PANGO_DIRECTION_RTL;
    pango_layout_set_alignment(layout, align_to(place->edge, is_rtl));
}

static double layout_height(PangoLayout *layout)
{
    PangoRectangle extents;

    pango_layout_get_extents(layout, NULL, &extents);
    return (double)extents.height / PANGO_SCALE;
}

/* Draws what the layout holds, at `size`; gives the y below it. */
static double show(const struct canvas *canvas, const struct place *place, double size,
                   const struct colour *colour)
{
    const double height = layout_height(canvas->layout);
    const double overhang = OVERHANG * size;

    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, place->x - overhang, place->y - overhang,
                    place->width + 2 * overhang, height + 2 * overhang);
    cairo_clip(canvas->cairo);
    set_colour(canvas->cairo, colour);
    cairo_move_to(canvas->cairo, place->x, place->y);
    pango_cairo_show_layout(canvas->cairo, canvas->layout);
    cairo_restore(canvas->cairo);
    return place->y + height;
}

/* Nothing for an empty text. */
static double put_text(const struct canvas *canvas, const struct style *style, str text,
                       const struct place *place)
{
    if (text.size == 0)
        return place->y;
    set_style(canvas->layout, style, style->size);
    set_text(canvas->layout, text, place);
    return show(canvas, place, style->size, style->colour);
}

/* The largest size at which all of it is seen; at the smallest one the rest is cut. */
static double put_headline(const struct canvas *canvas, str text, const struct place *place)
{
    struct place all = *place;
    double size = 0;

    if (text.size == 0)
        return place->y;
    all.lines_max = place->lines_max + 1;
    for (size_t i = 0; i < HEADLINE_SIZE_COUNT; i++) {
        /* A long name on three lines is calmer somewhat smaller on two. */
        const int lines_wanted = i < 2 ? place->lines_max - 1 : place->lines_max;

        size = headline_sizes[i];
        set_style(canvas->layout, &headline, size);
        set_text(canvas->layout, text, &all);
        if (pango_layout_get_line_count(canvas->layout) <= lines_wanted)
            break;
    }
    set_text(canvas->layout, text, place);
    return show(canvas, place, size, headline.colour);
}

/* --- Blocks: each gives the y below it --- */

struct fact {
    const char *label;
    const struct style *style;
    str value;
    int lines_max;
    str detail;
};

/* A label and what it says below; nothing if there is nothing to say. */
static double put_fact(const struct canvas *canvas, const struct fact *fact, double y, double width)
{
    struct place place = {INNER_X, y, width, 1, EDGE_LEFT};

    if (fact->value.size == 0 && fact->detail.size == 0)
        return y;
    place.y = put_text(canvas, &label, str_of(fact->label), &place) + 1;
    place.lines_max = fact->lines_max;
    place.y = put_text(canvas, fact->style, fact->value, &place);
    place.lines_max = 2;
    return put_text(canvas, &detail, fact->detail, &place) + FACT_GAP;
}

static double put_head(const struct canvas *canvas, const struct ticket_page *page)
{
    const struct ticket_print *ticket = &page->ticket;
    struct place place = {INNER_X, CARD_Y + PADDING, INNER_WIDTH, 1, EDGE_RIGHT};

    (void)put_text(canvas, &label, STR("E-TICKET"), &place);
    place.width -= 80;
    place.y -= 3;
    place.edge = EDGE_LEFT;
    (void)put_text(canvas, &brand, ticket->vendor_name, &place);
    place = (struct place){INNER_X, place.y + 28, INNER_WIDTH, HEADLINE_LINES_MAX, EDGE_START};
    return put_headline(canvas, ticket->event_name, &place) + 18;
}

static double put_when_and_where(const struct canvas *canvas, const struct ticket_page *page,
                                 double y)
{
    const struct ticket_print *ticket = &page->ticket;
    const struct fact when = {"DATE", &strong, ticket->when, 2, page->zone};
    const struct fact online = {"VENUE", &value, STR("Online"), 1, STR_ABSENT};
    const struct fact venue = {"VENUE", &value, ticket->venue_name, 2, page->address};

    y = put_fact(canvas, &when, y, INNER_WIDTH);
    return put_fact(canvas, ticket->online ? &online : &venue, y, INNER_WIDTH);
}

static double put_holder(const struct canvas *canvas, const struct ticket_print *ticket, double y)
{
    const double width = INNER_WIDTH - QR_WIDTH;
    const struct fact facts[] = {
        {"TICKET", &strong, ticket->type_name,     2, STR_ABSENT},
        {"NAME",   &value,  ticket->attendee_name, 2, STR_ABSENT},
        {"PRICE",  &value,  ticket->price_text,    1, STR_ABSENT},
        {"ORDER",  &small,  ticket->order_text,    1, STR_ABSENT},
    };

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        y = put_fact(canvas, &facts[i], y, width);
    return y;
}

/* One path in pure black, so that no anti-aliasing leaves seams and no printer mixes it of colours.
 * On a grid of half points, its thousands of coordinates are short to write and to read. */
static double put_qr(const struct canvas *canvas, const struct ticket_page *page, double y)
{
    const struct qr *qr = &page->qr;
    const double module = floor(2 * QR_WIDTH / (qr->width + 2 * QR_QUIET)) / 2;
    const double quiet = QR_QUIET * module;
    const double width = qr->width * module;
    /* The dark part is flush with the other texts; the quiet zone reaches into the padding. */
    const double left = floor(INNER_X + INNER_WIDTH - width);
    const double top = ceil(y);
    struct place place = {left - quiet, top + width + quiet, width + 2 * quiet, 1, EDGE_CENTER};

    set_colour(canvas->cairo, &white);
    cairo_rectangle(canvas->cairo, left - quiet, top - quiet, width + 2 * quiet, width + 2 * quiet);
    cairo_fill(canvas->cairo);
    set_colour(canvas->cairo, &black);
    for (int row = 0; row < qr->width; row++) {
        int x = 0;
        int start = 0;
        int length = 0;

        while (qr_next_run(qr, row, &x, &start, &length))
            cairo_rectangle(canvas->cairo, left + start * module, top + row * module,
                            length * module, module);
    }
    cairo_fill(canvas->cairo);
    return put_text(canvas, &small, page->ticket.ticket_text, &place);
}

static double put_note(const struct canvas *canvas, str note, double y)
{
    const struct place place = {INNER_X + 16, y + 10, INNER_WIDTH - 32, 3, EDGE_LEFT};
    double height = 0;

    if (note.size == 0)
        return y - FACT_GAP;
    set_style(canvas->layout, &strong, strong.size);
    set_text(canvas->layout, note, &place);
    height = layout_height(canvas->layout) + 20;
    set_colour(canvas->cairo, &tint);
    cairo_rectangle(canvas->cairo, INNER_X, y, INNER_WIDTH, height);
    cairo_fill(canvas->cairo);
    set_colour(canvas->cairo, &accent);
    cairo_rectangle(canvas->cairo, INNER_X, y, 4, height);
    cairo_fill(canvas->cairo);
    (void)show(canvas, &place, strong.size, strong.colour);
    return y + height;
}

/* --- The card --- */

/* Round corners, and a half circle cut out at both ends of the tear line. */
static void trace_card(cairo_t *cairo, double tear, double bottom)
{
    const double left = CARD_X;
    const double right = CARD_X + CARD_WIDTH;
    const double r = CARD_RADIUS;

    cairo_new_sub_path(cairo);
    cairo_arc(cairo, left + r, CARD_Y + r, r, M_PI, 3 * M_PI_2);
    cairo_arc(cairo, right - r, CARD_Y + r, r, -M_PI_2, 0);
    cairo_arc_negative(cairo, right, tear, NOTCH_RADIUS, -M_PI_2, M_PI_2);
    cairo_arc(cairo, right - r, bottom - r, r, 0, M_PI_2);
    cairo_arc(cairo, left + r, bottom - r, r, M_PI_2, M_PI);
    cairo_arc_negative(cairo, left, tear, NOTCH_RADIUS, M_PI_2, -M_PI_2);
    cairo_close_path(cairo);
}

static void draw_card(cairo_t *cairo, double tear, double bottom)
{
    static const double dashes[] = {3, 4};

    cairo_save(cairo);
    trace_card(cairo, tear, bottom);
    cairo_clip(cairo);
    set_colour(cairo, &accent);
    cairo_rectangle(cairo, CARD_X, CARD_Y, CARD_WIDTH, ACCENT_HEIGHT);
    cairo_fill(cairo);
    cairo_restore(cairo);

    cairo_save(cairo);
    set_colour(cairo, &line_gray);
    cairo_set_line_width(cairo, HAIRLINE);
    trace_card(cairo, tear, bottom);
    cairo_stroke(cairo);
    cairo_set_dash(cairo, dashes, 2, 0);
    cairo_move_to(cairo, CARD_X + NOTCH_RADIUS + 6, tear);
    cairo_line_to(cairo, CARD_X + CARD_WIDTH - NOTCH_RADIUS - 6, tear);
    cairo_stroke(cairo);
    cairo_restore(cairo);
}

static void put_foot(const struct canvas *canvas, const struct ticket_page *page, double y)
{
    const str use = page->ticket.online
                        ? STR("This code admits once, so keep it to yourself.")
                        : STR("Show this code at the entrance, on paper or on a screen. It admits "
                              "once, so keep it to yourself.");
    struct place place = {INNER_X, y, INNER_WIDTH - 40, 2, EDGE_LEFT};
    char number[48];

    (void)put_text(canvas, &small, use, &place);
    if (page->count == 1)
        return;
    (void)snprintf(number, sizeof(number), "%zu / %zu", page->number, page->count);
    place.width = INNER_WIDTH;
    place.edge = EDGE_RIGHT;
    (void)put_text(canvas, &small, str_of(number), &place);
}

void ticket_page_draw(const struct ticket_page *page, cairo_t *cairo, PangoLayout *layout)
{
    const struct canvas canvas = {cairo, layout};
    double y = put_head(&canvas, page);
    double tear = 0;
    double below_qr = 0;

    y = put_when_and_where(&canvas, page, y);
    tear = y + 8;
    y = tear + GAP + 4;
    below_qr = put_qr(&canvas, page, y) + FACT_GAP;
    y = put_holder(&canvas, &page->ticket, y);
    y = put_note(&canvas, page->ticket.note, fmax(y, below_qr));
    draw_card(cairo, tear, y + GAP);
    put_foot(&canvas, page, y + GAP + 14);
}
