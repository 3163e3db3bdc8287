/* payment/posting.h - what the events of business are in the ledger.
 *
 *   paid at a provider   D psp_clearing           C vendor_payable, platform_fee, tax_payable
 *   paid by hand         D vendor_receivable      C platform_fee, tax_payable  (the vendor has the money;
 *                        D vendor_payable         C vendor_payable              his sale stands all the same)
 *   refund owed          D vendor_payable, platform_fee, tax_payable            C customer_refund_payable
 *   refund paid          D customer_refund_payable                              C psp_clearing
 *   refund by hand       the payment by hand with the signs turned
 *   provider's fee       D psp_fee                C psp_clearing
 *   dispute withdrawn    D dispute_receivable     C psp_clearing
 *           lost         D vendor_payable         C dispute_receivable
 *           won          D psp_clearing           C dispute_receivable
 *
 * The vendor gets face value less discount, less his part of the fee. What lines do not explain of
 * an amount goes to `suspense`. Each is called in the transaction of its cause, so that it happens as
 * often as that: once. */
#pragma once

#include "services/payment/ledger.h"
#include "services/payment/sale.h"

/* Pure: what is paid (or, with `back`, given back) as entries added to *ret. */
struct posting {
    const struct sale *sale;
    int64_t amount_minor;
    bool by_hand; /* the vendor has taken it himself */
    bool back;
};
void posting_make(const struct posting *posting, struct ledger_transaction *ret);
/* What lines sum up to for the buyer: face - discount + his fee + tax. False on overflow. Pure. */
bool posting_lines_total(const struct booking_money_line *lines, size_t count, int64_t *ret);

/* The attempt has become CAPTURED at a provider; without one, SUCCEEDED. */
err posting_paid(struct tx *tx, struct call *call, const struct attempt *attempt);

/* A refund was written for the attempt; `lines` say what of (none: whatever is known). */
struct posting_refund {
    refund_id id;
    int64_t amount_minor;
    const struct booking_money_line *lines;
    size_t line_count;
};
err posting_refund_owed(struct tx *tx, struct call *call, const struct attempt *attempt,
                        const struct posting_refund *refund);
/* It is over: the provider has given the money back. */
err posting_refund_paid(struct tx *tx, struct call *call, refund_id id, attempt_id attempt);
/* It is over without: the money stays where it was. */
err posting_refund_released(struct tx *tx, struct call *call, refund_id id, attempt_id attempt);
/* One that was released is owed again. */
err posting_refund_revived(struct tx *tx, struct call *call, refund_id id, attempt_id attempt);
/* The money that the provider had given back has come back to it: to be followed by `released`. */
err posting_refund_returned(struct tx *tx, struct call *call, refund_id id, attempt_id attempt);

/* What the provider keeps of the attempt's payment; once. */
err posting_psp_fee(struct tx *tx, struct call *call, const struct attempt *attempt,
                    int64_t fee_minor);
/* A dispute about the attempt's payment, by an id that the caller made for it: the provider took the
 * money back (LEDGER_DISPUTE_WITHDRAWN), and later keeps it (_LOST) or returns it (_WON). Each once. */
err posting_dispute(struct tx *tx, struct call *call, const struct attempt *attempt,
                    struct uuid dispute, enum ledger_kind kind, int64_t amount_minor);
