/* booking/ticket_pdf.c - makes the PDF of some tickets: fonts, document, pages.
 *
 * Owns the fonts of an instance and the lock around them. What the texts say is the caller's, what
 * a page looks like ticket_page.c's. Nothing in the document comes from the clock, the locale or
 * the environment but the fonts, so the same tickets make the same bytes. */

#include "services/booking/ticket_pdf.h"

#include <assert.h>
#include <cairo-pdf.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "services/booking/ticket_page.h"

struct ticket_printer {
    pthread_mutex_t mutex; /* held while a document is drawn */
    PangoFontMap *fonts;
};

/* --- Texts --- */

/* The longest start of whole characters within `size_max` bytes. */
static str cut(str text, size_t size_max)
{
    size_t size = size_max;

    if (text.size <= size_max)
        return text;
    while (size > 0 && ((unsigned char)text.ptr[size] & 0xC0) == 0x80)
        size--;
    return str_slice(text, 0, size);
}

/* One line of text: what would break it, or means nothing on paper, is a space. */
static err clean(struct arena *arena, str *text)
{
    char *copy = NULL;
    str kept = cut(*text, TICKET_PDF_TEXT_SIZE_MAX);

    if (!str_is_utf8(kept))
        return ERR_INVALID;
    copy = arena_alloc(arena, kept.size + 1);
    for (size_t i = 0; i < kept.size; i++) {
        const char c = kept.ptr[i];
        const bool is_control = (unsigned char)c < ' ' || c == 0x7F;

        copy[i] = ' ';
        if (!is_control)
            copy[i] = c;
    }
    *text = str_trim((str){copy, kept.size});
    return ERR_OK;
}

static str join_address(struct arena *arena, const struct ticket_print *ticket)
{
    const str parts[] = {ticket->address, ticket->city, ticket->country};
    struct buf out = buf_in(arena, TICKET_PAGE_TEXT_SIZE_MAX);

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (out.size > 0 && parts[i].size > 0)
            buf_add_cstr(&out, ", ");
        buf_add(&out, parts[i]);
    }
    return buf_str(&out);
}

/* The remark in brackets at the end of a time span is set apart, smaller. */
static str split_zone(str *when)
{
    str zone = STR_ABSENT;

    if (!str_ends(*when, STR(")")))
        return zone;
    for (size_t at = when->size - 1; at > 0; at--)
        if (when->ptr[at] == '(') {
            zone = str_slice(*when, at + 1, when->size - 1);
            *when = str_trim(str_slice(*when, 0, at));
            break;
        }
    return zone;
}

static err prepare(struct arena *arena, const struct ticket_print *ticket, struct ticket_page *page)
{
    struct ticket_print *copy = &page->ticket;
    str *texts[] = {
        &copy->event_name, &copy->vendor_name, &copy->when,          &copy->venue_name,
        &copy->address,    &copy->city,        &copy->country,       &copy->type_name,
        &copy->price_text, &copy->order_text,  &copy->attendee_name, &copy->ticket_text,
        &copy->note,
    };

    *copy = *ticket;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        TRY(clean(arena, texts[i]));
    page->address = join_address(arena, copy);
    page->zone = split_zone(&copy->when);
    return qr_make(arena, ticket->code, &page->qr);
}

/* --- Document --- */

struct document {
    struct buf bytes;
    cairo_surface_t *surface;
    cairo_t *cairo;
    PangoContext *context;
    PangoLayout *layout;
};

static void document_done(struct document *document)
{
    if (document->layout != NULL)
        g_object_unref(document->layout);
    if (document->context != NULL)
        g_object_unref(document->context);
    cairo_destroy(document->cairo);           /* NULL is accepted */
    cairo_surface_destroy(document->surface); /* here too; may still write */
    buf_done(&document->bytes);
}

static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned int size)
{
    struct buf *out = closure;

    buf_add(out, (str){(const char *)bytes, size});
    return out->overflow ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void set_metadata(cairo_surface_t *surface, struct arena *arena,
                         const struct ticket_page *page, int64_t created_at_ms)
{
    const struct ticket_print *first = &page->ticket;
    const struct time_text created = time_format(created_at_ms - created_at_ms % 1000);
    const str title = arena_printf(arena, "%s: %.*s", page->count == 1 ? "Ticket" : "Tickets",
                                   STR_ARG(first->event_name));

    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, arena_cstr(arena, title));
    if (first->vendor_name.size > 0)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR,
                                       arena_cstr(arena, first->vendor_name));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Boxoffice");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, created.text);
}

/* Glyphs are placed for paper: not moved to any screen's pixels. */
static void set_up_fonts(struct document *document, struct ticket_printer *printer)
{
    cairo_font_options_t *options = cairo_font_options_create();

    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    document->context = pango_font_map_create_context(printer->fonts);
    pango_cairo_context_set_font_options(document->context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(document->context, FALSE);
    pango_context_set_base_dir(document->context, PANGO_DIRECTION_LTR);
    /* Otherwise it would be the locale's, which decides between fonts. */
    pango_context_set_language(document->context, pango_language_from_string("en"));
    document->layout = pango_layout_new(document->context);
    pango_layout_set_wrap(document->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(document->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(document->layout, TRUE);
}

static err finish(const struct document *document)
{
    cairo_surface_finish(document->surface);
    if (document->bytes.overflow)
        return ERR_TOO_LARGE;
    if (cairo_status(document->cairo) != CAIRO_STATUS_SUCCESS ||
        cairo_surface_status(document->surface) != CAIRO_STATUS_SUCCESS)
        return ERR_INTERNAL;
    return ERR_OK;
}

/* Everything of cairo's and Pango's comes and goes in here, since fonts are shared: mutex held. */
static err draw(struct ticket_printer *printer, struct arena *arena,
                const struct ticket_page *pages, int64_t created_at_ms, str *ret)
{
    CLEANUP(document_done) struct document document = {.bytes = buf_on_heap(TICKET_PDF_SIZE_MAX)};

    document.surface = cairo_pdf_surface_create_for_stream(write_bytes, &document.bytes,
                                                           TICKET_PAGE_WIDTH, TICKET_PAGE_HEIGHT);
    document.cairo = cairo_create(document.surface);
    set_metadata(document.surface, arena, &pages[0], created_at_ms);
    set_up_fonts(&document, printer);
    for (size_t i = 0; i < pages[0].count; i++) {
        ticket_page_draw(&pages[i], document.cairo, document.layout);
        cairo_show_page(document.cairo);
    }
    TRY(finish(&document));
    *ret = arena_str(arena, buf_str(&document.bytes));
    return ERR_OK;
}

err ticket_pdf(struct ticket_printer *printer, struct arena *arena,
               const struct ticket_print *tickets, size_t count, int64_t created_at_ms, str *ret)
{
    struct ticket_page *pages = NULL;
    err drawn = ERR_OK;

    assert(count > 0);
    if (count > TICKET_PDF_TICKETS_MAX)
        return ERR_TOO_LARGE;
    pages = arena_new_array(arena, struct ticket_page, count);
    for (size_t i = 0; i < count; i++) {
        pages[i].number = i + 1;
        pages[i].count = count;
        TRY(prepare(arena, &tickets[i], &pages[i]));
    }
    (void)pthread_mutex_lock(&printer->mutex);
    drawn = draw(printer, arena, pages, created_at_ms, ret);
    (void)pthread_mutex_unlock(&printer->mutex);
    return drawn;
}

/* --- Printer --- */

static bool has_fonts(PangoFontMap *fonts)
{
    PangoContext *context = pango_font_map_create_context(fonts);
    PangoFontDescription *sans = pango_font_description_from_string("sans-serif 12");
    PangoFont *font = pango_font_map_load_font(fonts, context, sans);
    const bool found = font != NULL;

    if (found)
        g_object_unref(font);
    pango_font_description_free(sans);
    g_object_unref(context);
    return found;
}

err ticket_printer_open(struct ticket_printer **ret)
{
    PangoFontMap *fonts = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    struct ticket_printer *printer = NULL;

    if (fonts == NULL)
        return ERR_UNAVAILABLE;
    if (!has_fonts(fonts)) {
        g_object_unref(fonts);
        return ERR_UNAVAILABLE;
    }
    printer = mem_new(struct ticket_printer);
    (void)pthread_mutex_init(&printer->mutex, NULL);
    printer->fonts = fonts;
    *ret = printer;
    return ERR_OK;
}

void ticket_printer_close(struct ticket_printer *printer)
{
    if (printer == NULL)
        return;
    g_object_unref(printer->fonts);
    (void)pthread_mutex_destroy(&printer->mutex);
    mem_free(printer);
}
