/* options.c - reads flags: "--name value", "--name=value", and switches; anything unknown is refused. */
#include "options.h"

#include <stdio.h>
#include <string.h>

static const struct option *find(const struct option *options, str name)
{
    for (; options->name != NULL; options++)
        if (str_eq(str_of(options->name), name))
            return options;
    return NULL;
}

static err refuse(const char *what, str name)
{
    (void)fprintf(stderr, "boxoffice: %s: %.*s\n", what, STR_ARG(name));
    return ERR_INVALID;
}

err options_read(int argc, char **argv, const struct option *options, str *words, size_t words_max,
                 size_t *ret_word_count)
{
    size_t word_count = 0;

    for (int i = 0; i < argc; i++) {
        str value = str_of(argv[i]);
        str name;

        if (!str_starts(value, STR("--"))) {
            if (word_count == words_max)
                return refuse("one word too many", value);
            words[word_count++] = value;
            continue;
        }
        (void)str_split(&value, '=', &name);
        const struct option *option = find(options, name);
        if (option == NULL)
            return refuse("unknown flag", name);
        if (option->given != NULL) {
            if (value.ptr != NULL)
                return refuse("takes no value", name);
            *option->given = true;
            continue;
        }
        if (value.ptr == NULL && i + 1 < argc)
            value = str_of(argv[++i]);
        if (value.size == 0)
            return refuse("needs a value", name);
        *option->text = value;
    }
    *ret_word_count = word_count;
    return ERR_OK;
}
