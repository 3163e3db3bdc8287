/* bench/pgbench_holds.c - the same rows as a hold of ours, written by pgbench, a transaction each.
 *
 * Twice: as it would be written at first (a statement after the other), and at its best (all in one
 * statement, so that a hold is one round trip). Both are prepared, and neither has a server of HTTP
 * before it. */

#include "pgbench_holds.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/db/db_postgres.h"
#include "support/scratch.h"
#include "support/test.h"
#include "support/test_database.h"

enum { UUID_TEXT_SIZE = 37, COMMAND_SIZE = 1024 };

/* Ids of 15 random digits; what is volatile (gen_random_uuid) could use no index. */
#define VARIABLES                          \
    "\\set u random(0, 999999999999999)\n" \
    "\\set o random(0, 999999999999999)\n"
#define ID(variable) "('01900000000070008' || lpad(:" variable ", 15, '0'))::uuid"
#define KEY          "'3f0b6a52-2f0e-4d3a-9c55-000000000000'"
#define ORDER_COLUMNS                                                                 \
    "INSERT INTO order_state (id, user_id, event_id, status, expires_at_ms, hold_ms," \
    " total_minor, currency, idem_key, idem_digest, created_at_ms) "
#define ORDER_VALUES                                                                 \
    ID("o")                                                                          \
    ", " ID("u") ", '%1$s'::uuid, 0, 1795392600000, 600000, 25000, 'EGP', " KEY ", " \
                 "sha256('x'), 1795392000000"
#define TAKE                                                                         \
    "UPDATE ticket_type_stock SET remaining = remaining - 1, version = version + 1," \
    " ever_held = 1 WHERE id = '%2$s' AND remaining >= 1;\n"
#define NEWS "'inventory.changed', '{\"event_ids\":[\"%1$s\"]}', 1795392000000"

/* %1$s: the event, %2$s: its type. The hot row comes last, so that it is locked for as short as can
 * be. */
static const char one_by_one[] = VARIABLES
    "BEGIN;\n"
    "SELECT id FROM order_state WHERE user_id = " ID(
        "u") " AND idem_key = " KEY ";\n"
             "SELECT version, status FROM event_key WHERE id = '%1$s' FOR SHARE;\n" ORDER_COLUMNS
             "VALUES (" ORDER_VALUES ");\n"
             "INSERT INTO order_item VALUES (" ID(
                 "o") ", '%2$s', 1, 25000);\n"
                      "INSERT INTO stock_ledger (ticket_type_id, order_id, kind, quantity, at_ms)"
                      " VALUES ('%2$s', " ID(
                          "o") ", 1, -1, 1795392000000);\n"
                               "INSERT INTO outbox (kind, payload, at_ms) VALUES (" NEWS ");\n" TAKE
                               "COMMIT;\n";

static const char at_once[] =
    VARIABLES "WITH held AS (SELECT 1 FROM order_state WHERE user_id = " ID(
        "u") " AND idem_key = " KEY "),"
             " event AS (SELECT version FROM event_key WHERE id = '%1$s' FOR SHARE),"
             " o AS (" ORDER_COLUMNS "SELECT " ORDER_VALUES " FROM event"
             " WHERE NOT EXISTS (SELECT 1 FROM held) RETURNING id),"
             " i AS (INSERT INTO order_item SELECT id, '%2$s', 1, 25000 FROM o),"
             " l AS (INSERT INTO stock_ledger (ticket_type_id, order_id, kind, quantity, at_ms)"
             " SELECT '%2$s', id, 1, -1, 1795392000000 FROM o),"
             " n AS (INSERT INTO outbox (kind, payload, at_ms) SELECT " NEWS " FROM o) " TAKE;

static void write_uuid(struct uuid id, char *ret)
{
    char *at = ret;

    for (size_t i = 0; i < sizeof(id.bytes); i++)
        at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                       id.bytes[i]);
}

static const char *write_script(struct arena *arena, const char *name, const char *script,
                                const struct known_event *event)
{
    const char *path = arena_printf(arena, "%s/%s.sql", scratch_dir(arena), name).ptr;
    char event_text[UUID_TEXT_SIZE];
    char type_text[UUID_TEXT_SIZE];
    FILE *file = fopen(path, "we");

    CHECK(file != NULL);
    write_uuid(event->id.uuid, event_text);
    write_uuid(event->types[0].uuid, type_text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)fprintf(file, script, event_text, type_text);
#pragma GCC diagnostic pop
    CHECK(fclose(file) == 0);
    return path;
}

/* Transactions a second; 0: pgbench has failed, and has said why. */
static double run(const char *pgbench, const char *url, const char *script, int clients,
                  int seconds)
{
    char command[COMMAND_SIZE];
    char line[256];
    double tps = 0;
    FILE *output;

    (void)snprintf(command, sizeof(command), "'%s' -n -M prepared -c %d -j 2 -T %d -f '%s' '%s'",
                   pgbench, clients, seconds, script, url);
    output = popen(command, "re"); /* NOLINT(cert-env33-c): of our own words */
    CHECK(output != NULL);
    while (fgets(line, sizeof(line), output) != NULL)
        if (strncmp(line, "tps = ", 6) == 0)
            tps = strtod(line + 6, NULL);
    (void)pclose(output);
    return tps;
}

void pgbench_holds(struct booking_node *node, const struct known_event *event, int seconds,
                   double ours)
{
    static const int clients[] = {1, 4, 16, 64};
    static const char *const names[] = {"one_by_one", "at_once"};
    static const char *const scripts[] = {one_by_one, at_once};
    const char *url = ((const struct postgres_db *)node->booking->db)->url;
    glob_t found = {0};

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else is at it any more */
    if (glob("/usr/lib/postgresql/*/bin/pgbench", 0, NULL, &found) != 0) {
        (void)printf("pgbench is not installed\n");
        return;
    }
    /* So that it plans by what is there now. */
    test_database_exec(url, "ANALYZE event_key, ticket_type_stock, order_state, order_item, "
                            "stock_ledger, outbox");
    for (int kind = 0; kind < 2; kind++) {
        const char *script = write_script(node->arena, names[kind], scripts[kind], event);
        double best = 0;

        (void)printf("pgbench, a transaction a hold, %s:", names[kind]);
        for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
            const double tps =
                run(found.gl_pathv[found.gl_pathc - 1], url, script, clients[i], seconds);

            best = tps > best ? tps : best;
            (void)printf("  %d clients %.0f/s", clients[i], tps);
            (void)fflush(stdout);
        }
        (void)printf("\nholds beside its best: %.1f x\n", best > 0 ? ours / best : 0);
    }
    globfree(&found);
}
