/* payment/payment_audit.c - `boxoffice audit`: does what was written down about money add up?
 *
 * First the ledger is replayed from its beginning: hashes, sums of each transaction, and what all of
 * them make of balances and sales. Then payments and refunds are held against it, and the sandbox's
 * books against them. All is read from one snapshot, each table a fixed number of times. Work
 * between two persisted steps is no divergence. */
#include "services/payment/payment.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "services/payment/attempt.h"
#include "services/payment/ledger_rows.h"
#include "services/payment/ledger_sums.h"
#include "services/payment/payment_audit.sql.h"
#include "services/payment/points.h"

enum { PAGE = 10000, PAGE_CHUNK_SIZE = 1024 * 1024 };

struct audit {
    struct call *call;
    struct tx *tx;
    struct arena *page; /* of what is replayed at the moment */
    struct ledger_sums sums;
    int64_t seq; /* of the last link that was replayed */
    uint8_t hash[LEDGER_HASH_SIZE];
    str found; /* the first divergence */
};

#define FOUND(audit, ...) \
    ((audit)->found = arena_printf((audit)->call->arena, __VA_ARGS__), ERR_CONFLICT)

/* --- The ledger --- */

/* "payment pay_...", "refund rf_...": what a transaction is about. */
static str source_name(struct audit *audit, int64_t source, struct uuid id)
{
    const char *prefix = source == LEDGER_ATTEMPT  ? PAYMENT_PREFIX
                         : source == LEDGER_REFUND ? REFUND_PREFIX
                                                   : "dp";

    return arena_printf(audit->call->arena, "%s %s",
                        source == LEDGER_ATTEMPT  ? "payment"
                        : source == LEDGER_REFUND ? "refund"
                                                  : "dispute",
                        id_format(prefix, id).text);
}

static err check_transaction(struct audit *audit, const struct ledger_transaction *transaction,
                             int64_t counted)
{
    int64_t sum = 0;

    for (size_t i = 0; i < transaction->count; i++)
        if (transaction->entries[i].account <= 0 || transaction->entries[i].account >= ACCOUNTS)
            return FOUND(audit, "ledger, %.*s: an entry of no account",
                         STR_ARG(source_name(audit, transaction->source, transaction->source_id)));
    if (transaction->overflow || counted != (int64_t)transaction->count)
        return FOUND(audit, "ledger, %.*s: %zu entries, it was written with %" PRId64,
                     STR_ARG(source_name(audit, transaction->source, transaction->source_id)),
                     transaction->count, counted);
    if (!ledger_sum(transaction->entries, transaction->count, &sum) || sum != 0)
        return FOUND(audit, "ledger, %.*s: its entries sum up to %" PRId64 ", not 0",
                     STR_ARG(source_name(audit, transaction->source, transaction->source_id)), sum);
    return ERR_OK;
}

static err check_link(struct audit *audit, const struct ledger_transaction *transaction,
                      const struct ledger_reader *reader)
{
    uint8_t hash[LEDGER_HASH_SIZE];

    if (reader->seq != audit->seq + 1)
        return FOUND(audit, "ledger: link %" PRId64 " of the chain is not there", audit->seq + 1);
    ledger_hash(audit->hash, transaction, hash);
    memcpy(audit->hash, hash, sizeof(hash));
    if (reader->hash.size != LEDGER_HASH_SIZE ||
        memcmp(reader->hash.ptr, audit->hash, LEDGER_HASH_SIZE) != 0)
        return FOUND(
            audit, "ledger: link %" PRId64 " of the chain, %.*s, does not fit what it seals",
            reader->seq, STR_ARG(source_name(audit, transaction->source, transaction->source_id)));
    audit->seq = reader->seq;
    return ERR_OK;
}

static err add(struct audit *audit, const struct ledger_transaction *transaction)
{
    if (!ledger_sums_add(&audit->sums, transaction))
        return FOUND(audit, "ledger, %.*s: sums become too large",
                     STR_ARG(source_name(audit, transaction->source, transaction->source_id)));
    return ERR_OK;
}

static err replay_page(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct ledger_transaction transaction = {0};
    int64_t counted = 0;

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_CHAIN, ARGS(I64(audit->seq), I64(audit->seq + PAGE)),
                  audit->page));
    struct ledger_reader reader = ledger_read(&rows, audit->page, true);
    while (ledger_read_next(&reader, &transaction, &counted)) {
        TRY(check_transaction(audit, &transaction, counted));
        TRY(check_link(audit, &transaction, &reader));
        TRY(add(audit, &transaction));
    }
    return rows_close(&rows);
}

/* From the first link to the one that the head speaks of. */
static err replay_chain(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t before = -1;

    const err e = rows_first(&rows, audit->tx, &SQL_AUDIT_HEAD, NO_ARGS, audit->call->arena);
    if (e == ERR_NOT_FOUND)
        return FOUND(audit, "ledger: the head of the chain is gone");
    TRY(e);
    const int64_t head = row_i64(&rows, 0);
    const str hash = row_blob(&rows, 1);
    TRY(rows_close(&rows));
    while (audit->seq != before) {
        before = audit->seq;
        TRY(replay_page(audit));
        arena_reset(audit->page);
    }
    if (audit->seq != head)
        return FOUND(audit, "ledger: the chain has %" PRId64 " links, its head says %" PRId64,
                     audit->seq, head);
    if (hash.size != LEDGER_HASH_SIZE || memcmp(hash.ptr, audit->hash, LEDGER_HASH_SIZE) != 0)
        return FOUND(audit, "ledger: the head of the chain differs from its last link");
    return ERR_OK;
}

/* What is not chained yet has no part in the sums, but must balance all the same. */
static err check_pending(struct audit *audit)
{
    struct ledger_transaction transaction = {0};
    int64_t counted = 0;
    int64_t count = PAGE;

    while (count == PAGE) {
        CLEANUP(rows_done) struct rows rows = {0};

        count = 0;
        TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_PENDING, ARGS(UUID(transaction.id), I64(PAGE)),
                      audit->page));
        struct ledger_reader reader = ledger_read(&rows, audit->page, false);
        for (; ledger_read_next(&reader, &transaction, &counted); count++)
            TRY(check_transaction(audit, &transaction, counted));
        TRY(rows_close(&rows));
        arena_reset(audit->page);
    }
    return ERR_OK;
}

/* --- Its sums --- */

static str balance_name(struct audit *audit, const struct balance_cell *cell)
{
    return arena_printf(audit->call->arena, "%s%s%s in %s", ledger_account_name(cell->account),
                        uuid_is_zero(cell->vendor) ? "" : " of ",
                        uuid_is_zero(cell->vendor) ? "" : id_format("vnd", cell->vendor).text,
                        cell->currency.code);
}

static void find_missing_balance(void *arg, [[maybe_unused]] str key, void *value)
{
    struct audit *audit = arg;
    const struct balance_cell *cell = value;

    if (audit->found.ptr == NULL && !cell->seen && cell->minor != 0)
        (void)FOUND(audit, "%.*s: has no balance, its entries sum up to %" PRId64,
                    STR_ARG(balance_name(audit, cell)), cell->minor);
}

static err check_balances(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_BALANCES, NO_ARGS, audit->page));
    while (rows_next(&rows)) {
        struct currency currency = {0};

        (void)currency_parse(row_text(&rows, 2), &currency);
        struct balance_cell *cell = ledger_sums_balance(
            &audit->sums, (enum ledger_account)row_i64(&rows, 0), row_uuid(&rows, 1), currency);
        cell->seen = true;
        if (cell->minor != row_i64(&rows, 3))
            return FOUND(audit, "%.*s: balance is %" PRId64 ", its entries sum up to %" PRId64,
                         STR_ARG(balance_name(audit, cell)), row_i64(&rows, 3), cell->minor);
    }
    TRY(rows_close(&rows));
    map_each(audit->sums.balances, find_missing_balance, audit);
    return audit->found.ptr == NULL ? ERR_OK : ERR_CONFLICT;
}

static err differs(struct audit *audit, const struct sales_cell *cell)
{
    return FOUND(audit, "sales of %s on %" PRId64 " differ from the ledger",
                 id_format("evt", cell->event).text, cell->day);
}

static bool cell_is_empty(const struct sales_cell *cell)
{
    return cell->gross_minor == 0 && cell->refunds_minor == 0 && cell->fees_minor == 0 &&
           cell->sold == 0 && cell->refunded == 0;
}

static void find_missing_sales(void *arg, [[maybe_unused]] str key, void *value)
{
    struct audit *audit = arg;
    const struct sales_cell *cell = value;

    if (audit->found.ptr == NULL && !cell->seen && !cell_is_empty(cell))
        (void)differs(audit, cell);
}

static err check_sales(struct audit *audit)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, &SQL_AUDIT_SALES, NO_ARGS, audit->page));
    while (rows_next(&rows)) {
        struct sales_cell kept = {.vendor = row_uuid(&rows, 0),
                                  .event = row_uuid(&rows, 2),
                                  .day = row_i64(&rows, 3),
                                  .ticket_type = row_uuid(&rows, 4)};

        (void)currency_parse(row_text(&rows, 1), &kept.currency);
        struct sales_cell *cell = ledger_sums_sales(&audit->sums, &kept);
        cell->seen = true;
        if (cell->gross_minor != row_i64(&rows, 5) || cell->refunds_minor != row_i64(&rows, 6) ||
            cell->fees_minor != row_i64(&rows, 7) || cell->sold != row_i64(&rows, 8) ||
            cell->refunded != row_i64(&rows, 9))
            return differs(audit, cell);
    }
    TRY(rows_close(&rows));
    map_each(audit->sums.sales, find_missing_sales, audit);
    return audit->found.ptr == NULL ? ERR_OK : ERR_CONFLICT;
}

static err check_ledger(struct audit *audit)
{
    TRY(replay_chain(audit));
    TRY(check_pending(audit));
    TRY(check_balances(audit));
    arena_reset(audit->page);
    return check_sales(audit);
}

/* --- One against the other: queries that find nothing where all is well --- */

struct question {
    const struct sql *sql;
    const char *what;   /* "payment" */
    const char *prefix; /* of the id that the statement gives; NULL: a text */
    const char *found;  /* behind it */
};

static err ask(struct audit *audit, const struct question *question)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, audit->tx, question->sql, NO_ARGS, audit->call->arena));
    if (!rows_next(&rows))
        return rows_close(&rows);
    if (question->prefix == NULL)
        return FOUND(audit, "%s %.*s %s", question->what, STR_ARG(row_text(&rows, 0)),
                     question->found);
    return FOUND(audit, "%s %s %s", question->what,
                 id_format(question->prefix, row_uuid(&rows, 0)).text, question->found);
}

static err check_payments(struct audit *audit)
{
    static const struct question questions[] = {
        {&SQL_AUDIT_CHARGES,           "charge",             NULL,           "differs from its payment"               },
        {&SQL_AUDIT_ATTEMPTS,          "payment",            PAYMENT_PREFIX, "differs from its charge"                },
        {&SQL_AUDIT_REFUND_SUMS,       "payment",            PAYMENT_PREFIX, "has refunds that do not add up"         },
        {&SQL_AUDIT_UNPOSTED,          "payment",            PAYMENT_PREFIX, "was paid, but is not in the ledger"     },
        {&SQL_AUDIT_POSTED_TWICE,      "payment",            PAYMENT_PREFIX, "is in the ledger twice"                 },
        {&SQL_AUDIT_POSTED_WRONG,      "payment",            PAYMENT_PREFIX, "differs from the ledger"                },
        {&SQL_AUDIT_REFUNDS,           "refund",             REFUND_PREFIX,  "differs from the ledger"                },
        {&SQL_AUDIT_REFUND_OF_NOTHING, "refund",             REFUND_PREFIX,  "is in the ledger only"                  },
        {&SQL_AUDIT_STRAY_ENTRY,       "ledger transaction", "ltx",          "is not there, but has entries"          },
        {&SQL_AUDIT_STRAY_TRANSACTION, "ledger transaction", "ltx",
         "is neither chained nor waits for it"                                                                        },
        {&SQL_AUDIT_SALES_EVENT,       "sales of",           "evt",          "differ from those of its days"          },
        {&SQL_AUDIT_SALES_DATE,        "sales of",           "vnd",          "by date differ from those of his events"},
        {&SQL_AUDIT_ZERO,              "balances in",        NULL,           "do not sum up to 0"                     },
    };

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        TRY(ask(audit, &questions[i]));
    return ERR_OK;
}

static err check_all(struct audit *audit)
{
    TRY(check_ledger(audit));
    return check_payments(audit);
}

static err run(struct call *call, err (*check)(struct audit *audit), str *ret_found)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(arena_close_at) struct arena *page = arena_open(PAGE_CHUNK_SIZE);
    CLEANUP(ledger_sums_close) struct ledger_sums sums = ledger_sums_open(call->arena);
    struct audit audit = {.call = call, .tx = &tx, .page = page, .sums = sums};

    TRY(tx_read(&tx, call_db(call)));
    const err e = check(&audit);
    if (e == ERR_CONFLICT) {
        assert(audit.found.ptr != NULL);
        *ret_found = audit.found;
    }
    return e;
}

err payment_audit(struct call *call, str *ret_found)
{
    return run(call, check_all, ret_found);
}

err payment_audit_ledger(struct call *call, str *ret_found)
{
    return run(call, check_ledger, ret_found);
}
