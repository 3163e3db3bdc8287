/* platform/config/config.c - loads settings, checks each by its row, and hands them out.
 *
 * A server that starts with a misspelt setting does something nobody asked for. So everything
 * unknown, doubled or out of bounds is refused, in one line that names the place and what would
 * be right. */

#include "platform/config/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "platform/config/nearest.h"

enum {
    FILE_SIZE_MAX = 1024 * 1024,
    READ_SIZE = 16 * 1024,
    SHOWN_SIZE_MAX = 40,
};
#define ENVIRONMENT_PREFIX STR("BOXOFFICE_")

struct value {
    const struct setting *row;
    str environment_name;
    int64_t number;
    str text; /* absent: empty */
};

struct config {
    struct arena *arena;
    struct value *values;
    size_t count;
    struct map *by_name;
    struct map *by_environment_name;
};

/* --- Values --- */

static bool is_number(const struct setting *row)
{
    return row->type == SETTING_SECONDS || row->type == SETTING_MS || row->type == SETTING_COUNT ||
           row->type == SETTING_BYTES;
}

static bool has_choice(const char *choices, str text)
{
    str rest = str_of(choices);
    str choice;

    while (str_split(&rest, ' ', &choice))
        if (choice.size > 0 && str_eq(choice, text))
            return true;
    return false;
}

static bool is_printable(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return false;
    return str_is_utf8(text);
}

/* For messages, which are one line on a terminal. */
static str shown(str text)
{
    const str cut = str_slice(text, 0, SHOWN_SIZE_MAX);

    return is_printable(cut) ? cut : STR("(not printable)");
}

static str unit_of(enum setting_type type)
{
    if (type == SETTING_SECONDS)
        return STR(" of seconds");
    if (type == SETTING_MS)
        return STR(" of milliseconds");
    return type == SETTING_BYTES ? STR(" of bytes") : STR("");
}

static err refuse_number(struct arena *arena, const struct setting *row, str text, str *ret_why)
{
    const str unit = unit_of(row->type);
    const str given = shown(text);

    *ret_why = arena_printf(
        arena, "%s must be a whole number%.*s from %" PRId64 " to %" PRId64 ", not \"%.*s\"",
        row->name, STR_ARG(unit), row->min, row->max, STR_ARG(given));
    return ERR_INVALID;
}

static err set_number(struct arena *arena, struct value *value, str text, str *ret_why)
{
    const struct setting *row = value->row;
    int64_t n;

    if (!str_to_i64(text, &n) || n < row->min || n > row->max)
        return refuse_number(arena, row, text, ret_why);
    value->number = n;
    return ERR_OK;
}

static err set_switch(struct arena *arena, struct value *value, str text, str *ret_why)
{
    const str given = shown(text);

    if (!has_choice("on off", text)) {
        *ret_why = arena_printf(arena, "%s must be on or off, not \"%.*s\"", value->row->name,
                                STR_ARG(given));
        return ERR_INVALID;
    }
    value->number = str_eq(text, STR("on"));
    return ERR_OK;
}

static err set_choice(struct arena *arena, struct value *value, str text, str *ret_why)
{
    const str given = shown(text);

    if (!has_choice(value->row->choices, text)) {
        *ret_why = arena_printf(arena, "%s must be one of: %s; not \"%.*s\"", value->row->name,
                                value->row->choices, STR_ARG(given));
        return ERR_INVALID;
    }
    value->text = arena_str(arena, text);
    return ERR_OK;
}

/* A text may be a secret: it is not shown. */
static err set_text(struct arena *arena, struct value *value, str text, str *ret_why)
{
    if (!is_printable(text)) {
        *ret_why = arena_printf(arena, "%s must be printable UTF-8", value->row->name);
        return ERR_INVALID;
    }
    value->text = text.size > 0 ? arena_str(arena, text) : STR_ABSENT;
    return ERR_OK;
}

static err set_value(struct arena *arena, struct value *value, str text, str *ret_why)
{
    switch (value->row->type) {
    case SETTING_SECONDS:
    case SETTING_MS:
    case SETTING_COUNT:
    case SETTING_BYTES:
        return set_number(arena, value, text, ret_why);
    case SETTING_SWITCH:
        return set_switch(arena, value, text, ret_why);
    case SETTING_CHOICE:
        return set_choice(arena, value, text, ret_why);
    case SETTING_TEXT:
        return set_text(arena, value, text, ret_why);
    }
    abort();
}

/* --- Tables --- */

static char environment_char_of(char c)
{
    if (c == '.')
        return '_';
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return c;
}

static str environment_name_of(struct arena *arena, const char *name)
{
    const str copy = arena_printf(arena, "%.*s%s", STR_ARG(ENVIRONMENT_PREFIX), name);
    char *text = arena_alloc(arena, copy.size + 1);

    for (size_t i = 0; i < copy.size; i++)
        text[i] = environment_char_of(copy.ptr[i]);
    return (str){text, copy.size};
}

/* A row that contradicts itself is our mistake, not the operator's. */
static void check_row(const struct setting *row)
{
    assert(strchr(row->name, '.') != NULL && row->help != NULL);
    if (is_number(row) || row->type == SETTING_SWITCH)
        assert(row->standard >= row->min && row->standard <= row->max);
    if (row->type == SETTING_CHOICE)
        assert(has_choice(row->choices, str_of(row->standard_text)));
}

static void add_row(struct config *config, const struct setting *row)
{
    struct value *value = &config->values[config->count++];
    const str standard = str_of(row->standard_text);

    check_row(row);
    *value = (struct value){
        .row = row,
        .environment_name = environment_name_of(config->arena, row->name),
        .number = row->standard,
        .text = standard.size > 0 ? standard : STR_ABSENT,
    };
    const void *same_name = map_put(config->by_name, str_of(row->name), value);
    const void *same_variable =
        map_put(config->by_environment_name, value->environment_name, value);
    assert(same_name == NULL && same_variable == NULL);
}

struct config *config_open(const struct settings *const *tables)
{
    struct arena *arena = arena_open(0);
    struct config *config = arena_new(arena, struct config);
    size_t count = 0;

    for (size_t i = 0; tables[i] != NULL; i++)
        count += tables[i]->count;
    config->arena = arena;
    config->values = arena_new_array(arena, struct value, count);
    config->by_name = map_open();
    config->by_environment_name = map_open();
    for (size_t i = 0; tables[i] != NULL; i++)
        for (size_t j = 0; j < tables[i]->count; j++)
            add_row(config, &tables[i]->rows[j]);
    return config;
}

void config_close(struct config *config)
{
    if (config == NULL)
        return;
    map_close(config->by_name);
    map_close(config->by_environment_name);
    arena_close(config->arena);
}

static str name_of(const struct value *value, bool in_environment)
{
    return in_environment ? value->environment_name : str_of(value->row->name);
}

static err refuse_unknown(const struct config *config, str name, bool in_environment, str *ret_why)
{
    const str given = shown(name);
    str nearest = STR_ABSENT;
    size_t distance_min = SIZE_MAX;

    for (size_t i = 0; i < config->count; i++) {
        const str known = name_of(&config->values[i], in_environment);
        const size_t distance = edit_distance(name, known);
        if (distance < distance_min) {
            distance_min = distance;
            nearest = known;
        }
    }
    *ret_why = arena_printf(config->arena, "unknown setting %.*s; the nearest there is: %.*s",
                            STR_ARG(given), STR_ARG(nearest));
    return ERR_INVALID;
}

err config_set(struct config *config, str name, str value, str *ret_why)
{
    struct value *known = map_find(config->by_name, name);

    if (known == NULL)
        return refuse_unknown(config, name, false, ret_why);
    return set_value(config->arena, known, value, ret_why);
}

/* --- The file --- */

struct ini {
    struct config *config;
    const char *path;
    int64_t line;
    str section;       /* absent before the first */
    struct map *lines; /* name -> the line that set it */
};

static err read_file(const char *path, struct buf *buf)
{
    char part[READ_SIZE];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0)
        return ERR_INVALID;
    do {
        size = read(fd, part, sizeof(part));
        if (size > 0)
            buf_add(buf, (str){part, (size_t)size});
    } while ((size > 0 && !buf->overflow) || (size < 0 && errno == EINTR));
    const int why = errno;
    close(fd);
    errno = why;
    return size < 0 ? ERR_INVALID : ERR_OK;
}

/* Puts the place in front of *ret_why. */
static err refuse_line(const struct ini *ini, str why, str *ret_why)
{
    *ret_why = arena_printf(ini->config->arena, "%s line %" PRId64 ": %.*s", ini->path, ini->line,
                            STR_ARG(why));
    return ERR_INVALID;
}

static err take_section(struct ini *ini, str line, str *ret_why)
{
    const str section = str_trim(str_slice(line, 1, line.size - 1));

    if (line.ptr[line.size - 1] != ']' || section.size == 0)
        return refuse_line(ini, STR("a section is written [name]"), ret_why);
    ini->section = section;
    return ERR_OK;
}

static err take_setting(struct ini *ini, str line, str *ret_why)
{
    struct arena *arena = ini->config->arena;
    str value = line;
    str key;
    str why;

    if (memchr(line.ptr, '=', line.size) == NULL)
        return refuse_line(ini, STR("a setting is written key = value"), ret_why);
    if (ini->section.ptr == NULL)
        return refuse_line(ini, STR("a setting stands below its [section]"), ret_why);
    str_split(&value, '=', &key);
    key = str_trim(key);
    const str name = arena_printf(arena, "%.*s.%.*s", STR_ARG(ini->section), STR_ARG(key));

    if (config_set(ini->config, name, str_trim(value), &why) != ERR_OK)
        return refuse_line(ini, why, ret_why);
    int64_t *line_number = arena_new(arena, int64_t);
    *line_number = ini->line;
    const int64_t *before = map_put(ini->lines, name, line_number);
    if (before != NULL)
        return refuse_line(
            ini,
            arena_printf(arena, "%.*s is set on line %" PRId64 " already", STR_ARG(name), *before),
            ret_why);
    return ERR_OK;
}

static err take_lines(struct ini *ini, str text, str *ret_why)
{
    str line;

    while (str_split(&text, '\n', &line)) {
        ini->line++;
        line = str_trim(line);
        if (line.size == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        if (line.ptr[0] == '[')
            TRY(take_section(ini, line, ret_why));
        else
            TRY(take_setting(ini, line, ret_why));
    }
    return ERR_OK;
}

err config_load_file(struct config *config, const char *path, str *ret_why)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(FILE_SIZE_MAX);
    const str byte_order_mark = STR("\xef\xbb\xbf");

    if (read_file(path, &buf) != ERR_OK) {
        *ret_why = arena_printf(config->arena, "%s: %s", path, strerrordesc_np(errno));
        return ERR_INVALID;
    }
    if (buf.overflow) {
        *ret_why = arena_printf(config->arena, "%s: larger than %d bytes", path, FILE_SIZE_MAX);
        return ERR_INVALID;
    }
    str text = buf_str(&buf);
    if (str_starts(text, byte_order_mark))
        text = str_slice(text, byte_order_mark.size, text.size);

    struct ini ini = {.config = config, .path = path, .lines = map_open()};
    const err verdict = take_lines(&ini, text, ret_why);
    map_close(ini.lines);
    return verdict;
}

/* --- The environment --- */

static err take_variable(struct config *config, str variable, str *ret_why)
{
    str value = variable;
    str name;
    str why;

    str_split(&value, '=', &name);
    struct value *known = map_find(config->by_environment_name, name);
    if (known == NULL)
        return refuse_unknown(config, name, true, ret_why);
    if (set_value(config->arena, known, value, &why) == ERR_OK)
        return ERR_OK;
    *ret_why = arena_printf(config->arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(why));
    return ERR_INVALID;
}

err config_load_environment(struct config *config, const char *const *variables, str *ret_why)
{
    for (size_t i = 0; variables[i] != NULL; i++) {
        const str variable = str_of(variables[i]);
        if (str_starts(variable, ENVIRONMENT_PREFIX))
            TRY(take_variable(config, variable, ret_why));
    }
    return ERR_OK;
}

/* --- Reading --- */

bool config_knows(const struct config *config, const char *name)
{
    return map_find(config->by_name, str_of(name)) != NULL;
}

static const struct value *value_of(const struct config *config, const char *name)
{
    const struct value *value = map_find(config->by_name, str_of(name));

    assert(value != NULL);
    return value;
}

int64_t config_i64(const struct config *config, const char *name)
{
    const struct value *value = value_of(config, name);

    assert(is_number(value->row));
    return value->number;
}

bool config_on(const struct config *config, const char *name)
{
    const struct value *value = value_of(config, name);

    assert(value->row->type == SETTING_SWITCH);
    return value->number != 0;
}

str config_text(const struct config *config, const char *name)
{
    const struct value *value = value_of(config, name);

    assert(value->row->type == SETTING_TEXT || value->row->type == SETTING_CHOICE);
    return value->text;
}
