/* booking/import/from_ld.c - finds the events in JSON-LD (https://schema.org/Event): in a document, or in the scripts of a page.
 *
 * Pages nest events in lists, graphs and other things: so everything is searched, but for what an event says of itself. Its parts of its own
 * (subEvent) are events too. */
#include "services/booking/import/from_ld.h"

#include <string.h>

enum { NODES_MAX = 1000000 };

/* --- Documents --- */

/* Where `part` begins in `text` from `at` on, in any case; text.size: nowhere. */
static size_t find_nocase(str text, size_t at, str part)
{
    for (; at + part.size <= text.size; at++)
        if ((text.ptr[at] == part.ptr[0]) &&
            str_eq_nocase(str_slice(text, at, at + part.size), part))
            return at;
    return text.size;
}

static size_t lines_until(str text, size_t from, size_t to)
{
    size_t lines = 0;

    for (size_t i = from; i < to; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

struct scripts {
    str text;
    size_t at;
    size_t line; /* of `at` */
};

/* The next <script type="application/ld+json">. */
static bool next_script(struct scripts *scripts, str *ret, size_t *ret_line)
{
    const str text = scripts->text;

    for (;;) {
        const size_t tag = find_nocase(text, scripts->at, STR("<script"));
        const char *close = tag < text.size ? memchr(text.ptr + tag, '>', text.size - tag) : NULL;

        if (close == NULL)
            return false;
        const size_t begin = (size_t)(close - text.ptr) + 1;
        const size_t end = find_nocase(text, begin, STR("</script"));
        const str attributes = str_slice(text, tag, begin);

        scripts->line += lines_until(text, scripts->at, begin);
        *ret_line = scripts->line;
        *ret = str_slice(text, begin, end);
        scripts->line += lines_until(text, begin, end);
        scripts->at = end;
        if (find_nocase(attributes, 0, STR("application/ld+json")) < attributes.size ||
            find_nocase(attributes, 0, STR("Application/ld+json")) < attributes.size)
            return true;
    }
}

/* --- Searching --- */

struct stack {
    const json_t **items;
    size_t count;
    size_t capacity;
    struct arena *arena;
};

static void push(struct stack *stack, const json_t *node)
{
    if (node == NULL || !(json_is_object(node) || json_is_array(node)) || stack->count >= NODES_MAX)
        return;
    if (stack->count == stack->capacity) {
        const size_t capacity = stack->capacity > 0 ? stack->capacity * 2 : 64;
        const json_t **wider = arena_new_array(stack->arena, const json_t *, capacity);

        for (size_t i = 0; i < stack->count; i++)
            wider[i] = stack->items[i];
        stack->items = wider;
        stack->capacity = capacity;
    }
    stack->items[stack->count++] = node;
}

/* What is put on top is taken first: so backwards. */
static void push_children(struct stack *stack, const json_t *node)
{
    const size_t first = stack->count;
    const char *name;
    const json_t *value;
    void *at;

    if (json_is_array(node))
        for (size_t i = 0; i < json_array_size(node); i++)
            push(stack, json_array_get(node, i));
    else
        for (at = json_object_iter((json_t *)mem_unconst(node)); at != NULL;
             at = json_object_iter_next((json_t *)mem_unconst(node), at)) {
            name = json_object_iter_key(at);
            value = json_object_iter_value(at);
            if (strcmp(name, "superEvent") != 0)
                push(stack, value);
        }
    for (size_t low = first, high = stack->count; low + 1 < high; low++) {
        const json_t *other = stack->items[--high];

        stack->items[high] = stack->items[low];
        stack->items[low] = other;
    }
}

struct ld_run {
    struct import_run *run;
    struct import_reader reader; /* of the run: says which entry a reason is about */
    const struct import_reader *to;
    size_t entry;
};

static err pass_row(void *arg, const struct import_event *event)
{
    const struct ld_run *ld = arg;

    return ld->to->row(ld->to->arg, event);
}

static void pass_refusal(void *arg, size_t line, const char *reason)
{
    const struct ld_run *ld = arg;
    const str text = ld->entry > 0
                         ? arena_printf(ld->run->arena, "event %zu: %s", ld->entry, reason)
                         : str_of(reason);

    ld->to->refused(ld->to->arg, line, text.ptr);
}

static void pass_note(void *arg, size_t line, const char *what)
{
    const struct ld_run *ld = arg;
    const str text = ld->entry > 0 ? arena_printf(ld->run->arena, "event %zu: %s", ld->entry, what)
                                   : str_of(what);

    ld->to->ignored(ld->to->arg, line, text.ptr);
}

static err give_event(struct ld_run *ld, const json_t *event, size_t line)
{
    struct import_draft draft = {.line = line};

    arena_reset(ld->run->arena);
    ld->entry++;
    if (import_is_full(ld->run, line))
        return ERR_OK;
    const char *why = ld_event_read(ld->run, event, &draft);
    if (why != NULL) {
        import_refuse(ld->run, line, why);
        return ERR_OK;
    }
    return import_give(ld->run, &draft);
}

/* An event, and what is part of it; else all that it holds. */
static err take_node(struct ld_run *ld, struct stack *stack, const json_t *node, size_t line)
{
    if (!ld_is_event(node)) {
        push_children(stack, node);
        return ERR_OK;
    }
    push(stack, json_object_get(node, "subEvents"));
    push(stack, json_object_get(node, "subEvent"));
    return give_event(ld, node, line);
}

static err give_events(struct ld_run *ld, const json_t *document, size_t line)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct stack stack = {.arena = arena};

    push(&stack, document);
    while (stack.count > 0 && ld->run->given + ld->run->refused < IMPORT_ROWS_MAX) {
        const json_t *node = stack.items[--stack.count];

        TRY(take_node(ld, &stack, node, line));
    }
    return ERR_OK;
}

static void release(json_t **json)
{
    json_decref(*json);
}

static err read_document(struct ld_run *ld, str text, size_t line)
{
    json_error_t fault;
    CLEANUP(release) json_t *document = json_loadb(text.ptr, text.size, JSON_DECODE_ANY, &fault);

    ld->entry = 0;
    if (document == NULL) {
        import_refuse(ld->run, line + (fault.line > 0 ? (size_t)fault.line - 1 : 0),
                      arena_printf(ld->run->arena, "not JSON: %s",
                                   str_is_utf8(str_of(fault.text)) ? fault.text : "not UTF-8")
                          .ptr);
        return ERR_OK;
    }
    return give_events(ld, document, line);
}

err import_read_ld(str text, const struct import_reader *reader)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct ld_run ld = {.to = reader};
    struct import_run run = {.reader = &ld.reader, .arena = arena};
    const str mark = STR("\xEF\xBB\xBF");
    struct scripts scripts = {.text = text, .line = 1};
    size_t found = 0;
    size_t line = 0;
    str script;

    if (text.size > IMPORT_FILE_SIZE_MAX)
        return ERR_TOO_LARGE;
    ld.run = &run;
    ld.reader = *reader;
    ld.reader.row = pass_row;
    ld.reader.refused = pass_refusal;
    ld.reader.ignored = pass_note;
    ld.reader.arg = &ld;
    if (str_starts(text, mark))
        text = str_slice(text, mark.size, text.size);
    if (str_starts(str_trim(text), STR("<")))
        for (; next_script(&scripts, &script, &line); found++)
            TRY(read_document(&ld, script, line));
    else
        TRY(read_document(&ld, text, 1));
    ld.entry = 0;
    if (run.given + run.refused == 0) {
        import_refuse(&run, 1, "no schema.org event is in it");
        return ERR_MALFORMED;
    }
    return import_result(&run);
}
