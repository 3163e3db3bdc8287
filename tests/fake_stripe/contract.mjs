/* fake_stripe/contract.mjs - Stripe's own SDK drives the fake and reads all of its answers, and verifies its webhooks; and checks of each object that the
 * fields which the program reads are what the SDK's types say. Prints TAP. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import Stripe from "stripe";

const fake = spawn(process.execPath, [fileURLToPath(new URL("fake_stripe.js", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] });
const port = Number(String((await once(fake.stdout, "data"))[0]).match(/port=(\d+)/)[1]);
const stripe = new Stripe("sk_test_x", { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 0 });
const retrying = new Stripe("sk_test_x", { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 2 });

async function control(command) {
  const answer = await fetch(`http://127.0.0.1:${port}/_control`, { method: "POST", body: JSON.stringify(command) });
  return answer.json();
}
const intent = (more = {}) =>
  stripe.paymentIntents.create({ amount: 1000, currency: "eur", capture_method: "manual", payment_method_types: ["card"], metadata: { payment: "pay_1" }, ...more });
const session = (more = {}) =>
  stripe.checkout.sessions.create({
    mode: "payment", payment_method_types: ["card"], client_reference_id: "ord_1",
    line_items: [{ quantity: 1, price_data: { currency: "eur", unit_amount: 1000, product_data: { name: "Tickets" } } }],
    payment_intent_data: { capture_method: "manual", metadata: { payment: "pay_1" } }, success_url: "http://x/ok", cancel_url: "http://x/no", ...more,
  });

const tests = {
  async "an intent is confirmed, captured and refunded"() {
    const made = await intent();
    assert.equal(made.status, "requires_payment_method");
    const confirmed = await stripe.paymentIntents.confirm(made.id, { payment_method: "pm_card_visa", return_url: "http://x/", expand: ["latest_charge"] });
    assert.equal(confirmed.status, "requires_capture");
    assert.equal(confirmed.latest_charge.payment_method_details.card.brand, "visa");
    assert.equal((await stripe.paymentIntents.capture(made.id)).amount_received, 1000);
    const refund = await stripe.refunds.create({ payment_intent: made.id, amount: 400, metadata: { refund: "rf_1" } });
    assert.equal(refund.status, "succeeded");
    const found = [];
    for await (const one of stripe.refunds.list({ payment_intent: made.id, limit: 1 })) found.push(one.metadata.refund);
    assert.deepEqual(found, ["rf_1"]);
    await assert.rejects(stripe.refunds.create({ payment_intent: made.id, amount: 601 }), Stripe.errors.StripeInvalidRequestError);
  },
  async "a refusal is a card error"() {
    const made = await intent();
    await assert.rejects(stripe.paymentIntents.confirm(made.id, { payment_method: "pm_card_visa_chargeDeclinedInsufficientFunds" }), (e) => e instanceof Stripe.errors.StripeCardError && e.decline_code === "insufficient_funds");
    assert.equal((await stripe.paymentIntents.retrieve(made.id)).last_payment_error.code, "card_declined");
  },
  async "a page is paid on, or expires"() {
    const made = await session();
    assert.match(made.url, /^http/);
    await control({ pay: { session: made.id, card: "4000000000000002" } });
    assert.equal((await stripe.checkout.sessions.retrieve(made.id)).status, "open");
    await control({ pay: { session: made.id, card: "5555555555554444" } });
    const paid = await stripe.checkout.sessions.retrieve(made.id, { expand: ["payment_intent.latest_charge"] });
    assert.equal(paid.status, "complete");
    assert.equal(paid.payment_intent.status, "requires_capture");
    assert.equal(paid.payment_intent.metadata.payment, "pay_1");
    await assert.rejects(stripe.checkout.sessions.expire(made.id), Stripe.errors.StripeInvalidRequestError);
    assert.equal((await stripe.checkout.sessions.expire((await session()).id)).status, "expired");
    await assert.rejects(session({ expires_at: Math.floor(Date.now() / 1000) + 60 }), (e) => e.param === "expires_at");
  },
  async "brands that are blocked are not taken"() {
    const made = await session({ payment_method_options: { card: { restrictions: { brands_blocked: ["american_express", "mastercard"] } } } });
    assert.equal((await control({ pay: { session: made.id, card: "5555555555554444" } })).error.code, "card_not_supported");
    await control({ pay: { session: made.id, card: "4242424242424242" } });
    assert.equal((await stripe.checkout.sessions.retrieve(made.id)).status, "complete");
  },
  async "what was saved under a key comes again"() {
    await control({ faults: [{ op: "intent.create", kind: "saved500" }] });
    const options = { idempotencyKey: "one" };
    for (let i = 0; i < 2; i++) await assert.rejects(stripe.paymentIntents.create({ amount: 1000, currency: "eur" }, options), Stripe.errors.StripeAPIError);
    const [first, second] = [await stripe.paymentIntents.create({ amount: 1000, currency: "eur" }, { idempotencyKey: "two" }), await stripe.paymentIntents.create({ amount: 1000, currency: "eur" }, { idempotencyKey: "two" })];
    assert.equal(first.id, second.id);
    assert.equal(second.lastResponse.headers["idempotent-replayed"], "true");
    await assert.rejects(stripe.paymentIntents.create({ amount: 1001, currency: "eur" }, { idempotencyKey: "two" }), Stripe.errors.StripeIdempotencyError);
  },
  async "what is lost, busy or down is tried again by the SDK, once done"() {
    for (const kind of ["lost", "down", "conflict", "error500"]) {
      const before = Object.keys((await control({})).state.intents).length;
      await control({ faults: [{ op: "intent.create", kind }] });
      await retrying.paymentIntents.create({ amount: 1000, currency: "eur" });
      assert.equal(Object.keys((await control({})).state.intents).length, before + 1, kind);
    }
  },
  async "its webhooks verify, and are what the events list has"() {
    const got = [];
    const receiver = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      try {
        got.push(stripe.webhooks.constructEvent(Buffer.concat(chunks), request.headers["stripe-signature"], "whsec_x"));
        response.writeHead(200).end();
      } catch {
        response.writeHead(400).end();
      }
    });
    await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const target = { url: `http://127.0.0.1:${receiver.address().port}/`, secret: "whsec_x" };
    const from = (await control({})).state.events.length - 3;
    assert.deepEqual((await control({ deliver: { ...target, from, copies: 2 } })).statuses, Array(6).fill(200));
    assert.deepEqual((await control({ deliver: { ...target, from, sign: "rotated" } })).statuses, Array(3).fill(200));
    assert.deepEqual((await control({ deliver: { ...target, from, sign: "bad" } })).statuses, Array(3).fill(400));
    const stale = Math.floor(Date.now() / 1000) - 301;
    assert.deepEqual((await control({ deliver: { ...target, from, at_s: stale } })).statuses, Array(3).fill(400));
    const listed = await stripe.events.list({ limit: 3 });
    assert.deepEqual(new Set(got.map((e) => e.id)), new Set(listed.data.map((e) => e.id)));
    receiver.close();
    receiver.closeAllConnections();
  },
  async "a refund fails later, and a dispute comes"() {
    const made = await intent();
    await stripe.paymentIntents.confirm(made.id, { payment_method: "pm_card_visa" });
    await stripe.paymentIntents.capture(made.id);
    const refund = await stripe.refunds.create({ payment_intent: made.id });
    await control({ end_refunds: "failed", dispute: { intent: made.id, status: "needs_response" } });
    assert.equal((await stripe.refunds.retrieve(refund.id)).status, "failed");
    const types = (await stripe.events.list({ limit: 100 })).data.map((e) => e.type);
    assert.ok(types.includes("refund.failed") && types.includes("charge.dispute.created"));
  },
};

let number = 0;
let failed = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, run] of Object.entries(tests)) {
  number++;
  try {
    await run();
    console.log(`ok ${number} - ${name}`);
  } catch (e) {
    failed++;
    console.log(`not ok ${number} - ${name}\n# ${String(e.stack).replace(/\n/g, "\n# ")}`);
  }
}
fake.stdin.end();
process.exit(failed === 0 ? 0 : 1);
