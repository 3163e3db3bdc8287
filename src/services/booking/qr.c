/* booking/qr.c - makes QR codes with libqrencode and draws them as SVG and PNG.
 *
 * Alphanumeric mode takes 5.5 bits a character where bytes take 8, which is why ticket codes are
 * base45: the same signature fits into fewer, larger modules. Level M survives a crease or a coffee
 * stain (15 %) without making the modules smaller than worn-out scanners like. */

#include "services/booking/qr.h"

#include <assert.h>
#include <errno.h>
#include <png.h>
#include <qrencode.h>
#include <string.h>

#include "base/buf.h"

enum { SVG_SIZE_MAX = 256 * 1024, WHITE = 0, BLACK = 1 };

static void free_input(QRinput **input)
{
    if (*input != NULL)
        QRinput_free(*input);
}

static void free_code(QRcode **code)
{
    if (*code != NULL)
        QRcode_free(*code);
}

err qr_make(struct arena *arena, str text, struct qr *ret)
{
    CLEANUP(free_input) QRinput *input = NULL;
    CLEANUP(free_code) QRcode *code = NULL;
    uint8_t *modules = NULL;
    size_t count = 0;

    if (text.size > QR_TEXT_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (text.size == 0)
        return ERR_INVALID;
    input = QRinput_new2(0, QR_ECLEVEL_M); /* 0: the smallest version that holds the text */
    if (input == NULL)
        return ERR_INTERNAL;
    /* The library checks the alphabet of the mode. */
    if (QRinput_append(input, QR_MODE_AN, (int)text.size, (const unsigned char *)text.ptr) != 0)
        return errno == EINVAL ? ERR_INVALID : ERR_INTERNAL;
    code = QRcode_encodeInput(input);
    if (code == NULL)
        return ERR_INTERNAL;

    count = (size_t)code->width * (size_t)code->width;
    modules = arena_alloc(arena, count);
    for (size_t i = 0; i < count; i++)
        modules[i] = code->data[i] & 1; /* the other bits tell what the module is for */
    *ret = (struct qr){.width = code->width, .modules = modules};
    return ERR_OK;
}

bool qr_is_dark(const struct qr *qr, int x, int y)
{
    assert(x >= 0 && x < qr->width && y >= 0 && y < qr->width);
    return qr->modules[y * qr->width + x] == BLACK;
}

bool qr_next_run(const struct qr *qr, int y, int *x, int *ret_start, int *ret_length)
{
    int start = *x;
    int end = 0;

    while (start < qr->width && !qr_is_dark(qr, start, y))
        start++;
    end = start;
    while (end < qr->width && qr_is_dark(qr, end, y))
        end++;
    *x = end;
    *ret_start = start;
    *ret_length = end - start;
    return end > start;
}

/* --- SVG --- */

static void add_xml(struct buf *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];

        if (c == '&')
            buf_add_cstr(out, "&amp;");
        else if (c == '<')
            buf_add_cstr(out, "&lt;");
        else if (c == '>')
            buf_add_cstr(out, "&gt;");
        else
            buf_add(out, (unsigned char)c >= ' ' ? (str){&text.ptr[i], 1} : STR(" "));
    }
}

/* Rectangles without gaps between the rows: "M4 4h7v1h-7z". */
static void add_path(struct buf *out, const struct qr *qr)
{
    for (int y = 0; y < qr->width; y++) {
        int x = 0;
        int start = 0;
        int length = 0;

        while (qr_next_run(qr, y, &x, &start, &length))
            buf_printf(out, "M%d %dh%dv1h-%dz", QR_QUIET + start, QR_QUIET + y, length, length);
    }
}

str qr_svg(struct arena *arena, const struct qr *qr, str title)
{
    const int width = qr->width + 2 * QR_QUIET;
    struct buf out = buf_in(arena, SVG_SIZE_MAX);

    buf_printf(&out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
               "shape-rendering=\"crispEdges\"><title>",
               width, width);
    add_xml(&out, title);
    buf_printf(&out, "</title><rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><path d=\"", width,
               width);
    add_path(&out, qr);
    buf_add_cstr(&out, "\"/></svg>\n");
    return buf_str(&out);
}

/* --- PNG --- */

/* One byte a pixel, as libpng's simplified interface takes it; it packs two colours into bits. */
static uint8_t *draw_pixels(struct arena *arena, const struct qr *qr, size_t scale, size_t width)
{
    uint8_t *pixels = arena_alloc_array(arena, width, width); /* all WHITE */

    for (int y = 0; y < qr->width; y++) {
        uint8_t *row = pixels + width * scale * (size_t)(QR_QUIET + y);
        int x = 0;
        int start = 0;
        int length = 0;

        while (qr_next_run(qr, y, &x, &start, &length))
            memset(row + scale * (size_t)(QR_QUIET + start), BLACK, scale * (size_t)length);
        for (size_t copy = 1; copy < scale; copy++)
            memcpy(row + width * copy, row, width);
    }
    return pixels;
}

err qr_png(struct arena *arena, const struct qr *qr, str *ret)
{
    static const uint8_t colours[] = {[WHITE] = 255, [BLACK] = 0};
    const size_t modules = (size_t)qr->width + 2 * (size_t)QR_QUIET;
    const size_t scale = (QR_PNG_WIDTH_MIN + modules - 1) / modules;
    const size_t width = modules * scale;
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)width,
        .format = PNG_FORMAT_FLAG_COLORMAP, /* of gray */
        .colormap_entries = sizeof(colours),
    };
    const uint8_t *pixels = draw_pixels(arena, qr, scale, width);
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    char *bytes = arena_alloc(arena, size);
    const int written = png_image_write_to_memory(&image, bytes, &size, 0, pixels, 0, colours);

    png_image_free(&image);
    if (written == 0)
        return ERR_INTERNAL;
    *ret = (str){bytes, size};
    return ERR_OK;
}
