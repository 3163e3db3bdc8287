/* payment/ledger_random_test.c - random operations on the ledger, held against a model that reckons in
 * another way.
 *
 * The model keeps three numbers a vendor and currency - what he was paid by card, by hand, what was
 * given back of it - and what each payment and refund is at the moment. From those it says what each
 * account must hold, without knowing of entries. */
#include "services/payment/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "services/payment/ledger_seal.h"
#include "services/payment/posting.h"
#include "services/payment/sale.h"
#include "services/payment/till_fixture.h"
#include "support/test.h"

enum { VENDORS = 8, CURRENCIES = 3, OPEN_MAX = 512, LINES_MAX = 3 };

static const char *const currencies[CURRENCIES] = {"EGP", "JPY", "KWD"};

enum refund_step { NO_REFUND, OWED, PAID, RELEASED };
enum dispute_step { NO_DISPUTE, WITHDRAWN, DECIDED };
struct payment_made {
    struct attempt attempt;
    bool by_hand;
    struct booking_money_line lines[LINES_MAX];
    size_t line_count;
    struct booking_money_line back; /* of the refund */
    refund_id refund;
    enum refund_step refund_step;
    enum dispute_step dispute_step;
    bool fee_known;
};

/* What the accounts must hold, debit positive. */
struct model {
    int64_t accounts[ACCOUNTS][VENDORS][CURRENCIES];
    int64_t gross[VENDORS][CURRENCIES];
    int64_t refunds[VENDORS][CURRENCIES];
    int64_t fees[VENDORS][CURRENCIES];
    int64_t sold[VENDORS][CURRENCIES];
    int64_t refunded[VENDORS][CURRENCIES];
};
struct random {
    struct rng_seeded rng;
    struct model model;
    struct payment_made
        made[OPEN_MAX]; /* the oldest are overwritten: nothing happens to them any more */
    size_t count;
    struct call *call;
    struct tx *tx;
};

static int64_t below(struct random *random, int64_t bound)
{
    return (int64_t)rng_below(&random->rng.rng, (uint64_t)bound);
}

static int vendor_of(const struct payment_made *made)
{
    return made->attempt.vendor.bytes[15];
}

static int currency_of(const struct payment_made *made)
{
    int at = 0;

    while (at < CURRENCIES - 1 && strcmp(currencies[at], made->attempt.amount.currency.code) != 0)
        at++;
    return at;
}

static int64_t *cell(struct random *random, const struct payment_made *made,
                     enum ledger_account account)
{
    return &random->model.accounts[account][vendor_of(made)][currency_of(made)];
}

/* A line is sold (sign 1) or given back (-1). */
static void count_line(struct random *random, const struct payment_made *made,
                       const struct booking_money_line *line, int64_t sign)
{
    struct model *model = &random->model;
    const int v = vendor_of(made);
    const int c = currency_of(made);
    const int64_t value = line->face_minor - line->discount_minor;

    *cell(random, made, made->by_hand ? ACCOUNT_VENDOR_RECEIVABLE : ACCOUNT_VENDOR_PAYABLE) +=
        sign * (made->by_hand ? line->vendor_fee_minor + line->buyer_fee_minor + line->tax_minor
                              : line->vendor_fee_minor - value);
    *cell(random, made, ACCOUNT_PLATFORM_FEE) -=
        sign * (line->vendor_fee_minor + line->buyer_fee_minor);
    *cell(random, made, ACCOUNT_TAX_PAYABLE) -= sign * line->tax_minor;
    model->fees[v][c] += sign * line->vendor_fee_minor;
}

static int64_t total_of(const struct booking_money_line *lines, size_t count)
{
    int64_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += lines[i].face_minor - lines[i].discount_minor + lines[i].buyer_fee_minor +
                 lines[i].tax_minor;
    return total;
}

struct ledger_random {
    uint64_t seed; /* printed, so that it can be run again */
    int64_t operations;
    int each; /* operations in one commit */
};

/* --- Operations --- */

static err pay(struct random *random)
{
    struct payment_made *made = &random->made[random->count++ % OPEN_MAX];
    const int64_t unknown = below(random, 20) == 0 ? below(random, 100) : 0;

    *made = (struct payment_made){.by_hand = below(random, 4) == 0,
                                  .line_count = 1 + (size_t)below(random, LINES_MAX)};
    for (size_t i = 0; i < made->line_count; i++)
        made->lines[i] = (struct booking_money_line){
            .ticket_type = {.bytes = {[15] = (uint8_t)(1 + below(random, 5))}},
            .quantity = 1 + below(random, 9),
            .face_minor = 1000 + below(random, 1000000),
            .discount_minor = below(random, 1000),
            .buyer_fee_minor = below(random, 300),
            .vendor_fee_minor = below(random, 900),
            .tax_minor = below(random, 2000),
        };
    made->attempt = (struct attempt){
        .id = {call_uuid(random->call)},
        .event = {.bytes = {1, [15] = (uint8_t)below(random, 20)}},
        .vendor = {.bytes = {2, [15] = (uint8_t)below(random, VENDORS)}},
        .method = made->by_hand ? STR("cash_on_arrival") : STR("card"),
        .provider = made->by_hand ? STR_ABSENT : STR("sandbox"),
        .amount = {.minor = total_of(made->lines, made->line_count) + unknown},
    };
    (void)currency_parse(str_of(currencies[below(random, CURRENCIES)]),
                         &made->attempt.amount.currency);
    const struct sale sale = {STR("UTC"), made->lines, made->line_count};
    TRY(sale_keep(random->tx, made->attempt.id, &sale));
    TRY(posting_paid(random->tx, random->call, &made->attempt));
    for (size_t i = 0; i < made->line_count; i++) {
        const struct booking_money_line *line = &made->lines[i];

        count_line(random, made, line, 1);
        random->model.gross[vendor_of(made)][currency_of(made)] +=
            line->face_minor - line->discount_minor;
        random->model.sold[vendor_of(made)][currency_of(made)] += line->quantity;
    }
    if (!made->by_hand) {
        *cell(random, made, ACCOUNT_PSP_CLEARING) += made->attempt.amount.minor;
        *cell(random, made, ACCOUNT_SUSPENSE) -= unknown;
    }
    return ERR_OK;
}

static void count_back(struct random *random, const struct payment_made *made, int64_t sign)
{
    const int v = vendor_of(made);
    const int c = currency_of(made);

    count_line(random, made, &made->back, -sign);
    random->model.refunds[v][c] += sign * (made->back.face_minor - made->back.discount_minor);
    random->model.refunded[v][c] += sign * made->back.quantity;
    if (!made->by_hand)
        *cell(random, made, ACCOUNT_REFUND_PAYABLE) -= sign * total_of(&made->back, 1);
}

static void count_paid_back(struct random *random, const struct payment_made *made, int64_t sign)
{
    *cell(random, made, ACCOUNT_REFUND_PAYABLE) += sign * total_of(&made->back, 1);
    *cell(random, made, ACCOUNT_PSP_CLEARING) -= sign * total_of(&made->back, 1);
}

static err owe(struct random *random, struct payment_made *made)
{
    made->refund = (refund_id){call_uuid(random->call)};
    made->back = made->lines[0];
    made->refund_step = OWED;
    const struct posting_refund refund = {made->refund, total_of(&made->back, 1), &made->back, 1};
    count_back(random, made, 1);
    return posting_refund_owed(random->tx, random->call, &made->attempt, &refund);
}

static err release(struct random *random, struct payment_made *made)
{
    made->refund_step = RELEASED;
    count_back(random, made, -1);
    return posting_refund_released(random->tx, random->call, made->refund, made->attempt.id);
}

/* The next thing that may happen to a refund. */
static err move_refund(struct random *random, struct payment_made *made)
{
    switch (made->refund_step) {
    case NO_REFUND:
        return owe(random, made);
    case OWED:
        if (made->by_hand || below(random, 4) == 0)
            return release(random, made);
        made->refund_step = PAID;
        count_paid_back(random, made, 1);
        return posting_refund_paid(random->tx, random->call, made->refund, made->attempt.id);
    case PAID:
        count_paid_back(random, made, -1);
        TRY(posting_refund_returned(random->tx, random->call, made->refund, made->attempt.id));
        return release(random, made);
    case RELEASED:
        break;
    }
    made->refund_step = OWED;
    count_back(random, made, 1);
    return posting_refund_revived(random->tx, random->call, made->refund, made->attempt.id);
}

static err move_dispute(struct random *random, struct payment_made *made)
{
    const int64_t amount = made->attempt.amount.minor;
    struct uuid dispute = made->attempt.id.uuid;

    if (made->by_hand || made->dispute_step == DECIDED)
        return ERR_OK;
    if (made->dispute_step == NO_DISPUTE) {
        made->dispute_step = WITHDRAWN;
        *cell(random, made, ACCOUNT_DISPUTE_RECEIVABLE) += amount;
        *cell(random, made, ACCOUNT_PSP_CLEARING) -= amount;
        return posting_dispute(random->tx, random->call, &made->attempt, dispute,
                               LEDGER_DISPUTE_WITHDRAWN, amount);
    }
    const bool lost = below(random, 2) == 0;
    made->dispute_step = DECIDED;
    *cell(random, made, ACCOUNT_DISPUTE_RECEIVABLE) -= amount;
    *cell(random, made, lost ? ACCOUNT_VENDOR_PAYABLE : ACCOUNT_PSP_CLEARING) += amount;
    random->model.refunds[vendor_of(made)][currency_of(made)] += lost ? amount : 0;
    return posting_dispute(random->tx, random->call, &made->attempt, dispute,
                           lost ? LEDGER_DISPUTE_LOST : LEDGER_DISPUTE_WON, amount);
}

static err take_fee(struct random *random, struct payment_made *made)
{
    const int64_t fee = 1 + below(random, 50);

    if (made->by_hand || made->fee_known)
        return ERR_OK;
    made->fee_known = true;
    *cell(random, made, ACCOUNT_PSP_FEE) += fee;
    *cell(random, made, ACCOUNT_PSP_CLEARING) -= fee;
    return posting_psp_fee(random->tx, random->call, &made->attempt, fee);
}

static err operate(struct random *random)
{
    const int64_t what = below(random, 10);
    const size_t open = random->count < OPEN_MAX ? random->count : OPEN_MAX;

    if (what < 4 || open == 0)
        return pay(random);
    struct payment_made *made = &random->made[below(random, (int64_t)open)];
    return what < 8   ? move_refund(random, made)
           : what < 9 ? move_dispute(random, made)
                      : take_fee(random, made);
}

/* --- Running, and what must be in the end --- */

static void operate_some(struct office *office, struct random *random, int count)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t sealed = 0;

    office_call(office, "payment", &call);
    random->call = &call;
    random->tx = &tx;
    CHECK_OK(tx_begin(&tx, call_db(&call)));
    for (int i = 0; i < count; i++)
        CHECK_OK(operate(random));
    CHECK_OK(tx_commit(&tx));
    if (below(random, 8) == 0)
        CHECK_OK(ledger_seal_some(&call, SEAL_BATCH, &sealed));
}

static void seal_all(struct office *office)
{
    int64_t count = 1;

    while (count > 0) {
        CLEANUP(call_done) struct call call = {0};

        office_call(office, "payment", &call);
        CHECK_OK(ledger_seal_some(&call, SEAL_BATCH, &count));
    }
}

static int64_t ask(struct office *office, const char *sum, const char *table, int vendor,
                   int currency)
{
    const char *where =
        vendor < 0
            ? ""
            : arena_printf(office->arena, " AND vendor_id = x'020000000000000000000000000000%02x'",
                           (unsigned)vendor)
                  .ptr;

    return office_i64(office, "payment",
                      arena_printf(office->arena,
                                   "SELECT coalesce(sum(%s), 0) FROM %s AND currency = '%s'%s", sum,
                                   table, currencies[currency], where)
                          .ptr);
}

static void check_accounts(struct office *office, const struct model *model, int currency)
{
    int64_t zero = 0;

    for (int account = 1; account < ACCOUNTS; account++) {
        const char *table =
            arena_printf(office->arena, "ledger_balance WHERE account = %d", account).ptr;
        const bool each = ledger_is_of_vendor((enum ledger_account)account);
        int64_t all = 0;

        for (int v = 0; v < VENDORS; v++) {
            all += model->accounts[account][v][currency];
            if (each)
                CHECK_I64(model->accounts[account][v][currency],
                          ask(office, "balance_minor", table, v, currency));
        }
        CHECK_I64(all, ask(office, "balance_minor", table, -1, currency));
        zero += all;
    }
    CHECK_I64(0, zero);
}

static void check_sales(struct office *office, const struct model *model, int currency)
{
    for (int v = 0; v < VENDORS; v++) {
        const char *table = "sales_day WHERE day > 0";

        CHECK_I64(model->gross[v][currency], ask(office, "gross_minor", table, v, currency));
        CHECK_I64(model->refunds[v][currency], ask(office, "refunds_minor", table, v, currency));
        CHECK_I64(model->fees[v][currency], ask(office, "fees_minor", table, v, currency));
        CHECK_I64(model->sold[v][currency], ask(office, "sold", table, v, currency));
        CHECK_I64(model->refunded[v][currency], ask(office, "refunded", table, v, currency));
    }
}

static void check_ledger(struct office *office)
{
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;

    office_call(office, "payment", &call);
    const err e = payment_audit_ledger(&call, &found);
    if (e != ERR_OK)
        print_error("audit: %.*s\n", STR_ARG(found));
    CHECK_OK(e);
}

/* Payments, by card and by hand, of one to three lines; refunds that are owed, paid, come back, are given
 * up and taken up again; fees; disputes. Some of it is chained now and then. In the end the balances of
 * all accounts and the sales of all vendors are those of the model, the sums of each currency are 0, and
 * the ledger's audit finds nothing. The test fails if anything of it is not so. */
static void ledger_random_run(struct office *office, const struct ledger_random *run)
{
    struct random *random = arena_new(office->arena, struct random);

    print_message("# %" PRId64 " random operations, seed %" PRIu64 "\n", run->operations,
                  run->seed);
    rng_seeded_init(&random->rng, run->seed);
    for (int64_t done = 0; done < run->operations; done += run->each)
        operate_some(office, random, run->each);
    check_ledger(office); /* while some of it waits */
    seal_all(office);
    check_ledger(office);
    for (int currency = 0; currency < CURRENCIES; currency++) {
        check_accounts(office, &random->model, currency);
        check_sales(office, &random->model, currency);
    }
}

TEST(random_operations_leave_what_a_model_says)
{
    CLEANUP(office_close) struct office office;
    const struct ledger_random run = {
        .seed = (uint64_t)clock_now_ms(clock_system()), .operations = 4000, .each = 20};

    till_open(&office);
    ledger_random_run(&office, &run);
}
