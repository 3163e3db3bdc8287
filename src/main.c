/* main.c - the command line. */
#include <stdio.h>

#include "base/str.h"
#include "commands.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"serve",   command_serve,
     "[--listen ADDR:PORT] [--data DIR] [--config FILE] [--services all] [--test-clock]"              },
    {"migrate", command_migrate, "[--data DIR] [--config FILE]"                                       },
    {"demo",    command_demo,    "[--data DIR] [--size small|medium|large] [--seed N] [--now RFC3339]"},
    {"import",  command_import,
     "events FILE --vendor EMAIL [--publish] [--price MINOR --currency C --quantity N] [--timezone "
     "Z]"                                                                                             },
    {"export",  command_export,  "--vendor EMAIL --format csv|json [--out DIR|FILE]"                  },
    {"user",    command_user,
     "create --role customer|vendor|admin --email E [--name N] [--vendor-name V] "
     "[--password-stdin]"                                                                             },
    {"audit",   command_audit,   "[--data DIR] [--config FILE]"                                       },
    {"doctor",  command_doctor,  "[--data DIR] [--config FILE]"                                       },
    {"backup",  command_backup,  "DIR [--data DIR] [--config FILE]"                                   },
    {"restore", command_restore, "DIR [--data DIR] [--config FILE] [--verify]"                        },
    {"version", command_version, ""                                                                   },
};

static void print_usage(FILE *out)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        (void)fprintf(out, "%s boxoffice %-8s%s\n", i == 0 ? "usage:" : "      ", commands[i].name,
                      commands[i].usage);
}

int main(int argc, char **argv)
{
    const str name = argc > 1 ? str_of(argv[1]) : STR("");

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (str_eq(str_of(commands[i].name), name))
            return commands[i].run(argc - 2, argv + 2);
    if (str_eq(name, STR("help")) || str_eq(name, STR("--help"))) {
        print_usage(stdout);
        return 0;
    }
    if (name.size > 0)
        (void)fprintf(stderr, "boxoffice: no such command: %.*s (try: boxoffice help)\n",
                      STR_ARG(name));
    else
        print_usage(stderr);
    return 2;
}
