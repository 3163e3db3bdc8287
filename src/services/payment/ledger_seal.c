/* payment/ledger_seal.c - chains transactions and sums them up, many in one commit.
 *
 * The order of the chain is the order in which they are taken here: by id among those that wait.
 * Each is chained once, because it leaves ledger_pending in the transaction that chains it. */
#include "services/payment/ledger_seal.h"

#include <string.h>

#include "platform/node/node.h"
#include "services/payment/ledger_rows.h"
#include "services/payment/ledger_seal.sql.h"
#include "services/payment/ledger_sums.h"

struct seal {
    struct uuid transaction;
    uint8_t hash[LEDGER_HASH_SIZE];
};
struct batch {
    int64_t seq; /* of the last one that is chained */
    uint8_t hash[LEDGER_HASH_SIZE];
    struct seal *seals;
    int64_t count;
    struct ledger_sums sums;
};

/* What changes a row of sums, in a map's visit. */
struct writer {
    struct tx *tx;
    err e;
};

err ledger_seal_begin(struct tx *tx)
{
    static const char zeros[LEDGER_HASH_SIZE];

    return db_exec(tx, &SQL_LEDGER_HEAD_BEGIN, ARGS(BLOB(((str){zeros, sizeof(zeros)}))));
}

/* ERR_NOT_FOUND: another process has it. */
static err take_head(struct tx *tx, struct call *call, struct batch *batch)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_LEDGER_HEAD_TAKE, NO_ARGS, call->arena));
    const str hash = row_blob(&rows, 1);
    batch->seq = row_i64(&rows, 0);
    if (hash.size != LEDGER_HASH_SIZE)
        return ERR_INTERNAL;
    memcpy(batch->hash, hash.ptr, LEDGER_HASH_SIZE);
    return rows_close(&rows);
}

static err read_pending(struct tx *tx, struct call *call, int64_t limit, struct batch *batch)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct ledger_transaction transaction = {0};
    int64_t counted = 0;

    batch->seals = arena_new_array(call->arena, struct seal, (size_t)limit);
    TRY(rows_open(&rows, tx, &SQL_LEDGER_PENDING_READ, ARGS(I64(limit)), call->arena));
    struct ledger_reader reader = ledger_read(&rows, call->arena, false);
    while (ledger_read_next(&reader, &transaction, &counted)) {
        struct seal *seal = &batch->seals[batch->count++];

        if (!ledger_sums_add(&batch->sums, &transaction))
            return call_explain(call, ERR_INTERNAL, "the sums of the ledger are too large");
        seal->transaction = transaction.id;
        ledger_hash(batch->hash, &transaction, seal->hash);
        memcpy(batch->hash, seal->hash, LEDGER_HASH_SIZE);
    }
    return rows_close(&rows);
}

static str hash_of(const uint8_t hash[LEDGER_HASH_SIZE])
{
    return (str){(const char *)hash, LEDGER_HASH_SIZE};
}

static err write_chain(struct tx *tx, struct batch *batch)
{
    for (int64_t i = 0; i < batch->count; i++) {
        const struct seal *seal = &batch->seals[i];

        TRY(db_exec(
            tx, &SQL_LEDGER_SEAL_INSERT,
            ARGS(I64(batch->seq + i + 1), UUID(seal->transaction), BLOB(hash_of(seal->hash)))));
        TRY(db_exec(tx, &SQL_LEDGER_PENDING_DELETE, ARGS(UUID(seal->transaction))));
    }
    return db_exec(tx, &SQL_LEDGER_HEAD_MOVE,
                   ARGS(I64(batch->seq + batch->count), BLOB(hash_of(batch->hash))));
}

static void write_balance(void *arg, [[maybe_unused]] str key, void *value)
{
    struct writer *writer = arg;
    const struct balance_cell *cell = value;

    if (writer->e == ERR_OK)
        writer->e = db_exec(writer->tx, &SQL_LEDGER_BALANCE_ADD,
                            ARGS(I64(cell->account), UUID(cell->vendor),
                                 TEXT(str_of(cell->currency.code)), I64(cell->minor)));
}

/* By event and day, and over all days, and over all events. */
static err add_sales(struct tx *tx, const struct sales_cell *cell)
{
    const struct value vendor = UUID(cell->vendor);
    const struct value currency = TEXT(str_of(cell->currency.code));
    const struct value event = UUID(cell->event);
    const struct value type = UUID(cell->ticket_type);
    const struct value day = I64(cell->day);
    const struct value gross = I64(cell->gross_minor);
    const struct value refunds = I64(cell->refunds_minor);
    const struct value fees = I64(cell->fees_minor);
    const struct value sold = I64(cell->sold);
    const struct value refunded = I64(cell->refunded);

    TRY(db_exec(tx, &SQL_SALES_DAY_ADD,
                ARGS(vendor, currency, event, day, type, gross, refunds, fees, sold, refunded)));
    TRY(db_exec(tx, &SQL_SALES_EVENT_ADD,
                ARGS(vendor, currency, event, type, gross, refunds, fees, sold, refunded)));
    return db_exec(tx, &SQL_SALES_DATE_ADD,
                   ARGS(vendor, currency, day, gross, refunds, fees, sold, refunded));
}

static void write_sales(void *arg, [[maybe_unused]] str key, void *value)
{
    struct writer *writer = arg;

    if (writer->e == ERR_OK)
        writer->e = add_sales(writer->tx, value);
}

static err write_sums(struct tx *tx, const struct ledger_sums *sums)
{
    struct writer writer = {tx, ERR_OK};

    map_each(sums->balances, write_balance, &writer);
    map_each(sums->sales, write_sales, &writer);
    return writer.e;
}

static err seal_batch(struct call *call, int64_t limit, struct batch *batch)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(take_head(&tx, call, batch));
    TRY(read_pending(&tx, call, limit, batch));
    if (batch->count == 0)
        return ERR_OK;
    TRY(write_chain(&tx, batch));
    TRY(write_sums(&tx, &batch->sums));
    return tx_commit(&tx);
}

err ledger_seal_some(struct call *call, int64_t limit, int64_t *ret_count)
{
    struct batch batch = {.sums = ledger_sums_open(call->arena)};

    const err e = seal_batch(call, limit, &batch);
    ledger_sums_close(&batch.sums);
    *ret_count = e == ERR_OK ? batch.count : 0;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Does anything wait? Asked of a reader, so that an idle process does not stand in writers' way. */
static err any_pending(struct call *call, bool *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_LEDGER_PENDING_ANY, NO_ARGS, call->arena));
    *ret = rows_next(&rows);
    return rows_close(&rows);
}

err ledger_seal(struct call *call, int64_t *ret_next_ms)
{
    bool any = false;
    int64_t count = 0;

    TRY(any_pending(call, &any));
    for (bool more = any; more && !chores_stopping(call->self); more = count == SEAL_BATCH) {
        TRY(ledger_seal_some(call, SEAL_BATCH, &count));
        call_next(call);
    }
    *ret_next_ms = call->now_ms + SEAL_EVERY_MS;
    return ERR_OK;
}
