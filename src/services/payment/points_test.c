/* payment/points_test.c - the ledger of points against a model that knows nothing of databases:
 * random changes, each made once, twice or when it cannot be made, and time that passes. */
#include "services/payment/points.h"

#include "services/payment/pay_fixture.h"
#include "services/payment/points_earn.h"
#include "services/payment/points_redeem.h"
#include "support/test.h"

enum {
    USERS = 3,
    LOTS_MAX = 2000,
    ORDERS_MAX = 2000,
    PARTS_MAX = 200,
    STEPS = 1000,
    LIFE_S = 150,
    GRACE_S = 20
};

/* --- The model --- */

struct model_lot {
    int64_t points;
    int64_t expires_at_ms;
    int earned_by; /* index of an order */
    int64_t order; /* of making: among equals the older goes first */
};
enum model_state { MODEL_EARNED, MODEL_RESERVED, MODEL_REDEEMED, MODEL_OVER };
struct model_order {
    int user;
    enum model_state state;
    order_id id;
    int64_t points; /* earned and not taken back, or redeemed and not returned */
    int64_t paid_minor;
    int64_t refunded_minor;
    struct model_lot parts[PARTS_MAX];
    size_t part_count;
};
struct model {
    struct model_lot lots[USERS][LOTS_MAX];
    size_t lot_count[USERS];
    int64_t reserved[USERS];
    int64_t debt[USERS];
    struct model_order orders[ORDERS_MAX];
    size_t order_count;
    int64_t made;
};

static int64_t model_available(const struct model *model, int user)
{
    int64_t sum = 0;

    for (size_t i = 0; i < model->lot_count[user]; i++)
        sum += model->lots[user][i].points;
    return sum;
}

static void model_expire(struct model *model, int user, int64_t now_ms)
{
    for (size_t i = 0; i < model->lot_count[user]; i++)
        if (model->lots[user][i].expires_at_ms <= now_ms)
            model->lots[user][i].points = 0;
}

static void model_add(struct model *model, int user, struct model_lot lot)
{
    const int64_t pays = lot.points < model->debt[user] ? lot.points : model->debt[user];

    model->debt[user] -= pays;
    lot.points -= pays;
    lot.order = model->made++;
    if (lot.points == 0)
        return;
    CHECK(model->lot_count[user] < LOTS_MAX);
    model->lots[user][model->lot_count[user]++] = lot;
}

/* The lot that is spent next; `first`: those of this order come before all. */
static struct model_lot *model_next(struct model *model, int user, int first)
{
    struct model_lot *best = NULL;

    for (size_t i = 0; i < model->lot_count[user]; i++) {
        struct model_lot *lot = &model->lots[user][i];
        const bool is_first = lot->earned_by == first;

        if (lot->points == 0)
            continue;
        if (best == NULL || (is_first && best->earned_by != first)) {
            best = lot;
            continue;
        }
        if (!is_first && best->earned_by == first)
            continue;
        if (lot->expires_at_ms < best->expires_at_ms ||
            (lot->expires_at_ms == best->expires_at_ms && lot->order < best->order))
            best = lot;
    }
    return best;
}

static void model_take(struct model *model, int user, int first, int64_t points,
                       struct model_order *parts_of)
{
    while (points > 0) {
        struct model_lot *lot = model_next(model, user, first);
        const int64_t some = lot->points < points ? lot->points : points;

        if (parts_of != NULL) {
            CHECK(parts_of->part_count < PARTS_MAX);
            parts_of->parts[parts_of->part_count] = *lot;
            parts_of->parts[parts_of->part_count++].points = some;
        }
        lot->points -= some;
        points -= some;
    }
}

/* What lasts longest comes back first. */
static void model_back(struct model *model, struct model_order *order, int64_t points,
                       int64_t until_ms)
{
    while (points > 0) {
        struct model_lot *best = NULL;

        for (size_t i = 0; i < order->part_count; i++)
            if (order->parts[i].points > 0 &&
                (best == NULL || order->parts[i].expires_at_ms > best->expires_at_ms))
                best = &order->parts[i];
        struct model_lot back = *best;
        back.points = back.points < points ? back.points : points;
        best->points -= back.points;
        points -= back.points;
        if (back.expires_at_ms < until_ms)
            back.expires_at_ms = until_ms;
        model_add(model, order->user, back);
    }
}

/* --- One random change, made of both --- */

struct lab {
    struct office *office;
    struct rng *rng;
    struct model *model;
};

/* What one change needs to know. */
struct change {
    struct lab *lab;
    struct model_order *order;
    struct uuid source;
    int64_t minor; /* of the order: paid, or given back in all */
    int64_t points;
};
typedef err (*change_fn)(struct tx *tx, struct call *call, const struct change *change);

/* Once or twice, for the second time must not count. */
static void apply(const struct change *change, change_fn run)
{
    for (uint64_t i = 0; i <= rng_below(change->lab->rng, 2); i++) {
        CLEANUP(call_done) struct call call = {0};
        CLEANUP(tx_rollback) struct tx tx = {0};

        office_call(change->lab->office, "payment", &call);
        CHECK_OK(tx_begin(&tx, call_db(&call)));
        CHECK_OK(run(&tx, &call, change));
        CHECK_OK(tx_commit(&tx));
    }
}

static struct uuid new_id(struct lab *lab)
{
    return uuid_new(lab->rng, clock_now_ms(&lab->office->clock.clock));
}

static struct model_order *new_order(struct lab *lab, int user, enum model_state state)
{
    CHECK(lab->model->order_count < ORDERS_MAX);
    struct model_order *order = &lab->model->orders[lab->model->order_count++];
    *order = (struct model_order){.user = user, .state = state, .id = {new_id(lab)}};
    return order;
}

static err run_paid(struct tx *tx, struct call *call, const struct change *change)
{
    const struct points_order order = {
        .order = change->order->id,
        .user = office_user(change->order->user),
        .paid = {change->minor, {"EGP"}},
        .face_minor = change->minor,
        .at_ms = call->now_ms,
        .until_ms = POINTS_NEVER_MS,
    };

    return points_earn_paid(tx, call, &order);
}

static void earn(struct lab *lab, int user, int64_t now_ms)
{
    struct model_order *order = new_order(lab, user, MODEL_EARNED);

    order->paid_minor = (int64_t)rng_below(lab->rng, 5000);
    order->points = order->paid_minor / 100;
    apply(&(struct change){lab, order, {{0}}, order->paid_minor, 0}, run_paid);
    model_add(lab->model, user,
              (struct model_lot){.points = order->points,
                                 .expires_at_ms = now_ms + LIFE_S * 1000,
                                 .earned_by = (int)(order - lab->model->orders)});
}

static err run_refunded(struct tx *tx, struct call *call, const struct change *change)
{
    return points_earn_refunded(tx, call, change->order->id, (refund_id){change->source},
                                change->minor);
}

static void take_back(struct lab *lab, struct model_order *order)
{
    const int64_t left_minor = order->paid_minor - order->refunded_minor;
    const int64_t available = model_available(lab->model, order->user);

    if (left_minor == 0)
        return;
    order->refunded_minor += 1 + (int64_t)rng_below(lab->rng, (uint64_t)left_minor);
    apply(&(struct change){lab, order, new_id(lab), order->refunded_minor, 0}, run_refunded);
    const int64_t points = order->points - (order->paid_minor - order->refunded_minor) / 100;
    const int64_t there = available < points ? available : points;
    model_take(lab->model, order->user, (int)(order - lab->model->orders), there, NULL);
    lab->model->debt[order->user] += points - there;
    order->points -= points;
}

static err ask_reserve(struct lab *lab, const struct model_order *order, int64_t points)
{
    CLEANUP(call_done) struct call call = {0};
    struct payment_points_reserved reserved = {0};

    office_call(lab->office, "payment", &call);
    const struct payment_points_reserve in = {
        .order = order->id,
        .user = office_user(order->user),
        .kind = REDEEM_DISCOUNT,
        .points = points,
        .price = {points + (int64_t)rng_below(lab->rng, 100), {"EGP"}},
        .expires_at_ms = call.now_ms + INT64_C(1000000000),
    };
    const err e = payment_points_reserve(&call, &in, &reserved);
    if (e == ERR_OK)
        CHECK_I64(points, reserved.points);
    return e;
}

static void reserve(struct lab *lab, int user)
{
    const int64_t available = model_available(lab->model, user);
    const int64_t points = 1 + (int64_t)rng_below(lab->rng, (uint64_t)available + 10);
    struct model_order *order = new_order(lab, user, MODEL_RESERVED);

    order->points = points;
    for (uint64_t i = 0; i <= rng_below(lab->rng, 2); i++)
        CHECK_ERR(points <= available ? ERR_OK : ERR_INSUFFICIENT_POINTS,
                  ask_reserve(lab, order, points));
    if (points > available) {
        order->state = MODEL_OVER;
        return;
    }
    model_take(lab->model, user, -1, points, order);
    lab->model->reserved[user] += points;
}

static err run_commit(struct tx *tx, struct call *call, const struct change *change)
{
    return points_redeem_commit(tx, call, change->order->id);
}

static err run_release(struct tx *tx, struct call *call, const struct change *change)
{
    int64_t points = 0;

    return points_redeem_release(tx, call, change->order->id, &points);
}

static void end_reserved(struct lab *lab, struct model_order *order)
{
    const bool commits = rng_below(lab->rng, 2) == 0;

    apply(&(struct change){lab, order, {{0}}, 0, 0}, commits ? run_commit : run_release);
    lab->model->reserved[order->user] -= order->points;
    order->state = commits ? MODEL_REDEEMED : MODEL_OVER;
    if (!commits)
        model_back(lab->model, order, order->points, 0);
}

static err run_keep(struct tx *tx, struct call *call, const struct change *change)
{
    return points_redeem_keep(tx, call, change->order->id, change->source, change->points);
}

static void give_back(struct lab *lab, struct model_order *order, int64_t now_ms)
{
    const int64_t points = 1 + (int64_t)rng_below(lab->rng, (uint64_t)order->points);

    order->points -= points;
    apply(&(struct change){lab, order, new_id(lab), 0, order->points}, run_keep);
    model_back(lab->model, order, points, now_ms + GRACE_S * 1000);
    if (order->points == 0)
        order->state = MODEL_OVER;
}

static void step(struct lab *lab)
{
    const int64_t now_ms = clock_now_ms(&lab->office->clock.clock);
    struct model *model = lab->model;
    const int user = (int)rng_below(lab->rng, USERS);

    for (int i = 0; i < USERS; i++)
        model_expire(model, i, now_ms);
    switch (rng_below(lab->rng, 5)) {
    case 0:
        earn(lab, user, now_ms);
        return;
    case 1:
        reserve(lab, user);
        return;
    case 2:
        clock_manual_advance(&lab->office->clock, (int64_t)rng_below(lab->rng, 20000));
        return;
    default:
        break;
    }
    if (model->order_count == 0)
        return;
    struct model_order *order = &model->orders[rng_below(lab->rng, model->order_count)];
    if (order->state == MODEL_EARNED)
        take_back(lab, order);
    else if (order->state == MODEL_RESERVED)
        end_reserved(lab, order);
    else if (order->state == MODEL_REDEEMED)
        give_back(lab, order, now_ms);
}

/* --- Both agree --- */

static void check_user(struct lab *lab, int user)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct points_account account = {0};

    model_expire(lab->model, user, clock_now_ms(&lab->office->clock.clock));
    office_call(lab->office, "payment", &call);
    CHECK_OK(tx_begin(&tx, call_db(&call)));
    CHECK_OK(points_account_open(&tx, &call, office_user(user), &account));
    CHECK_OK(tx_commit(&tx));
    CHECK_I64(model_available(lab->model, user), account.available);
    CHECK_I64(lab->model->reserved[user], account.reserved);
    CHECK_I64(lab->model->debt[user], account.debt);
}

static void check_agree(struct lab *lab)
{
    for (int user = 0; user < USERS; user++)
        check_user(lab, user);
    sale_check_audit(lab->office);
}

/* One tier, so that the model needs none; points that end within the test. */
static const char *const lab_settings[] = {"points.tiers=one 0 100", "points.life_s=150",
                                           "points.grace_s=20", NULL};

TEST(points_are_what_a_model_says_whatever_happens)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        CLEANUP(office_close) struct office office;
        struct rng_seeded rng;
        struct lab lab = {.office = &office, .rng = &rng.rng};

        sale_open_with(&office, lab_settings);
        rng_seeded_init(&rng, seed);
        lab.model = arena_new(office.arena, struct model);
        for (int i = 1; i <= STEPS; i++) {
            step(&lab);
            if (i % 50 == 0)
                check_agree(&lab);
        }
        CHECK(lab.model->order_count > 100);
        CHECK(office_i64(&office, "payment", "SELECT count(*) FROM points_entry WHERE kind = 6") >
              10);
        CHECK(office_i64(&office, "payment", "SELECT count(*) FROM points_entry WHERE debt < 0") >
              0);
    }
}
