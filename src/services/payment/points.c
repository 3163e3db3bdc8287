/* payment/points.c - the ledger of loyalty points.
 *
 * A change writes its row of points_entry first: the unique (kind, source) decides whether it has
 * happened already. Account and lots follow in the same transaction, under the account's lock, so
 * what was read holds. A lot only ever shrinks; what comes back is a new lot with the old one's
 * end. */
#include "services/payment/points.h"

#include <assert.h>

#include "services/payment/points.sql.h"

enum { ROUND = 64 }; /* lots that are looked at in one go */

/* --- One entry --- */

struct delta {
    enum points_kind kind;
    int64_t available;
    int64_t reserved;
    int64_t debt;
    int64_t base;
};

/* The entry and its effect on the account. *ret_new false: it has happened before. */
static err post(struct tx *tx, struct call *call, struct points_account *account,
                const struct points_change *change, const struct delta *delta, bool *ret_new)
{
    int64_t inserted = 0;

    assert(account->available + delta->available >= 0 && account->reserved + delta->reserved >= 0 &&
           account->debt + delta->debt >= 0);
    TRY(db_exec_count(tx, &SQL_POINTS_ENTRY_ADD,
                      ARGS(UUID(account->user), I64(delta->kind), UUID(change->source),
                           UUID_OR_NIL(change->order.uuid), I64(delta->available),
                           I64(delta->reserved), I64(delta->debt), I64(delta->base),
                           I64(call->now_ms)),
                      &inserted));
    *ret_new = inserted == 1;
    if (inserted == 0)
        return ERR_OK;
    TRY(db_exec(
        tx, &SQL_POINTS_ACCOUNT_CHANGE,
        ARGS(UUID(account->user), I64(delta->available), I64(delta->reserved), I64(delta->debt))));
    account->available += delta->available;
    account->reserved += delta->reserved;
    account->debt += delta->debt;
    return ERR_OK;
}

/* --- Lots --- */

struct lot {
    struct uuid id;
    int64_t remaining; /* of a part: what has not come back yet */
    struct uuid earned_by;
    int64_t expires_at_ms;
};

static err read_lots(struct tx *tx, struct call *call, const struct sql *sql, struct args args,
                     struct lot *lots, size_t *ret_count)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t count = 0;

    TRY(rows_open(&rows, tx, sql, args, call->arena));
    while (count < ROUND && rows_next(&rows)) {
        struct lot *lot = &lots[count++];

        *lot = (struct lot){.id = row_uuid(&rows, 0), .remaining = row_i64(&rows, 1)};
        if (sql == &SQL_POINTS_LOTS_OVER)
            continue;
        lot->earned_by = row_uuid(&rows, 2);
        lot->expires_at_ms = row_i64(&rows, 3);
    }
    *ret_count = count;
    return rows_close(&rows);
}

static err add_lot(struct tx *tx, struct call *call, const struct points_account *account,
                   struct uuid earned_by, int64_t points, int64_t expires_at_ms)
{
    if (points == 0)
        return ERR_OK;
    return db_exec(tx, &SQL_POINTS_LOT_ADD,
                   ARGS(UUID(call_uuid(call)), UUID(account->user), UUID_OR_NIL(earned_by),
                        I64(points), I64(expires_at_ms)));
}

static err take_from(struct tx *tx, const struct lot *lot, int64_t points, const order_id *parts_of)
{
    int64_t changed = 0;

    TRY(db_exec_count(tx, &SQL_POINTS_LOT_TAKE, ARGS(UUID(lot->id), I64(points)), &changed));
    if (changed != 1)
        return ERR_INTERNAL; /* not what was read under the account's lock */
    if (parts_of == NULL)
        return ERR_OK;
    return db_exec(tx, &SQL_POINTS_PART_ADD,
                   ARGS(UUID(parts_of->uuid), UUID(lot->id), UUID_OR_NIL(lot->earned_by),
                        I64(points), I64(lot->expires_at_ms)));
}

static int64_t at_most(int64_t number, int64_t most)
{
    return number < most ? number : most;
}

/* Lots or parts one after the other, some read at a time. */
struct walk {
    struct lot *lots;
    size_t count;
    size_t next;
};

/* Makes walk->lots[walk->next] be there: the caller knows that there is one. */
static err walk_on(struct tx *tx, struct call *call, const struct sql *sql, struct args args,
                   struct walk *walk)
{
    if (walk->next < walk->count)
        return ERR_OK;
    if (walk->lots == NULL)
        walk->lots = arena_new_array(call->arena, struct lot, ROUND);
    TRY(read_lots(tx, call, sql, args, walk->lots, &walk->count));
    walk->next = 0;
    return walk->count > 0 ? ERR_OK : ERR_INTERNAL;
}

/* Takes `points`, which are there, out of the account's lots: those of the order `first`, then
 * what ends first. `parts_of`: the redemption that they are kept for; NULL: none. */
static err take(struct tx *tx, struct call *call, const struct points_account *account,
                struct uuid first, int64_t points, const order_id *parts_of)
{
    const struct args args = ARGS(UUID(account->user), UUID_OR_NIL(first), I64(ROUND));
    struct walk walk = {0};

    for (; points > 0; walk.next++) {
        TRY(walk_on(tx, call, &SQL_POINTS_LOTS, args, &walk));
        const int64_t some = at_most(points, walk.lots[walk.next].remaining);
        TRY(take_from(tx, &walk.lots[walk.next], some, parts_of));
        points -= some;
    }
    return ERR_OK;
}

/* Brings change->points of the order's parts back, each as a new lot; the first `lost` of them pay
 * a debt. */
static err bring_back(struct tx *tx, struct call *call, const struct points_account *account,
                      const struct points_change *change, int64_t lost)
{
    const struct value order = UUID(change->order.uuid);
    const struct args args = ARGS(order, I64(ROUND));
    int64_t points = change->points;
    struct walk walk = {0};

    for (; points > 0; walk.next++) {
        TRY(walk_on(tx, call, &SQL_POINTS_PARTS, args, &walk));
        const struct lot *part = &walk.lots[walk.next];
        const int64_t some = at_most(points, part->remaining);
        const int64_t pays = at_most(some, lost);
        const bool lasts = part->expires_at_ms > change->expires_at_ms;
        TRY(db_exec(tx, &SQL_POINTS_PART_BACK, ARGS(order, UUID(part->id), I64(some))));
        TRY(add_lot(tx, call, account, part->earned_by, some - pays,
                    lasts ? part->expires_at_ms : change->expires_at_ms));
        points -= some;
        lost -= pays;
    }
    return ERR_OK;
}

/* --- Accounts --- */

static err expire_lot(struct tx *tx, struct call *call, struct points_account *account,
                      const struct lot *lot)
{
    const struct points_change change = {.source = lot->id, .points = lot->remaining};
    const struct delta delta = {.kind = POINTS_EXPIRED, .available = -lot->remaining};
    bool is_new = false;

    TRY(post(tx, call, account, &change, &delta, &is_new));
    return is_new ? take_from(tx, lot, lot->remaining, NULL) : ERR_INTERNAL;
}

static err expire_lots(struct tx *tx, struct call *call, struct points_account *account)
{
    struct lot *lots = arena_new_array(call->arena, struct lot, ROUND);
    size_t count = ROUND;

    while (count == ROUND) {
        TRY(read_lots(tx, call, &SQL_POINTS_LOTS_OVER,
                      ARGS(UUID(account->user), I64(call->now_ms), I64(ROUND)), lots, &count));
        for (size_t i = 0; i < count; i++)
            TRY(expire_lot(tx, call, account, &lots[i]));
    }
    return ERR_OK;
}

err points_account_open(struct tx *tx, struct call *call, struct uuid user,
                        struct points_account *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct points_account account = {.user = user};

    assert(tx->writes);
    TRY(db_exec(tx, &SQL_POINTS_ACCOUNT_MAKE, ARGS(UUID(user))));
    TRY(rows_first(&rows, tx, &SQL_POINTS_ACCOUNT_GET, ARGS(UUID(user)), call->arena));
    account.available = row_i64(&rows, 0);
    account.reserved = row_i64(&rows, 1);
    account.debt = row_i64(&rows, 2);
    TRY(rows_close(&rows));
    if (account.available > 0)
        TRY(expire_lots(tx, call, &account));
    *ret = account;
    return ERR_OK;
}

err points_earned_since(struct tx *tx, struct uuid user, int64_t since_ms, int64_t *ret)
{
    return db_get_i64(tx, &SQL_POINTS_EARNED_SINCE, ARGS(UUID(user), I64(since_ms)), ret);
}

/* --- Changes --- */

static int64_t debt_paid_by(const struct points_account *account, int64_t points)
{
    return at_most(account->debt, points);
}

err points_earn(struct tx *tx, struct call *call, struct points_account *account,
                const struct points_change *change)
{
    const int64_t pays = debt_paid_by(account, change->points);
    const struct delta delta = {.kind = POINTS_EARNED,
                                .available = change->points - pays,
                                .debt = -pays,
                                .base = change->base};
    bool is_new = false;

    assert(change->points > 0);
    TRY(post(tx, call, account, change, &delta, &is_new));
    if (!is_new)
        return ERR_OK;
    return add_lot(tx, call, account, change->order.uuid, change->points - pays,
                   change->expires_at_ms);
}

err points_take_back(struct tx *tx, struct call *call, struct points_account *account,
                     const struct points_change *change)
{
    const int64_t there = at_most(account->available, change->points);
    const struct delta delta = {.kind = POINTS_TAKEN_BACK,
                                .available = -there,
                                .debt = change->points - there,
                                .base = -change->base};
    bool is_new = false;

    assert(change->points > 0);
    TRY(post(tx, call, account, change, &delta, &is_new));
    return is_new ? take(tx, call, account, change->order.uuid, there, NULL) : ERR_OK;
}

err points_reserve(struct tx *tx, struct call *call, struct points_account *account,
                   const struct points_change *change)
{
    const struct delta delta = {
        .kind = POINTS_RESERVED, .available = -change->points, .reserved = change->points};
    bool is_new = false;

    assert(change->points > 0);
    if (account->available < change->points)
        return ERR_INSUFFICIENT_POINTS;
    TRY(post(tx, call, account, change, &delta, &is_new));
    return is_new ? take(tx, call, account, (struct uuid){0}, change->points, &change->order)
                  : ERR_OK;
}

err points_release(struct tx *tx, struct call *call, struct points_account *account,
                   const struct points_change *change)
{
    const int64_t pays = debt_paid_by(account, change->points);
    const struct delta delta = {.kind = POINTS_RELEASED,
                                .available = change->points - pays,
                                .reserved = -change->points,
                                .debt = -pays};
    bool is_new = false;

    TRY(post(tx, call, account, change, &delta, &is_new));
    return is_new ? bring_back(tx, call, account, change, pays) : ERR_OK;
}

err points_commit(struct tx *tx, struct call *call, struct points_account *account,
                  const struct points_change *change)
{
    const struct delta delta = {.kind = POINTS_REDEEMED, .reserved = -change->points};
    bool is_new = false;

    return post(tx, call, account, change, &delta, &is_new);
}

err points_return(struct tx *tx, struct call *call, struct points_account *account,
                  const struct points_change *change)
{
    const int64_t pays = debt_paid_by(account, change->points);
    const struct delta delta = {
        .kind = POINTS_RETURNED, .available = change->points - pays, .debt = -pays};
    bool is_new = false;

    assert(change->points > 0);
    TRY(post(tx, call, account, change, &delta, &is_new));
    return is_new ? bring_back(tx, call, account, change, pays) : ERR_OK;
}

/* --- Chore --- */

static err find_first(struct call *call, struct uuid *ret_user, int64_t *ret_at_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_POINTS_LOT_FIRST, NO_ARGS, call->arena));
    *ret_user = row_uuid(&rows, 0);
    *ret_at_ms = row_i64(&rows, 1);
    return rows_close(&rows);
}

static err expire_of(struct call *call, struct uuid user)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct points_account account = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(points_account_open(&tx, call, user, &account));
    return tx_commit(&tx);
}

err points_expire(struct call *call, int64_t *ret_next_ms)
{
    enum { LOOK_AGAIN_MS = 3600 * 1000 }; /* at the latest; nobody waits for it */
    struct uuid user = {0};
    int64_t first_ms = 0;

    *ret_next_ms = call->now_ms + LOOK_AGAIN_MS;
    while (!chores_stopping(call->self)) {
        const err e = find_first(call, &user, &first_ms);

        if (e == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(e);
        if (first_ms > call->now_ms) {
            *ret_next_ms = first_ms < *ret_next_ms ? first_ms : *ret_next_ms;
            return ERR_OK;
        }
        TRY(expire_of(call, user));
        call_next(call);
    }
    return ERR_OK;
}
