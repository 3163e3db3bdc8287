/* platform/json/decode.c - walks a tree beside a shape and fills the struct.
 *
 * One pass, all faults: somebody who corrects a form wants to see everything that is wrong with
 * it, not the first thing. The way down is a stack of levels instead of recursion: it is
 * bounded, and it is the pointer of whatever turns out to be wrong. */

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/money.h"
#include "platform/json/field.h"
#include "platform/json/tree.h"

struct json_doc {
    struct arena *arena;
    struct json_t *root; /* goes when the arena is reset */
};

enum {
    POINTER_SIZE_MAX = 512,
};

/* An object, or a list, that is being read. */
struct level {
    struct json_t *node;
    const struct json_shape *shape; /* of the object, or of the list's elements */
    const struct json_field *list;  /* NULL: an object */
    char *base;                     /* the struct, or the first element */
    struct tree_member member;      /* object: the one being read */
    size_t index;                   /* list: behind the element being read */
    uint64_t given;                 /* object: a bit for each field */
};

struct walk {
    struct arena *arena;
    bool own; /* we wrote the text ourselves: see json_read */
    struct level levels[JSON_DEPTH_MAX];
    size_t depth;
    struct faults faults;
};

/* --- Faults --- */

static void add_name(struct buf *buf, str name)
{
    const str shown = field_name_shown(name);

    for (size_t i = 0; i < shown.size; i++) {
        if (shown.ptr[i] == '~')
            buf_add_cstr(buf, "~0");
        else if (shown.ptr[i] == '/')
            buf_add_cstr(buf, "~1");
        else
            buf_add_char(buf, shown.ptr[i]);
    }
    if (shown.size < name.size)
        buf_add_cstr(buf, "...");
}

/* Of the value being read, or of its member `below`. */
static str pointer_of(const struct walk *walk, str below)
{
    struct buf buf = buf_in(walk->arena, POINTER_SIZE_MAX);

    for (size_t i = 0; i < walk->depth; i++) {
        const struct level *level = &walk->levels[i];

        buf_add_char(&buf, '/');
        if (level->list == NULL)
            add_name(&buf, level->member.name);
        else
            buf_add_i64(&buf, (int64_t)level->index - 1);
    }
    if (below.ptr != NULL) {
        buf_add_char(&buf, '/');
        add_name(&buf, below);
    }
    return buf_str(&buf);
}

static void fault(struct walk *walk, struct json_errors *list, str below, str detail)
{
    if (list->count < JSON_ERRORS_MAX)
        faults_add(list, pointer_of(walk, below), detail);
}

static void invalid(struct walk *walk, str below, str detail)
{
    fault(walk, &walk->faults.invalid, below, detail);
}

static void unknown(struct walk *walk, str below)
{
    if (!walk->own)
        fault(walk, &walk->faults.unknown, below, STR("is not a known field"));
}

/* --- Values --- */

static void push(struct walk *walk, struct level level)
{
    assert(walk->depth < JSON_DEPTH_MAX); /* json_parse lets nothing deeper through */
    walk->levels[walk->depth++] = level;
}

static void push_object(struct walk *walk, struct json_t *node, const struct json_shape *shape,
                        void *base)
{
    push(walk, (struct level){
                   .node = node,
                   .shape = shape,
                   .base = base,
               });
}

/* Reads over what stands there already, but never into it: that may belong to somebody else. */
static void take_object(struct walk *walk, const struct json_field *field, struct json_t *node,
                        void *at)
{
    void *before;

    if (tree_kind(node) != TREE_OBJECT) {
        invalid(walk, STR_ABSENT, STR("must be an object"));
        return;
    }
    void *object = arena_alloc(walk->arena, field->shape->size);
    memcpy(&before, at, sizeof(before)); /* a pointer of whatever type */
    if (before != NULL)
        memcpy(object, before, field->shape->size);
    else
        json_clear(field->shape, object);
    memcpy(at, &object, sizeof(object));
    push_object(walk, node, field->shape, object);
}

static void take_list(struct walk *walk, const struct json_field *field, struct json_t *node,
                      char *base)
{
    const size_t count = tree_count(node); /* 0 of anything else */

    if (tree_kind(node) != TREE_LIST) {
        invalid(walk, STR_ABSENT, STR("must be a list"));
        return;
    }
    if ((int64_t)count < field->min || (int64_t)count > field->max) {
        invalid(walk, STR_ABSENT,
                arena_printf(walk->arena, "must have %" PRId64 " to %" PRId64 " elements",
                             field->min, field->max));
        if ((int64_t)count > field->max)
            return; /* nothing of it is looked at: its size is what is bounded */
    }
    char *elements = arena_alloc_array(walk->arena, count, field->item_size);
    memcpy(base + field->offset, &elements, sizeof(elements));
    memcpy(base + field->count_offset, &count, sizeof(count));
    push(walk, (struct level){
                   .node = node,
                   .shape = field->shape,
                   .list = field,
                   .base = elements,
               });
}

static bool take_amount(struct walk *walk, const struct json_field *field, struct json_t *node,
                        int64_t *ret)
{
    const struct json_field amount = {.type = JSON_I64, .min = field->min, .max = field->max};

    if (node == NULL) {
        invalid(walk, STR("amount"), STR("is required"));
        return false;
    }
    const str wrong = field_from_json(walk->arena, &amount, node, ret);
    if (wrong.ptr != NULL)
        invalid(walk, STR("amount"), wrong);
    return wrong.ptr == NULL;
}

static bool take_currency(struct walk *walk, struct json_t *node, struct currency *ret)
{
    if (node == NULL) {
        invalid(walk, STR("currency"), STR("is required"));
        return false;
    }
    const str code = tree_text(node); /* absent of what is none */
    const bool good = currency_parse(code, ret);
    if (!good)
        invalid(walk, STR("currency"), STR("must be an ISO 4217 code in capitals, like EUR"));
    return good;
}

static void take_money(struct walk *walk, const struct json_field *field, struct json_t *node,
                       struct money *to)
{
    struct money money = {0};
    struct tree_member member = {0};

    if (tree_kind(node) != TREE_OBJECT) {
        invalid(walk, STR_ABSENT, STR("must be an object with amount and currency"));
        return;
    }
    while (tree_next(node, &member))
        if (!str_eq(member.name, STR("amount")) && !str_eq(member.name, STR("currency")))
            unknown(walk, member.name);
    const bool has_amount = take_amount(walk, field, tree_find(node, "amount"), &money.minor);
    if (take_currency(walk, tree_find(node, "currency"), &money.currency) && has_amount)
        *to = money;
}

static void take_raw(struct walk *walk, const struct json_t *node, str *to)
{
    const str text = tree_compact(walk->arena, node);

    if (!walk->own && tree_is_deeper(text, JSON_RAW_DEPTH_MAX))
        invalid(walk, STR_ABSENT,
                arena_printf(walk->arena, "must not be nested deeper than %d", JSON_RAW_DEPTH_MAX));
    else
        *to = text;
}

/* `base` is the struct that holds the member; of a list's element, the element. */
static void take_value(struct walk *walk, const struct json_field *field, struct json_t *node,
                       char *base)
{
    void *at = base + field->offset;

    if (tree_kind(node) == TREE_NULL) {
        if ((field->flags & JSON_NULLABLE) != 0)
            field_clear(field, base);
        else
            invalid(walk, STR_ABSENT, STR("must not be null"));
        return;
    }
    if (field->type == JSON_OBJECT) {
        take_object(walk, field, node, at);
    } else if (field->type == JSON_LIST) {
        take_list(walk, field, node, base);
    } else if (field->type == JSON_MONEY) {
        take_money(walk, field, node, at);
    } else if (field->type == JSON_RAW) {
        take_raw(walk, node, at);
    } else {
        const str wrong = field_from_json(walk->arena, field, node, at);
        if (wrong.ptr != NULL)
            invalid(walk, STR_ABSENT, wrong);
    }
}

/* --- The walk --- */

static void end_object(struct walk *walk, struct level *level)
{
    for (size_t i = 0; i < level->shape->field_count; i++) {
        const struct json_field *field = &level->shape->fields[i];
        const bool wanted = (field->flags & (JSON_REQUIRED | JSON_READ_ONLY)) == JSON_REQUIRED;

        if (wanted && (level->given >> i & 1) == 0) {
            level->member.name = str_of(field->name);
            invalid(walk, STR_ABSENT, STR("is required"));
        }
    }
    walk->depth--;
}

static void step_object(struct walk *walk, struct level *level)
{
    if (!tree_next(level->node, &level->member)) {
        end_object(walk, level);
        return;
    }

    const size_t i = shape_find(level->shape, level->member.name, walk->own ? 0 : JSON_READ_ONLY);
    if (i == level->shape->field_count) {
        unknown(walk, STR_ABSENT);
        return;
    }
    level->given |= UINT64_C(1) << i;
    take_value(walk, &level->shape->fields[i], level->member.value, level->base);
}

static void step_list(struct walk *walk, struct level *level)
{
    if (level->index == tree_count(level->node)) {
        walk->depth--;
        return;
    }
    struct json_t *node = tree_at(level->node, level->index);
    char *element = level->base + level->index * level->list->item_size;
    level->index++;

    if (level->shape == NULL) {
        field_clear(level->list->item, element);
        take_value(walk, level->list->item, node, element);
    } else if (tree_kind(node) == TREE_OBJECT) {
        json_clear(level->shape, element);
        push_object(walk, node, level->shape, element);
    } else {
        invalid(walk, STR_ABSENT, STR("must be an object"));
    }
}

/* --- Documents --- */

err json_parse(struct arena *arena, str text, struct json_doc **ret, str *ret_detail)
{
    struct json_t *root;

    TRY(tree_parse(arena, text, JSON_DEPTH_MAX, &root, ret_detail));
    *ret = arena_new(arena, struct json_doc);
    **ret = (struct json_doc){.arena = arena, .root = root};
    return ERR_OK;
}

void json_digest(const struct json_doc *doc, uint8_t ret[32])
{
    tree_digest(doc->arena, doc->root, ret);
}

static err decode(struct walk *walk, const struct json_doc *doc, const struct json_shape *shape,
                  void *value, struct json_errors *errors)
{
    if (tree_kind(doc->root) != TREE_OBJECT) {
        invalid(walk, STR_ABSENT, STR("must be an object"));
        return faults_give(&walk->faults, errors);
    }
    void *decoded = arena_alloc(walk->arena, shape->size);
    memcpy(decoded, value, shape->size);

    push_object(walk, doc->root, shape, decoded);
    while (walk->depth > 0) {
        struct level *level = &walk->levels[walk->depth - 1];
        if (level->list == NULL)
            step_object(walk, level);
        else
            step_list(walk, level);
    }

    const err verdict = faults_give(&walk->faults, errors);
    if (verdict == ERR_OK)
        memcpy(value, decoded, shape->size);
    return verdict;
}

err json_decode(struct arena *arena, const struct json_doc *doc, const struct json_shape *shape,
                void *value, struct json_errors *errors)
{
    struct walk walk = {.arena = arena};

    return decode(&walk, doc, shape, value, errors);
}

err json_read(struct arena *arena, str text, const struct json_shape *shape, void *value)
{
    struct walk walk = {.arena = arena, .own = true};
    struct json_doc *doc;
    str detail;

    TRY(json_parse(arena, text, &doc, &detail));
    return decode(&walk, doc, shape, value, NULL);
}

void json_clear(const struct json_shape *shape, void *value)
{
    for (size_t i = 0; i < shape->field_count; i++)
        field_clear(&shape->fields[i], value);
}
