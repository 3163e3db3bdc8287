/* payment/ledger_test.c - the ledger refuses what does not balance and what would change it, takes
 * each event of business once, and its audit finds each kind of tampering. */
#include "services/payment/ledger.h"

#include <stdio.h>
#include <string.h>

#include "services/payment/ledger_seal.h"
#include "services/payment/posting.h"
#include "services/payment/refund.h"
#include "services/payment/sale.h"
#include "services/payment/till_fixture.h"
#include "support/test.h"
#include "support/test_database.h"

#define VENDOR_OF(n) ((struct uuid){{(n)}})

/* --- Rules --- */

static int64_t sum_of(const struct ledger_transaction *transaction, enum ledger_account account)
{
    int64_t sum = 0;

    for (size_t i = 0; i < transaction->count; i++)
        if (transaction->entries[i].account == account)
            sum += transaction->entries[i].amount_minor;
    return sum;
}

/* Two VIP tickets of 50.00, 10.00 off, 3.00 the buyer's fee, 4.50 the vendor's, 9.00 tax. */
static const struct booking_money_line lines[] = {
    {.ticket_type = {{1}},
     .quantity = 2,
     .face_minor = 10000,
     .discount_minor = 1000,
     .buyer_fee_minor = 300,
     .vendor_fee_minor = 450,
     .tax_minor = 900},
    {.ticket_type = {{2}}, .quantity = 1, .face_minor = 2000   },
};

TEST(what_is_paid_and_given_back_is_split_and_balances)
{
    static const struct {
        int64_t amount;
        bool by_hand;
        bool back;
        int64_t expected[ACCOUNTS];
    } cases[] = {
        {12200,
         false, false,
         {[ACCOUNT_PSP_CLEARING] = 12200,
          [ACCOUNT_VENDOR_PAYABLE] = -11000 + 450,
          [ACCOUNT_PLATFORM_FEE] = -750,
          [ACCOUNT_TAX_PAYABLE] = -900}},
        {12200,
         false, true,
         {[ACCOUNT_REFUND_PAYABLE] = -12200,
          [ACCOUNT_VENDOR_PAYABLE] = 11000 - 450,
          [ACCOUNT_PLATFORM_FEE] = 750,
          [ACCOUNT_TAX_PAYABLE] = 900} },
        {12200,
         true,  false,
         {[ACCOUNT_VENDOR_RECEIVABLE] = 450 + 300 + 900,
          [ACCOUNT_PLATFORM_FEE] = -750,
          [ACCOUNT_TAX_PAYABLE] = -900}},
        {12200,
         true,  true,
         {[ACCOUNT_VENDOR_RECEIVABLE] = -450 - 300 - 900,
          [ACCOUNT_PLATFORM_FEE] = 750,
          [ACCOUNT_TAX_PAYABLE] = 900} },
 /* 1.00 more than the lines explain. */
        {12300,
         false, false,
         {[ACCOUNT_PSP_CLEARING] = 12300,
          [ACCOUNT_VENDOR_PAYABLE] = -11000 + 450,
          [ACCOUNT_PLATFORM_FEE] = -750,
          [ACCOUNT_TAX_PAYABLE] = -900,
          [ACCOUNT_SUSPENSE] = -100}   },
    };
    const struct sale sale = {STR("UTC"), lines, 2};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct ledger_transaction made = ledger_begin(arena);
        const struct posting posting = {&sale, cases[i].amount, cases[i].by_hand, cases[i].back};
        int64_t sum = -1;

        posting_make(&posting, &made);
        CHECK(!made.overflow);
        CHECK(ledger_sum(made.entries, made.count, &sum));
        CHECK_I64(0, sum);
        for (int account = 1; account < ACCOUNTS; account++)
            CHECK_I64(cases[i].expected[account], sum_of(&made, (enum ledger_account)account));
        /* The vendor's sales show face value less discount, by ticket type. */
        CHECK_I64(cases[i].back ? PURPOSE_REFUND : PURPOSE_SALE,
                  made.entries[cases[i].by_hand ? 0 : 1].purpose);
        CHECK_I64(2, made.entries[cases[i].by_hand ? 0 : 1].quantity);
    }
}

TEST(amounts_that_do_not_fit_are_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct booking_money_line huge[] = {
        {.quantity = 1, .face_minor = INT64_MAX},
        {.quantity = 1, .face_minor = INT64_MAX},
    };
    const struct sale sale = {STR("UTC"), huge, 2};
    const struct posting posting = {.sale = &sale, .amount_minor = 1};
    struct ledger_transaction made = ledger_begin(arena);
    int64_t total = 0;

    posting_make(&posting, &made);
    CHECK(made.overflow);
    CHECK(!posting_lines_total(huge, 2, &total));
}

/* --- The tables --- */

static int64_t balance(struct office *office, enum ledger_account account)
{
    return till_i64(office,
                    "SELECT coalesce(sum(balance_minor), 0) FROM ledger_balance WHERE account = %d",
                    (int)account);
}

/* Everything that waits is chained. */
static void seal(struct office *office)
{
    CLEANUP(call_done) struct call call = {0};
    int64_t count = 1;

    till_call(office, &call);
    while (count > 0)
        CHECK_OK(ledger_seal_some(&call, 3, &count)); /* batches that end anywhere */
}

static struct ledger_transaction transaction_of(struct call *call, uint8_t source, int64_t debit,
                                                int64_t credit)
{
    struct ledger_transaction transaction = ledger_begin(call->arena);
    const struct ledger_entry entries[] = {
        {.account = ACCOUNT_PSP_CLEARING, .amount_minor = debit},
        { .account = ACCOUNT_VENDOR_PAYABLE,
         .purpose = PURPOSE_SALE,
         .quantity = 1,
         .amount_minor = -credit},
    };

    transaction.source = LEDGER_ATTEMPT;
    transaction.source_id = VENDOR_OF(source);
    transaction.kind = LEDGER_PAID;
    transaction.currency = (struct currency){"EGP"};
    transaction.day = 20261123;
    ledger_add(&transaction, &entries[0]);
    ledger_add(&transaction, &entries[1]);
    return transaction;
}

/* Posts a transaction and commits. */
static err post(struct office *office, uint8_t source, int64_t debit, int64_t credit)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};

    till_call(office, &call);
    struct ledger_transaction transaction = transaction_of(&call, source, debit, credit);
    CHECK_OK(tx_begin(&tx, call_db(&call)));
    TRY(ledger_post(&tx, &call, &transaction));
    return tx_commit(&tx);
}

TEST(nothing_is_posted_that_does_not_balance_nor_anything_twice)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    CHECK_ERR(ERR_INTERNAL, post(&office, 1, 100, 99));
    CHECK_I64(0, till_i64(&office, "SELECT count(*) FROM ledger_entry"));
    CHECK_OK(post(&office, 1, 100, 100));
    CHECK_ERR(ERR_DUPLICATE, post(&office, 1, 100, 100));
    CHECK_OK(post(&office, 2, 100, 100));
    CHECK_I64(2, till_i64(&office, "SELECT count(*) FROM ledger_transaction"));
    CHECK_I64(4, till_i64(&office, "SELECT count(*) FROM ledger_entry"));
}

/* What somebody with a shell, or a bug, might try. */
static const char *const attacks[] = {
    "UPDATE ledger_entry SET amount_minor = amount_minor + 1",
    "UPDATE ledger_transaction SET day = day + 1",
    "UPDATE ledger_seal SET seq = seq + 1000",
    "DELETE FROM ledger_entry",
    "DELETE FROM ledger_transaction",
    "DELETE FROM ledger_seal",
    /* Another entry of a transaction that is closed. */
    "INSERT INTO ledger_entry SELECT transaction_id, 3, 1, 0, ticket_type_id, 0, 5 FROM "
    "ledger_entry WHERE line = 1",
    /* Transactions without entries, or with some that do not balance. */
    "INSERT INTO ledger_transaction SELECT vendor_id, 1, id, 1, 0, vendor_id, event_id, 'EGP', 1, "
    "1, reverses, 1 FROM ledger_transaction",
    "INSERT INTO ledger_transaction SELECT vendor_id, 1, id, 1, 0, vendor_id, event_id, 'EGP', 1, "
    "1, reverses, 0 FROM ledger_transaction",
    "INSERT INTO ledger_entry SELECT vendor_id, 1, 1, 0, vendor_id, 0, 5 FROM ledger_transaction; "
    "INSERT INTO ledger_transaction SELECT vendor_id, 1, id, 1, 0, vendor_id, event_id, 'EGP', 1, "
    "1, reverses, 1 FROM ledger_transaction",
    /* A link that does not follow. */
    "INSERT INTO ledger_seal SELECT seq + 5, ticket_type_id, hash FROM ledger_seal, ledger_entry "
    "WHERE line = 1",
};

TEST(what_stands_in_the_ledger_stays_as_it_is)
{
    CLEANUP(office_close) struct office office;
    int64_t refused = 0;

    till_open(&office);
    CHECK_OK(post(&office, 1, 100, 100));
    seal(&office);
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        const bool is_refused = !office_try(&office, "payment", attacks[i]);

        if (!is_refused)
            print_error("went through: %s\n", attacks[i]);
        refused += is_refused;
    }
    CHECK_I64(sizeof(attacks) / sizeof(attacks[0]), refused);
    CHECK_I64(100,
              till_i64(&office, "SELECT sum(amount_minor) FROM ledger_entry WHERE account = 1"));
}

/* --- What payment posts --- */

static attempt_id attempt_of(struct office *office, order_id order)
{
    CLEANUP(call_done) struct call call = {0};
    struct attempt attempt = {0};

    till_call(office, &call);
    CHECK_OK(attempt_paid_of(&call, order, &attempt));
    return attempt.id;
}

static order_id paid(struct office *office, const char *key)
{
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);

    CHECK_I64(200, till_pay(office, "customer-1", key, order, "tok_visa").status);
    return order;
}

TEST(a_payment_is_posted_when_it_is_captured_and_summed_up_when_it_is_chained)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = paid(&office, "a");
    CHECK_I64(1, till_i64(&office, "SELECT count(*) FROM ledger_transaction"));
    CHECK_I64(1, till_i64(&office, "SELECT count(*) FROM ledger_pending"));
    CHECK_I64(0, balance(&office, ACCOUNT_PSP_CLEARING));
    till_check_audit(&office);
    office_advance(&office, SEAL_EVERY_MS);
    CHECK_I64(0, till_i64(&office, "SELECT count(*) FROM ledger_pending"));
    CHECK_I64(1, till_i64(&office, "SELECT seq FROM ledger_head"));
    CHECK_I64(10000, balance(&office, ACCOUNT_PSP_CLEARING));
    CHECK_I64(-10000, balance(&office, ACCOUNT_VENDOR_PAYABLE));
    CHECK_I64(10000, till_i64(&office, "SELECT sum(gross_minor) FROM sales_day"));
    CHECK(!uuid_is_zero(attempt_of(&office, order).uuid));
    till_check_audit(&office);
}

static void refund(struct office *office, order_id order, refund_id id, int64_t minor, int expected)
{
    CLEANUP(call_done) struct call call = {0};
    struct payment_refunded refunded = {0};
    const struct payment_refund in = {
        .refund = id, .order = order, .amount = {minor, {"EGP"}},
                .reason = STR("test")
    };

    till_call(office, &call);
    CHECK_OK(payment_refund(&call, &in, &refunded));
    CHECK_I64(expected, refunded.status);
}

static refund_id new_refund(struct office *office)
{
    CLEANUP(call_done) struct call call = {0};

    till_call(office, &call);
    return (refund_id){call_uuid(&call)};
}

TEST(a_refund_is_owed_then_paid_and_both_once)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = paid(&office, "a");
    const refund_id id = new_refund(&office);
    refund(&office, order, id, 2500, REFUND_SUCCEEDED);
    refund(&office, order, id, 2500, REFUND_SUCCEEDED);
    seal(&office);
    CHECK_I64(3, till_i64(&office, "SELECT count(*) FROM ledger_transaction"));
    CHECK_I64(7500, balance(&office, ACCOUNT_PSP_CLEARING));
    CHECK_I64(-7500, balance(&office, ACCOUNT_VENDOR_PAYABLE));
    CHECK_I64(0, balance(&office, ACCOUNT_REFUND_PAYABLE));
    CHECK_I64(2500, till_i64(&office, "SELECT sum(refunds_minor) FROM sales_day"));
    till_check_audit(&office);
}

TEST(a_refund_whose_money_comes_back_is_reversed_and_can_be_made_again)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    int status = -1;

    till_open(&office);
    till_call(&office, &call);
    const order_id order = paid(&office, "a");
    const refund_id id = new_refund(&office);
    refund(&office, order, id, 2500, REFUND_SUCCEEDED);
    CHECK_OK(refund_returned(&call, id));
    CHECK_OK(refund_returned(&call, id)); /* told twice */
    /* The sandbox has it again, too. */
    office_exec(&office, "payment",
                "UPDATE sandbox_charge SET refunded_minor = 0; DELETE FROM sandbox_refund");
    seal(&office);
    CHECK_I64(10000, balance(&office, ACCOUNT_PSP_CLEARING));
    CHECK_I64(-10000, balance(&office, ACCOUNT_VENDOR_PAYABLE));
    CHECK_I64(0, till_i64(&office, "SELECT sum(refunds_minor) + sum(refunded) FROM sales_day"));
    CHECK_I64(2, till_i64(&office, "SELECT count(*) FROM ledger_transaction "
                                   "WHERE reverses IS NOT NULL"));
    till_check_audit(&office);
    CHECK_OK(refund_try_again(&call, id, &status));
    CHECK_I64(REFUND_SUCCEEDED, status);
    seal(&office);
    CHECK_I64(7500, balance(&office, ACCOUNT_PSP_CLEARING));
    CHECK_I64(0, balance(&office, ACCOUNT_REFUND_PAYABLE));
    till_check_audit(&office);
}

TEST(a_dispute_takes_the_money_and_ends_one_way_or_the_other)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    static const struct {
        enum ledger_kind kind;
        int64_t clearing;
        int64_t receivable;
        int64_t payable;
    } steps[] = {
        {LEDGER_DISPUTE_WITHDRAWN, 0,     10000, -10000},
        {LEDGER_DISPUTE_WON,       10000, 0,     -10000},
        {LEDGER_DISPUTE_WITHDRAWN, 0,     10000, -10000},
        {LEDGER_DISPUTE_LOST,      0,     0,     0     },
    };
    struct attempt attempt = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_OK(attempt_find(&call, attempt_of(&office, paid(&office, "a")), &attempt));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        CLEANUP(tx_rollback) struct tx tx = {0};
        const struct uuid dispute = VENDOR_OF((uint8_t)(1 + i / 2));

        CHECK_OK(tx_begin(&tx, call_db(&call)));
        CHECK_OK(posting_dispute(&tx, &call, &attempt, dispute, steps[i].kind, 10000));
        CHECK_OK(tx_commit(&tx));
        seal(&office);
        CHECK_I64(steps[i].clearing, balance(&office, ACCOUNT_PSP_CLEARING));
        CHECK_I64(steps[i].receivable, balance(&office, ACCOUNT_DISPUTE_RECEIVABLE));
        CHECK_I64(steps[i].payable, balance(&office, ACCOUNT_VENDOR_PAYABLE));
    }
    CHECK_I64(10000, till_i64(&office, "SELECT sum(refunds_minor) FROM sales_day"));
    till_check_audit(&office);
}

/* What a database from before the ledger holds: everything but that. */
static void forget_ledger(struct office *office)
{
    office_exec(
        office, "payment",
        test_on_postgres()
            ? "SET session_replication_role = replica; DELETE FROM ledger_entry; DELETE FROM "
              "ledger_transaction; DELETE FROM ledger_pending; DELETE FROM payment_sale; "
              "DELETE FROM payment_sale_line"
            : "DROP TRIGGER ledger_entry_no_delete; DROP TRIGGER "
              "ledger_transaction_no_delete; DELETE FROM ledger_entry; DELETE FROM "
              "ledger_transaction; DELETE FROM ledger_pending; DELETE FROM payment_sale; "
              "DELETE FROM payment_sale_line");
    /* As the migration does. */
    office_exec(office, "payment",
                "INSERT INTO ledger_adoption (source_kind, source_id) SELECT 1, id FROM "
                "payment_attempt WHERE state = 10 OR (state = 6 AND provider IS NOT NULL); INSERT "
                "INTO ledger_adoption (source_kind, source_id) SELECT 2, id FROM payment_refund "
                "WHERE status <> 2");
}

TEST(what_was_paid_before_there_was_a_ledger_is_posted_once)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    refund(&office, paid(&office, "a"), new_refund(&office), 2500, REFUND_SUCCEEDED);
    refund(&office, paid(&office, "b"), new_refund(&office), 10000, REFUND_SUCCEEDED);
    (void)paid(&office, "c");
    forget_ledger(&office);
    till_check_audit(&office); /* not posted yet, but known */
    for (int i = 0; i < 2; i++) {
        office_restart(&office);
        office_run_due(&office);
        CHECK_I64(0, till_i64(&office, "SELECT count(*) FROM ledger_adoption"));
        seal(&office);
        CHECK_I64(17500, balance(&office, ACCOUNT_PSP_CLEARING));
        CHECK_I64(-17500, balance(&office, ACCOUNT_VENDOR_PAYABLE));
        CHECK_I64(0, balance(&office, ACCOUNT_SUSPENSE));
        CHECK_I64(30000, till_i64(&office, "SELECT sum(gross_minor) FROM sales_day"));
        CHECK_I64(12500, till_i64(&office, "SELECT sum(refunds_minor) FROM sales_day"));
        CHECK_I64(3, till_i64(&office, "SELECT sum(sold) FROM sales_day"));
        till_check_audit(&office);
    }
}

/* --- The audit --- */

struct tampering {
    const char *sql;
    const char *found;
};
static const struct tampering tamperings[] = {
    {"UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE account = 1",
     "sum up to 1, not 0"                                                                                                  },
    {"UPDATE ledger_entry SET amount_minor = amount_minor * 2",                             "does not fit"                 },
    {"UPDATE ledger_entry SET quantity = quantity + 1",                                     "does not fit"                 },
    {"UPDATE ledger_entry SET ticket_type_id = randomblob(16)",                             "does not fit"                 },
    {"UPDATE ledger_transaction SET day = day + 1",                                         "does not fit"                 },
    {"UPDATE ledger_transaction SET vendor_id = randomblob(16)",                            "does not fit"                 },
    {"UPDATE ledger_transaction SET posted_at_ms = posted_at_ms + 1 WHERE source_kind = 2",
     "does not fit"                                                                                                        },
    {"DELETE FROM ledger_entry WHERE account = 1",                                          "entries, it was written"      },
    {"DELETE FROM ledger_seal WHERE seq = 1",                                               "link 1 of the chain is"       },
    {"DELETE FROM ledger_seal WHERE seq = 3",                                               "its head says 3"              },
    {"UPDATE ledger_seal SET hash = (SELECT hash FROM ledger_head)",                        "does not fit"                 },
    {"UPDATE ledger_head SET hash = (SELECT hash FROM ledger_seal WHERE seq = 1)",
     "differs from its last"                                                                                               },
    {"UPDATE ledger_balance SET balance_minor = balance_minor + 1 WHERE account = 5",
     "vendor_payable"                                                                                                      },
    {"DELETE FROM ledger_balance WHERE account = 1",                                        "psp_clearing in EGP: has no"  },
    {"UPDATE sales_day SET gross_minor = gross_minor - 1",                                  "sales of evt_"                },
    {"UPDATE sales_day SET refunded = refunded + 1",                                        "sales of evt_"                },
    {"DELETE FROM sales_day",                                                               "sales of evt_"                },
    {"UPDATE sales_event SET sold = sold + 1",                                              "differ from those of its days"},
    {"DELETE FROM sales_date",                                                              "by date differ"               },
    {"DELETE FROM ledger_pending",                                                          "is neither chained nor"       },
    {"UPDATE payment_attempt SET amount_minor = 9999; UPDATE sandbox_charge SET amount_minor = "
     "9999",                                                                           "differs from the ledger"      },
    {"UPDATE payment_refund SET status = 0",                                                "differs from the ledger"      },
};

TEST(each_kind_of_tampering_is_found_and_named)
{
    for (size_t i = 0; i < sizeof(tamperings) / sizeof(tamperings[0]); i++) {
        CLEANUP(office_close) struct office office;
        CLEANUP(call_done) struct call call = {0};
        str found = STR_ABSENT;

        till_open(&office);
        refund(&office, paid(&office, "a"), new_refund(&office), 2500, REFUND_SUCCEEDED);
        seal(&office);
        (void)paid(&office, "b"); /* waits */
        till_check_audit(&office);
        office_exec(
            &office, "payment",
            arena_printf(
                office.arena, "%s; %s",
                test_on_postgres()
                    ? "SET session_replication_role = replica"
                    : "DROP TRIGGER ledger_entry_no_update; DROP TRIGGER ledger_entry_no_delete;"
                      "DROP TRIGGER ledger_transaction_no_update;"
                      "DROP TRIGGER ledger_seal_no_update; DROP TRIGGER ledger_seal_no_delete",
                tamperings[i].sql)
                .ptr);
        till_call(&office, &call);
        const err e = payment_audit(&call, &found);
        const bool named =
            memmem(found.ptr, found.size, tamperings[i].found, strlen(tamperings[i].found)) != NULL;
        if (e != ERR_CONFLICT || !named)
            print_error("%s\n  found: %s %.*s\n", tamperings[i].sql, err_name(e), STR_ARG(found));
        CHECK_ERR(ERR_CONFLICT, e);
        CHECK(named);
    }
}
