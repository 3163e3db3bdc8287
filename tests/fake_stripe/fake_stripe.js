#!/usr/bin/env node
/* fake_stripe/fake_stripe.js - as much of Stripe as payments here need, with faults at will; for tests.
 *
 * Speaks the API's version in stripe_api.c: PaymentIntents, Checkout Sessions with a page to pay on, refunds, disputes, events and signed
 * webhooks. Shapes are written after Stripe's API reference; contract.mjs has Stripe's own SDK read them. Everything is in memory.
 * Prints "port=N" and "ready", and ends when its standard input does.
 *
 * POST /_control, a JSON object of any of:
 *   now_s         what it takes for the time from now on (else the machine's)
 *   faults        [{op, kind, skip, count, ms}]: the requests of that op (or "*"), after `skip` of them, `count` of them:
 *                   lost      it is done, but no answer comes      down      the connection breaks before anything is done
 *                   saved500  500, and so for this key for ever    done500   the same, but it is done
 *                   error500  500, and nothing is kept             conflict  409: another request has the object
 *                   rate      429 with Retry-After                 slow      it is done and answered after `ms`
 *   refunds       what new refunds become: "succeeded" (standard), "pending"
 *   end_refunds   "succeeded" or "failed": what refunds that are pending or succeeded become now
 *   dispute       {intent, status}: the bank takes the money back
 *   pay           {session | intent | url, card}: as a buyer on the page, or at his bank ("approve", "decline")
 *   webhook       {url, secret}: where each event is sent when it happens
 *   deliver       {url, secret, from, order, copies, sign, at_s}: sends the events behind number `from`, "forward" or "reverse", each so
 *                 often; sign: "good", "bad", "none", "rotated" (a second signature, by a secret that nobody knows, comes first)
 *   quiet         true: without `state`
 * answers with the answers' statuses of `deliver`, what is charged for each of the `orders`, `event_count` and `state`. */
"use strict";
const http = require("http");
const crypto = require("crypto");

const CARDS = {
  "4242424242424242": { brand: "visa" },
  "5555555555554444": { brand: "mastercard" },
  "378282246310005": { brand: "amex" },
  "4000000000000002": { brand: "visa", decline: "generic_decline" },
  "4000000000009995": { brand: "visa", decline: "insufficient_funds" },
  "4000000000003220": { brand: "visa", action: true },
};
const TOKENS = {
  pm_card_visa: "4242424242424242",
  pm_card_mastercard: "5555555555554444",
  pm_card_amex: "378282246310005",
  pm_card_visa_chargeDeclined: "4000000000000002",
  pm_card_visa_chargeDeclinedInsufficientFunds: "4000000000009995",
  pm_card_threeDSecure2Required: "4000000000003220",
};
const BRAND_GROUPS = { visa: "visa", mastercard: "mastercard", amex: "american_express" };

const state = { intents: {}, sessions: {}, refunds: {}, charges: {}, disputes: {}, events: [], requests: [] };
let control = { now_s: null, faults: [], refunds: "succeeded", webhook: null };
const saved = new Map();
let counter = 0;
let base = "";

const now = () => control.now_s ?? Math.floor(Date.now() / 1000);
const newId = (prefix) => `${prefix}_${String(++counter).padStart(6, "0")}${crypto.randomBytes(6).toString("hex")}`;

class Refusal extends Error {
  constructor(status, error) {
    super(error.message ?? error.code);
    Object.assign(this, { status, error });
  }
}
const refuse = (status, type, code, more = {}) => {
  throw new Refusal(status, { type, code, message: code, ...more });
};

/* --- Events --- */

function emit(type, object) {
  const event = {
    id: newId("evt"), object: "event", api_version: "2026-10-28.endive", created: now(), type, livemode: false, pending_webhooks: 1,
    request: { id: null, idempotency_key: null }, data: { object: JSON.parse(JSON.stringify(object)) },
  };
  state.events.push(event);
  if (control.webhook) send(control.webhook, event, {}).catch(() => {});
}

function signature(secret, body, at_s, sign) {
  const mac = (key) => crypto.createHmac("sha256", key).update(`${at_s}.${body}`).digest("hex");
  if (sign === "none") return undefined;
  if (sign === "bad") return `t=${at_s},v1=${mac(secret + "x")}`;
  return sign === "rotated" ? `t=${at_s},v1=${mac("another")},v1=${mac(secret)},v0=1` : `t=${at_s},v1=${mac(secret)}`;
}

function send({ url, secret }, event, { sign = "good", at_s = now() }) {
  const body = JSON.stringify(event, null, 2);
  const headers = { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(body) };
  const signed = signature(secret, body, at_s, sign);
  if (signed) headers["stripe-signature"] = signed;
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function deliver(options) {
  let events = state.events.slice(options.from ?? 0);
  const statuses = [];
  if (options.order === "reverse") events = events.reverse();
  for (const event of events)
    for (let i = 0; i < (options.copies ?? 1); i++) statuses.push(await send(options, event, options));
  return statuses;
}

/* --- Objects --- */

function find(kind, id) {
  const object = state[kind][id];
  if (!object) refuse(404, "invalid_request_error", "resource_missing", { param: kind.slice(0, -1) });
  return object;
}

function newIntent(amount, currency, metadata) {
  if (!(Number.isInteger(amount) && amount > 0)) refuse(400, "invalid_request_error", "parameter_invalid_integer", { param: "amount" });
  if (!/^[a-z]{3}$/.test(currency ?? "")) refuse(400, "invalid_request_error", "parameter_invalid", { param: "currency" });
  if (amount < 50) refuse(400, "invalid_request_error", "amount_too_small", { param: "amount" });
  const id = newId("pi");
  state.intents[id] = {
    id, object: "payment_intent", amount, amount_capturable: 0, amount_received: 0, currency, capture_method: "manual", confirmation_method: "automatic",
    created: now(), client_secret: `${id}_secret_fake`, latest_charge: null, last_payment_error: null, livemode: false, metadata,
    next_action: null, payment_method: null, payment_method_types: ["card"], status: "requires_payment_method", canceled_at: null, cancellation_reason: null,
  };
  return state.intents[id];
}

function newCharge(intent, card) {
  const charge = {
    id: newId("ch"), object: "charge", amount: intent.amount, amount_captured: 0, amount_refunded: 0, captured: false, created: now(), currency: intent.currency,
    livemode: false, metadata: intent.metadata, paid: true, payment_intent: intent.id, refunded: false, disputed: false, status: "succeeded",
    payment_method_details: { type: "card", card: { brand: card.brand, last4: card.last4, country: "US", funding: "credit" } },
  };
  state.charges[charge.id] = charge;
  intent.latest_charge = charge.id;
}

function authorise(intent, card) {
  Object.assign(intent, { status: "requires_capture", amount_capturable: intent.amount, next_action: null, last_payment_error: null });
  newCharge(intent, card);
  emit("payment_intent.amount_capturable_updated", intent);
  const session = Object.values(state.sessions).find((s) => s.payment_intent === intent.id);
  if (session) {
    Object.assign(session, { status: "complete", url: null });
    emit("checkout.session.completed", session);
  }
}

function decline(intent, code) {
  Object.assign(intent, {
    status: "requires_payment_method", next_action: null, payment_method: null,
    last_payment_error: { type: "card_error", code: "card_declined", decline_code: code, message: "Your card was declined." },
  });
  emit("payment_intent.payment_failed", intent);
}

function charge(intent, number) {
  const card = { ...CARDS[number], last4: number.slice(-4) };
  intent.payment_method = newId("pm");
  if (card.decline) return decline(intent, card.decline);
  if (!card.action) return authorise(intent, card);
  intent.challenged = card;
  Object.assign(intent, { status: "requires_action", next_action: { type: "redirect_to_url", redirect_to_url: { url: `${base}/3ds/${intent.id}`, return_url: null } } });
  emit("payment_intent.requires_action", intent);
}

function answerChallenge(intent, approved) {
  if (intent.status !== "requires_action") refuse(400, "invalid_request_error", "payment_intent_unexpected_state");
  if (approved) authorise(intent, intent.challenged);
  else decline(intent, "authentication_required");
}

function unexpected(intent, ...expected) {
  if (!expected.includes(intent.status)) refuse(400, "invalid_request_error", "payment_intent_unexpected_state", { payment_intent: shown(intent) });
}

function cancel(intent, reason) {
  unexpected(intent, "requires_payment_method", "requires_confirmation", "requires_action", "requires_capture");
  Object.assign(intent, { status: "canceled", amount_capturable: 0, next_action: null, canceled_at: now(), cancellation_reason: reason });
  emit("payment_intent.canceled", intent);
}

function expire(session) {
  if (session.status !== "open") refuse(400, "invalid_request_error", "checkout_session_not_open", { message: "Only Checkout Sessions with a status in [\"open\"] can be expired." });
  Object.assign(session, { status: "expired", url: null });
  const intent = state.intents[session.payment_intent];
  if (intent && intent.status !== "canceled") cancel(intent, "void_invoice");
  emit("checkout.session.expired", session);
}

function expireOverdue() {
  for (const session of Object.values(state.sessions)) if (session.status === "open" && session.expires_at <= now()) expire(session);
}

function endRefund(refund, status) {
  if (refund.status === status || refund.status === "failed") return;
  const paid = state.charges[refund.charge];
  refund.status = status;
  if (status === "failed") {
    paid.amount_refunded -= refund.amount;
    paid.refunded = false;
    refund.failure_reason = "expired_or_canceled_card";
    emit("refund.failed", refund);
  }
  emit("refund.updated", refund);
}

function openDispute({ intent, status }) {
  const paid = state.charges[state.intents[intent].latest_charge];
  let dispute = Object.values(state.disputes).find((d) => d.charge === paid.id);
  const type = dispute ? (["won", "lost"].includes(status) ? "charge.dispute.closed" : "charge.dispute.updated") : "charge.dispute.created";
  if (!dispute) {
    dispute = { id: newId("dp"), object: "dispute", amount: paid.amount, charge: paid.id, created: now(), currency: paid.currency, livemode: false, metadata: {}, payment_intent: intent, reason: "fraudulent", status };
    state.disputes[dispute.id] = dispute;
  }
  dispute.status = status;
  emit(type, dispute);
}

function pay({ session: sid, intent: pid, url, card, brand_blocked }) {
  if (url) [, sid, pid] = url.match(/(cs_\w+)|(pi_\w+)/).map((id) => id ?? undefined);
  if (sid && ["approve", "decline"].includes(card)) pid = find("sessions", sid).payment_intent;
  if (pid) return answerChallenge(find("intents", pid), card === "approve");
  const session = find("sessions", sid);
  if (session.status !== "open") refuse(400, "invalid_request_error", "checkout_session_not_open");
  if (!CARDS[card]) refuse(402, "card_error", "incorrect_number");
  const blocked = session.payment_method_options?.card?.restrictions?.brands_blocked ?? [];
  if (brand_blocked !== true && blocked.includes(BRAND_GROUPS[CARDS[card].brand])) refuse(402, "card_error", "card_not_supported");
  let intent = state.intents[session.payment_intent];
  if (!intent) {
    intent = newIntent(session.amount_total, session.currency, session.intent_metadata);
    session.payment_intent = intent.id;
  }
  charge(intent, card);
}

/* --- The API --- */

const shown = (object, expands = []) => {
  const { challenged, intent_metadata, ...copy } = object;
  if (copy.object === "payment_intent" && expands.some((e) => e === "latest_charge")) copy.latest_charge = state.charges[copy.latest_charge] ?? null;
  if (copy.object === "checkout.session" && copy.payment_intent && expands.some((e) => e.startsWith("payment_intent")))
    copy.payment_intent = shown(state.intents[copy.payment_intent], expands.map((e) => e.replace(/^payment_intent\./, "")));
  return copy;
};

function listed(objects, query, url) {
  const limit = Number(query.limit ?? 10);
  let newest = objects.slice().reverse();
  if (query.starting_after) newest = newest.slice(newest.findIndex((o) => o.id === query.starting_after) + 1);
  if (query.ending_before) newest = newest.slice(0, newest.findIndex((o) => o.id === query.ending_before)).slice(-limit);
  return { object: "list", url, has_more: newest.length > limit, data: newest.slice(0, limit).map((o) => shown(o)) };
}

function newSession(form) {
  const line = form.line_items?.[0];
  const created = now();
  const expires_at = Number(form.expires_at ?? created + 86400);
  if (form.mode !== "payment" || !line) refuse(400, "invalid_request_error", "parameter_missing", { param: "line_items" });
  if (expires_at < created + 1800 || expires_at > created + 86400) refuse(400, "invalid_request_error", "parameter_invalid", { param: "expires_at" });
  if (form.payment_intent_data?.capture_method !== "manual") refuse(400, "invalid_request_error", "parameter_invalid", { param: "payment_intent_data[capture_method]" });
  if (!/^[a-z]{3}$/.test(line.price_data.currency ?? "")) refuse(400, "invalid_request_error", "parameter_invalid", { param: "line_items[0][price_data][currency]" });
  const amount = Number(line.price_data.unit_amount) * Number(line.quantity);
  if (amount < 50) refuse(400, "invalid_request_error", "amount_too_small", { param: "line_items" });
  const id = newId("cs_test");
  state.sessions[id] = {
    id, object: "checkout.session", amount_subtotal: amount, amount_total: amount, cancel_url: form.cancel_url, client_reference_id: form.client_reference_id ?? null, created,
    currency: line.price_data.currency, expires_at, livemode: false, metadata: form.metadata ?? {}, mode: "payment", payment_intent: null, payment_method_types: form.payment_method_types,
    payment_method_options: form.payment_method_options ?? {}, payment_status: "unpaid", status: "open", success_url: form.success_url, url: `${base}/c/pay/${id}#fake`,
    intent_metadata: form.payment_intent_data.metadata ?? {},
  };
  return state.sessions[id];
}

function newRefund(form) {
  const intent = find("intents", form.payment_intent);
  const paid = state.charges[intent.latest_charge];
  if (intent.status !== "succeeded" || !paid) refuse(400, "invalid_request_error", "charge_not_refundable");
  const amount = Number(form.amount ?? paid.amount_captured - paid.amount_refunded);
  if (paid.amount_refunded + amount > paid.amount_captured) refuse(400, "invalid_request_error", paid.refunded ? "charge_already_refunded" : "amount_too_large");
  const refund = {
    id: newId("re"), object: "refund", amount, charge: paid.id, created: now(), currency: intent.currency, metadata: form.metadata ?? {}, payment_intent: intent.id,
    reason: null, status: control.refunds,
  };
  paid.amount_refunded += amount;
  paid.refunded = paid.amount_refunded === paid.amount_captured;
  state.refunds[refund.id] = refund;
  emit("refund.created", refund);
  if (refund.status === "succeeded") emit("charge.refunded", paid);
  return refund;
}

const confirm = (id, form) => {
  const intent = find("intents", id);
  const number = TOKENS[form.payment_method];
  unexpected(intent, "requires_payment_method", "requires_confirmation");
  if (!number) refuse(400, "invalid_request_error", "resource_missing", { param: "payment_method" });
  charge(intent, number);
  if (intent.last_payment_error) refuse(402, "card_error", "card_declined", { decline_code: intent.last_payment_error.decline_code, payment_intent: shown(intent) });
  return intent;
};
const capture = (id) => {
  const intent = find("intents", id);
  unexpected(intent, "requires_capture");
  Object.assign(intent, { status: "succeeded", amount_received: intent.amount, amount_capturable: 0 });
  Object.assign(state.charges[intent.latest_charge], { captured: true, amount_captured: intent.amount });
  emit("payment_intent.succeeded", intent);
  return intent;
};
const method = (id) => {
  if (!TOKENS[id]) refuse(404, "invalid_request_error", "resource_missing", { param: "payment_method" });
  return { id, object: "payment_method", created: now(), customer: null, livemode: false, metadata: {}, type: "card", card: { brand: CARDS[TOKENS[id]].brand, last4: TOKENS[id].slice(-4), country: "US", funding: "credit", exp_month: 12, exp_year: 2034 } };
};

const ROUTES = [
  ["POST", /^\/v1\/payment_intents$/, "intent.create", (_, f) => newIntent(Number(f.amount), f.currency, f.metadata ?? {})],
  ["GET", /^\/v1\/payment_intents\/(\w+)$/, "intent.get", (id) => find("intents", id)],
  ["POST", /^\/v1\/payment_intents\/(\w+)\/confirm$/, "intent.confirm", confirm],
  ["POST", /^\/v1\/payment_intents\/(\w+)\/capture$/, "intent.capture", capture],
  ["POST", /^\/v1\/payment_intents\/(\w+)\/cancel$/, "intent.cancel", (id) => (cancel(find("intents", id), "requested_by_customer"), find("intents", id))],
  ["POST", /^\/v1\/checkout\/sessions$/, "session.create", (_, f) => newSession(f)],
  ["GET", /^\/v1\/checkout\/sessions\/(\w+)$/, "session.get", (id) => find("sessions", id)],
  ["POST", /^\/v1\/checkout\/sessions\/(\w+)\/expire$/, "session.expire", (id) => (expire(find("sessions", id)), find("sessions", id))],
  ["POST", /^\/v1\/refunds$/, "refund.create", (_, f) => newRefund(f)],
  ["GET", /^\/v1\/refunds\/(\w+)$/, "refund.get", (id) => find("refunds", id)],
  ["GET", /^\/v1\/refunds$/, "refund.list", (_, f) => listed(Object.values(state.refunds).filter((r) => !f.payment_intent || r.payment_intent === f.payment_intent), f, "/v1/refunds")],
  ["GET", /^\/v1\/charges\/(\w+)$/, "charge.get", (id) => find("charges", id)],
  ["GET", /^\/v1\/disputes\/(\w+)$/, "dispute.get", (id) => find("disputes", id)],
  ["GET", /^\/v1\/payment_methods\/(\w+)$/, "method.get", method],
  ["GET", /^\/v1\/events$/, "event.list", (_, f) => listed(state.events.filter((e) => !f.created?.gte || e.created >= Number(f.created.gte)), f, "/v1/events")],
  ["GET", /^\/v1\/events\/(\w+)$/, "event.get", (id) => state.events.find((e) => e.id === id) ?? find("intents", id)],
];

/* a[b][]=1 and a[0][c]=2 as Stripe reads them. */
function parse(text) {
  const root = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/\[|\]\[|\]/).filter((part, i, all) => i < all.length - 1 || part !== "" || !name.endsWith("]"));
    let at = root;
    path.forEach((part, i) => {
      const last = i === path.length - 1;
      const key = Array.isArray(at) && part === "" ? at.length : part;
      if (last) at[key] = value;
      else at = at[key] ??= /^\d*$/.test(path[i + 1]) ? [] : {};
    });
  }
  return root;
}

function takeFault(op) {
  const fault = control.faults.find((f) => (f.op === "*" || f.op === op) && (f.count ?? 1) > 0);
  if (!fault) return {};
  if ((fault.skip ?? 0) > 0) {
    fault.skip--;
    return {};
  }
  fault.count = (fault.count ?? 1) - 1;
  return fault;
}

function perform(run, id, form) {
  try {
    return { status: 200, body: shown(run(id, form), form.expand ?? []) };
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return { status: e.status, body: { error: e.error } };
  }
}

const INTERNAL = { status: 500, body: { error: { type: "api_error", message: "An unknown error occurred" } } };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function serve(request, url, text) {
  const [, , op, run] = ROUTES.find(([verb, pattern]) => verb === request.method && pattern.test(url.pathname)) ?? [];
  const key = request.headers["idempotency-key"];
  const form = parse(request.method === "GET" ? url.search.slice(1) : text);
  const print = `${request.method} ${url.pathname} ${text}`;
  expireOverdue();
  if (!run) return { status: 404, body: { error: { type: "invalid_request_error", message: `Unrecognized request URL (${print})` } } };
  state.requests.push({ op, key: key ?? null, path: url.pathname });
  if (!/^(Bearer|Basic) \S+/.test(request.headers.authorization ?? "")) return { status: 401, body: { error: { type: "invalid_request_error", message: "You did not provide an API key." } } };
  const id = url.pathname.match(ROUTES.find(([, , name]) => name === op)[1])[1];
  const fault = takeFault(op);
  if (fault.kind === "down") return null;
  if (fault.kind === "conflict") return { status: 409, body: { error: { type: "invalid_request_error", code: "lock_timeout", message: "This object cannot be accessed right now." } } };
  if (fault.kind === "rate") return { status: 429, headers: { "retry-after": "1" }, body: { error: { type: "invalid_request_error", code: "rate_limit" } } };
  if (fault.kind === "error500") return INTERNAL;
  const before = key && saved.get(key);
  if (before && before.print !== print) return { status: 400, body: { error: { type: "idempotency_error", message: "Keys for idempotent requests can only be used with the same parameters they were first used with." } } };
  if (before) return { ...before.answer, headers: { "idempotent-replayed": "true" } };
  let answer = fault.kind === "saved500" ? INTERNAL : perform(run, id, form);
  if (fault.kind === "done500") answer = INTERNAL;
  const isValidation = answer.status === 400 && /^parameter_/.test(answer.body.error.code ?? "");
  if (key && request.method === "POST" && !isValidation) saved.set(key, { print, answer });
  if (fault.kind === "slow") await sleep(fault.ms);
  return fault.kind === "lost" ? null : answer;
}

/* --- Pages: the buyer's part --- */

const html = (body) => ({ status: 200, html: `<!doctype html><html lang="en"><title>Checkout</title>${body}</html>` });

function page(request, url, text) {
  const [, kind, id, answer] = url.pathname.match(/^\/(c\/pay|3ds)\/(\w+)(?:\/(approve|decline))?$/) ?? [];
  if (!kind) return null;
  const session = kind === "3ds" ? Object.values(state.sessions).find((s) => s.payment_intent === id) : find("sessions", id);
  const done = () => ({ status: 303, headers: { location: session?.success_url ?? "/" } });
  if (kind === "3ds") {
    if (request.method === "GET")
      return html(`<h1>Your bank</h1><form method="post" action="/3ds/${id}/approve"><button>Complete</button></form><form method="post" action="/3ds/${id}/decline"><button>Fail</button></form>`);
    answerChallenge(find("intents", id), answer === "approve");
    return done();
  }
  let problem = "";
  if (request.method === "POST") {
    try {
      pay({ session: id, card: new URLSearchParams(text).get("card").replace(/\s/g, "") });
    } catch (e) {
      problem = `<p role="alert">${e.error?.code ?? "error"}</p>`;
    }
    const intent = state.intents[session.payment_intent];
    if (intent?.status === "requires_action") return { status: 303, headers: { location: `/3ds/${intent.id}` } };
    if (session.status === "complete") return done();
    problem ||= `<p role="alert">Your card was declined.</p>`;
  }
  if (session.status !== "open") return html("<h1>This page has expired</h1>");
  return html(`<h1>Pay ${session.amount_total} ${session.currency}</h1>${problem}<form method="post"><label>Card number <input name="card" inputmode="numeric"></label><button>Pay</button></form><a href="${session.cancel_url}">Back</a>`);
}

/* What is charged for each order, by the metadata that the program has given. */
function orders() {
  const all = {};
  for (const intent of Object.values(state.intents)) {
    const order = (all[intent.metadata.order] ??= { captured: 0, refunded: 0, captures: 0, authorised: 0 });
    const paid = state.charges[intent.latest_charge];
    order.authorised += intent.status === "requires_capture" ? 1 : 0;
    order.captures += intent.status === "succeeded" ? 1 : 0;
    order.captured += paid?.amount_captured ?? 0;
    order.refunded += paid?.amount_refunded ?? 0;
  }
  for (const session of Object.values(state.sessions)) {
    const order = (all[session.client_reference_id] ??= { captured: 0, refunded: 0, captures: 0, authorised: 0 });
    if (session.status === "open") order.open = session.id;
  }
  return all;
}

async function command(text) {
  const wanted = JSON.parse(text || "{}");
  const statuses = [];
  for (const name of ["now_s", "refunds", "faults", "webhook"]) if (name in wanted) control[name] = wanted[name];
  if (wanted.end_refunds) Object.values(state.refunds).forEach((r) => endRefund(r, wanted.end_refunds));
  if (wanted.dispute) openDispute(wanted.dispute);
  if (wanted.pay) pay(wanted.pay);
  if (wanted.deliver) statuses.push(...(await deliver(wanted.deliver)));
  return { status: 200, body: { statuses, orders: orders(), event_count: state.events.length, ...(wanted.quiet ? {} : { state }) } };
}

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(request.url, "http://x");
  let answer;
  try {
    answer = url.pathname === "/_control" ? await command(text) : url.pathname.startsWith("/v1/") ? await serve(request, url, text) : page(request, url, text);
    answer ??= url.pathname.startsWith("/v1/") ? null : { status: 404, html: "" };
  } catch (e) {
    answer = e instanceof Refusal ? { status: e.status, body: { error: e.error } } : { status: 500, body: { bug: String(e.stack) } };
  }
  if (answer === null) return request.socket.destroy();
  const body = answer.html ?? (answer.body ? JSON.stringify(answer.body, null, 2) : "");
  response.writeHead(answer.status, { "content-type": answer.html !== undefined ? "text/html; charset=utf-8" : "application/json", "request-id": newId("req"), ...answer.headers });
  response.end(body);
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  base = `http://127.0.0.1:${server.address().port}`;
  console.log(`port=${server.address().port}\nready`);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
