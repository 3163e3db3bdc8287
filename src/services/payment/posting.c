/* payment/posting.c - turns what happens to payments, refunds and disputes into transactions of the
 * ledger, in the very transaction that makes it happen.
 *
 * What concerns a vendor's sales is an entry for each ticket type; the rest is one entry an account.
 * A refund that ends later goes by the transaction that it began with, so its lines are kept
 * nowhere else. */
#include "services/payment/posting.h"

#include <assert.h>

#include "platform/zone/zone.h"
#include "services/payment/ledger_adopt.h"
#include "services/payment/state.h"

/* --- Rules: no I/O --- */

/* Sums over all lines. */
struct shares {
    int64_t face; /* less discount */
    int64_t buyer_fee;
    int64_t vendor_fee;
    int64_t tax;
    bool overflow;
};

static int64_t plus(int64_t a, int64_t b, bool *overflow)
{
    int64_t sum = 0;

    *overflow |= !minor_add(a, b, &sum);
    return sum;
}

static struct shares share(const struct booking_money_line *lines, size_t count)
{
    struct shares all = {0};

    for (size_t i = 0; i < count; i++) {
        all.face = plus(all.face, lines[i].face_minor, &all.overflow);
        all.face = plus(all.face, -lines[i].discount_minor, &all.overflow);
        all.buyer_fee = plus(all.buyer_fee, lines[i].buyer_fee_minor, &all.overflow);
        all.vendor_fee = plus(all.vendor_fee, lines[i].vendor_fee_minor, &all.overflow);
        all.tax = plus(all.tax, lines[i].tax_minor, &all.overflow);
    }
    return all;
}

bool posting_lines_total(const struct booking_money_line *lines, size_t count, int64_t *ret)
{
    struct shares all = share(lines, count);
    const int64_t total =
        plus(plus(all.face, all.buyer_fee, &all.overflow), all.tax, &all.overflow);

    if (all.overflow)
        return false;
    *ret = total;
    return true;
}

static void add(struct ledger_transaction *to, enum ledger_account account, int64_t amount_minor)
{
    const struct ledger_entry entry = {.account = account, .amount_minor = amount_minor};

    ledger_add(to, &entry);
}

/* What the vendor's sales show of a line; `sign` 1: sold, -1: given back. */
static void add_line(struct ledger_transaction *to, const struct posting *posting,
                     const struct booking_money_line *line, int64_t sign)
{
    const struct ledger_entry value = {
        .account = ACCOUNT_VENDOR_PAYABLE,
        .purpose = posting->back ? PURPOSE_REFUND : PURPOSE_SALE,
        .ticket_type = line->ticket_type,
        .quantity = line->quantity,
        .amount_minor = -sign * (line->face_minor - line->discount_minor),
    };
    const struct ledger_entry fee = {
        .account = posting->by_hand ? ACCOUNT_VENDOR_RECEIVABLE : ACCOUNT_VENDOR_PAYABLE,
        .purpose = PURPOSE_FEE,
        .ticket_type = line->ticket_type,
        .amount_minor = sign * line->vendor_fee_minor,
    };

    ledger_add(to, &value);
    ledger_add(to, &fee);
}

void posting_make(const struct posting *posting, struct ledger_transaction *ret)
{
    const struct sale *sale = posting->sale;
    const int64_t sign = posting->back ? -1 : 1;
    struct shares all = share(sale->lines, sale->line_count);
    const int64_t ours = plus(all.buyer_fee, all.vendor_fee, &all.overflow);
    const int64_t beside = plus(all.buyer_fee, all.tax, &all.overflow);
    const int64_t total = plus(all.face, beside, &all.overflow);
    const int64_t unknown = plus(posting->amount_minor, -total, &all.overflow);

    if (all.overflow) {
        ret->overflow = true;
        return;
    }
    if (!posting->by_hand)
        add(ret, posting->back ? ACCOUNT_REFUND_PAYABLE : ACCOUNT_PSP_CLEARING,
            sign * posting->amount_minor);
    for (size_t i = 0; i < sale->line_count; i++)
        add_line(ret, posting, &sale->lines[i], sign);
    if (posting->by_hand) {
        add(ret, ACCOUNT_VENDOR_PAYABLE, sign * all.face);
        add(ret, ACCOUNT_VENDOR_RECEIVABLE, sign * beside);
    }
    add(ret, ACCOUNT_PLATFORM_FEE, -sign * ours);
    add(ret, ACCOUNT_TAX_PAYABLE, -sign * all.tax);
    if (!posting->by_hand)
        add(ret, ACCOUNT_SUSPENSE, -sign * unknown);
}

static bool is_by_hand(const struct attempt *attempt)
{
    return attempt->provider.ptr == NULL && !str_eq(attempt->method, STR("free"));
}

/* One line of no ticket type: all that is known of an amount. */
static void explain_nothing(struct arena *arena, struct sale *sale, int64_t amount_minor)
{
    struct booking_money_line *line = arena_new(arena, struct booking_money_line);

    line->face_minor = amount_minor;
    sale->lines = line;
    sale->line_count = 1;
}

/* --- Storage --- */

static int64_t day_of(struct call *call, str place, int64_t at_ms)
{
    const struct zone *zone = NULL;

    const bool found = zone_find(payment_of(call)->zones, place, &zone) == ERR_OK;
    return ledger_day(found ? zone_to_local(zone, at_ms).civil : civil_from_ms(at_ms));
}

static struct ledger_transaction begin(struct call *call, enum ledger_kind kind,
                                       const struct attempt *attempt, const struct sale *sale)
{
    struct ledger_transaction transaction = ledger_begin(call->arena);

    transaction.source = LEDGER_ATTEMPT;
    transaction.source_id = attempt->id.uuid;
    transaction.kind = kind;
    transaction.vendor = attempt->vendor;
    transaction.event = attempt->event;
    transaction.currency = attempt->amount.currency;
    transaction.day = day_of(call, sale->timezone, call->now_ms);
    return transaction;
}

err posting_paid(struct tx *tx, struct call *call, const struct attempt *attempt)
{
    const bool by_hand = is_by_hand(attempt);
    struct sale sale = {0};

    TRY(sale_find(tx, call, attempt->id, &sale));
    if (sale.line_count == 0)
        explain_nothing(call->arena, &sale, attempt->amount.minor);
    const struct posting posting = {&sale, attempt->amount.minor, by_hand, false};
    struct ledger_transaction paid =
        begin(call, by_hand ? LEDGER_PAID_BY_HAND : LEDGER_PAID, attempt, &sale);

    posting_make(&posting, &paid);
    return ledger_post(tx, call, &paid);
}

/* What of the sale is given back: what booking says, else all of it, or nobody knows. */
static void explain_refund(struct arena *arena, struct sale *sale, const struct attempt *attempt,
                           const struct posting_refund *refund)
{
    int64_t total = 0;
    const bool whole = refund->amount_minor == attempt->amount.minor &&
                       posting_lines_total(sale->lines, sale->line_count, &total) &&
                       total == refund->amount_minor;

    if (refund->line_count > 0) {
        sale->lines = refund->lines;
        sale->line_count = refund->line_count;
    } else if (!whole) {
        explain_nothing(arena, sale, refund->amount_minor);
    }
}

err posting_refund_owed(struct tx *tx, struct call *call, const struct attempt *attempt,
                        const struct posting_refund *refund)
{
    struct sale sale = {0};

    TRY(sale_find(tx, call, attempt->id, &sale));
    explain_refund(call->arena, &sale, attempt, refund);
    const struct posting posting = {&sale, refund->amount_minor, is_by_hand(attempt), true};
    struct ledger_transaction owed = begin(call, LEDGER_REFUND_OWED, attempt, &sale);

    owed.source = LEDGER_REFUND;
    owed.source_id = refund->id.uuid;
    posting_make(&posting, &owed);
    return ledger_post(tx, call, &owed);
}

/* The last transaction of that kind of the refund, and today in its event's zone. One that is not
 * in the ledger yet was made before there was one: whoever adopts it posts it as it stands then. */
static err find(struct tx *tx, struct call *call, refund_id id, attempt_id attempt,
                enum ledger_kind kind, struct ledger_transaction *ret)
{
    struct sale sale = {0};

    TRY(ledger_find_last(tx, call, LEDGER_REFUND, id.uuid, kind, ret));
    TRY(sale_find(tx, call, attempt, &sale));
    ret->day = day_of(call, sale.timezone, call->now_ms);
    return ERR_OK;
}

static err found_or_none(err e)
{
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static int64_t owed_minor(const struct ledger_transaction *owed)
{
    for (size_t i = 0; i < owed->count; i++)
        if (owed->entries[i].account == ACCOUNT_REFUND_PAYABLE)
            return -owed->entries[i].amount_minor;
    return 0; /* by hand: the vendor has given it back */
}

err posting_refund_paid(struct tx *tx, struct call *call, refund_id id, attempt_id attempt)
{
    struct ledger_transaction owed = {0};
    struct ledger_transaction last = {0};

    const err e = find(tx, call, id, attempt, LEDGER_REFUND_OWED, &owed);
    if (e != ERR_OK)
        return found_or_none(e);
    const err before =
        ledger_find_last(tx, call, LEDGER_REFUND, id.uuid, LEDGER_REFUND_PAID, &last);
    TRY(found_or_none(before));
    struct ledger_transaction paid = owed;
    const int64_t amount_minor = owed_minor(&owed);

    paid.kind = LEDGER_REFUND_PAID;
    paid.round = before == ERR_OK ? last.round + 1 : 0;
    paid.entries = NULL;
    paid.count = 0;
    paid.capacity = 0;
    add(&paid, ACCOUNT_REFUND_PAYABLE, amount_minor);
    add(&paid, ACCOUNT_PSP_CLEARING, -amount_minor);
    return ledger_post(tx, call, &paid);
}

err posting_refund_released(struct tx *tx, struct call *call, refund_id id, attempt_id attempt)
{
    struct ledger_transaction owed = {0};

    const err e = find(tx, call, id, attempt, LEDGER_REFUND_OWED, &owed);
    if (e != ERR_OK)
        return found_or_none(e);
    return ledger_reverse(tx, call, &owed, LEDGER_REFUND_RELEASED, owed.day);
}

err posting_refund_revived(struct tx *tx, struct call *call, refund_id id, attempt_id attempt)
{
    struct ledger_transaction owed = {0};

    const err e = find(tx, call, id, attempt, LEDGER_REFUND_OWED, &owed);
    if (e == ERR_NOT_FOUND) /* it had failed before there was a ledger */
        return ledger_adopt_later(tx, LEDGER_REFUND, id.uuid);
    TRY(e);
    owed.round++;
    return ledger_post(tx, call, &owed);
}

err posting_refund_returned(struct tx *tx, struct call *call, refund_id id, attempt_id attempt)
{
    struct ledger_transaction paid = {0};

    const err e = find(tx, call, id, attempt, LEDGER_REFUND_PAID, &paid);
    if (e != ERR_OK)
        return found_or_none(e);
    return ledger_reverse(tx, call, &paid, LEDGER_REFUND_RETURNED, paid.day);
}

/* From one account to another. */
static err move(struct tx *tx, struct call *call, struct ledger_transaction *transaction,
                const struct ledger_entry *debit, enum ledger_account credit)
{
    ledger_add(transaction, debit);
    add(transaction, credit, -debit->amount_minor);
    return ledger_post(tx, call, transaction);
}

err posting_psp_fee(struct tx *tx, struct call *call, const struct attempt *attempt,
                    int64_t fee_minor)
{
    const struct ledger_entry debit = {.account = ACCOUNT_PSP_FEE, .amount_minor = fee_minor};
    struct sale sale = {0};

    TRY(sale_find(tx, call, attempt->id, &sale));
    struct ledger_transaction fee = begin(call, LEDGER_PSP_FEE, attempt, &sale);
    return move(tx, call, &fee, &debit, ACCOUNT_PSP_CLEARING);
}

err posting_dispute(struct tx *tx, struct call *call, const struct attempt *attempt,
                    struct uuid dispute, enum ledger_kind kind, int64_t amount_minor)
{
    const bool withdrawn = kind == LEDGER_DISPUTE_WITHDRAWN;
    const bool lost = kind == LEDGER_DISPUTE_LOST;
    const struct ledger_entry debit = {
        .account = withdrawn ? ACCOUNT_DISPUTE_RECEIVABLE
                   : lost    ? ACCOUNT_VENDOR_PAYABLE
                             : ACCOUNT_PSP_CLEARING,
        .purpose = lost ? PURPOSE_REFUND : PURPOSE_MONEY,
        .amount_minor = amount_minor,
    };
    struct sale sale = {0};

    assert(withdrawn || lost || kind == LEDGER_DISPUTE_WON);
    assert(attempt->provider.ptr != NULL);
    TRY(sale_find(tx, call, attempt->id, &sale));
    struct ledger_transaction transaction = begin(call, kind, attempt, &sale);

    transaction.source = LEDGER_DISPUTE;
    transaction.source_id = dispute;
    return move(tx, call, &transaction, &debit,
                withdrawn ? ACCOUNT_PSP_CLEARING : ACCOUNT_DISPUTE_RECEIVABLE);
}
