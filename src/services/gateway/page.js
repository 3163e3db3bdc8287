// Buys tickets on an event's page, and shows an order that a payment came back to: through the
// public API and nothing else.
"use strict";

const part = (name) => document.getElementById(name);
const page = document.querySelector("[data-event]");
const orderSlot = page && `order ${page.dataset.event}`;
const kept = (name) => sessionStorage.getItem(name);
const keep = (name, value) => (value ? sessionStorage.setItem(name, value) : sessionStorage.removeItem(name));
const ANSWER_WITHIN_MS = 30000;
const ASK_AGAIN_AFTER_MS = 3000;
const ASK_AGAIN_TIMES = 20;
let order = null;

// --- The API ---

class Lost extends Error {}

// The answer with its body: a connection that breaks before the last byte has told nothing.
async function call(method, path, body, headers = {}) {
  const token = kept("token");
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  let answer;
  let told;
  try {
    answer = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const isJson = /json/.test(answer.headers.get("content-type") ?? "");
    told = isJson ? await answer.json() : await answer.blob();
  } catch {
    throw new Lost();
  }
  if (answer.status === 401 && token) signedIn(null);
  return { status: answer.status, ok: answer.ok, told };
}

// One attempt, one key: what is sent again because no answer came, even after a reload, books or
// pays once.
async function once(path, body) {
  const slot = `attempt ${path}`;
  const text = JSON.stringify(body);
  let attempt = JSON.parse(kept(slot));
  if (attempt?.text !== text) {
    const random = crypto.getRandomValues(new Uint8Array(16));
    attempt = { text, key: [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    keep(slot, JSON.stringify(attempt));
  }
  const answer = await call("POST", path, body, { "idempotency-key": attempt.key });
  if (answer.status < 500) keep(slot, null);
  return answer;
}

// A problem document in one sentence.
function problem({ status, told }) {
  const fields = (told.errors ?? []).map((e) => `${e.pointer.replace(/^\//, "").replaceAll("/", " ")} ${e.detail}`);
  const text = fields.join("; ") || told.detail || told.title || `the server answered ${status}`;
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

// --- The page ---

function signedIn(token) {
  keep("token", token);
  part("sign-out").hidden = !token;
}

function say(where, text, bad = false) {
  const line = part(where);
  line.textContent = text;
  line.classList.toggle("bad", bad);
}

function show(step) {
  for (const name of ["choose", "sign-in", "pay", "done"]) if (part(name)) part(name).hidden = name !== step;
  part(step).querySelector("h2").focus();
}

// As the server writes it: "EUR 28.00".
function money({ amount, currency }) {
  const digits = Number(page.dataset.digits);
  return `${currency} ${(amount / 10 ** digits).toFixed(digits)}`;
}

// A name has a direction of its own, whatever stands around it.
function named(before, name, after = "") {
  const words = document.createElement("span");
  words.append(before, Object.assign(document.createElement("bdi"), { textContent: name }), after);
  return words;
}

function row(words, amount, style = "") {
  const line = document.createElement("p");
  line.className = `row ${style}`;
  line.append(words, Object.assign(document.createElement("span"), { textContent: amount }));
  return line;
}

// What a form does, one at a time: a second click while it is under way does nothing.
function on(name, act) {
  const form = part(name);
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    try {
      await act(e.submitter);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      say(`${name}-message`, "The server cannot be reached. Please try again.", true);
    } finally {
      delete form.dataset.busy;
    }
  });
}

// --- Choosing ---

const quantities = () => [...part("choose").querySelectorAll("input[data-type]")];

function addUp() {
  const currency = page.dataset.currency;
  let total = 0;
  let count = 0;
  for (const input of quantities()) {
    const line = Number(input.value) * Number(input.dataset.price);
    count += Number(input.value);
    total += line;
    input.closest(".row").querySelector("output").textContent =
      Number(input.value) > 1 && line > 0 ? `× ${Number(input.value)} = ${money({ amount: line, currency })}` : "";
  }
  part("sum").hidden = count === 0;
  part("sum-amount").textContent = total > 0 ? money({ amount: total, currency }) : "Free";
}

async function book() {
  const items = quantities()
    .filter((input) => Number(input.value) > 0)
    .map((input) => ({ ticket_type_id: input.dataset.type, quantity: Number(input.value) }));
  say("choose-message", "");
  if (items.length === 0) return say("choose-message", "How many tickets would you like?", true);
  if (!kept("token")) return show("sign-in");
  const answer = await once("/tickets/book", { event_id: page.dataset.event, items });
  if (answer.status === 401) return show("sign-in");
  if (!answer.ok) return chooseAgain(problem(answer));
  showPay(answer.told.order);
}

function chooseAgain(why) {
  order = null;
  keep(orderSlot, null);
  show("choose");
  say("choose-message", why, why !== "");
}

async function signIn(button) {
  const fields = Object.fromEntries(new FormData(part("sign-in")));
  const body = { email: fields.email, password: fields.password };
  if (button.value === "/register") Object.assign(body, { name: fields.name || fields.email.split("@")[0], role: "customer" });
  say("sign-in-message", "");
  const answer = await call("POST", button.value, body);
  if (!answer.ok) return say("sign-in-message", problem(answer), true);
  signedIn(answer.told.access_token);
  part("sign-in").reset();
  // The account is there: what happens now is told where the booking is.
  try {
    await (order ? showPay(order) : book());
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    chooseAgain("The server cannot be reached. Please try again.");
  }
}

// --- Paying ---

function showPay(held) {
  order = held;
  keep(orderSlot, order.id);
  const lines = order.items.map((item) => row(named(`${item.quantity} × `, item.name ?? "Ticket"), item.total.amount > 0 ? money(item.total) : "Free"));
  for (const [name, amount] of [["Discount", order.discount], ["Fees", order.fees], ["Tax", order.tax]])
    if (amount?.amount) lines.push(row(named("", name), money(amount)));
  lines.push(row(named("", "Total"), order.total.amount > 0 ? money(order.total) : "Nothing to pay", "total"));
  part("lines").replaceChildren(...lines);
  part("until").textContent = new Date(order.expires_at).toLocaleTimeString([], { timeStyle: "short" });
  part("methods").hidden = order.total.amount === 0;
  say("pay-message", "");
  nameButton();
  show("pay");
}

function nameButton() {
  const byCard = order.total.amount > 0 && part("pay").elements.method.value.startsWith("card");
  part("pay").querySelector("button").textContent = byCard ? `Pay ${money(order.total)}` : "Get the tickets";
  part("pay").querySelector("h2").textContent = order.total.amount > 0 ? "Pay" : "Confirm";
}

async function pay() {
  const form = part("pay");
  const [method, token] = order.total.amount === 0 ? ["free"] : form.elements.method.value.split(":");
  say("pay-message", "");
  const answer = await once("/payment", { order_id: order.id, method, ...(token && { token }) });
  if (answer.status === 401) return show("sign-in");
  if (answer.status === 410 || answer.status === 404) return chooseAgain(problem(answer));
  if (answer.told.code === "already_paid") return follow(order.id);
  if (!answer.ok) return say("pay-message", problem(answer), true);
  const { payment, order: paid, tickets } = answer.told;
  if (payment.redirect_url) return location.assign(payment.redirect_url);
  await finish(paid, tickets);
  if (isUnderWay(paid)) await follow(paid.id);
}

// --- Done ---

const isUnderWay = (paid) => paid.payment?.status === "pending" && paid.tickets.length === 0 && paid.payment.method !== "bank_transfer";

function thanks(paid) {
  if (paid.payment?.due && paid.tickets.length > 0) return `Please pay${page ? ` ${money(paid.payment.due)}` : ""} at the entrance. The tickets are on their way to your mailbox too.`;
  if (paid.tickets.length > 0) return "They are on their way to your mailbox too.";
  if (paid.payment?.method === "bank_transfer") return "Your tickets come by mail as soon as your transfer has arrived.";
  if (paid.payment?.status === "pending") return "The payment is still under way. Your tickets come by mail as soon as it is through.";
  if (paid.status === "held") return "The payment did not go through, and nothing was charged.";
  return `This order is ${paid.status.replaceAll("_", " ")}.`;
}

async function finish(paid, tickets) {
  order = paid;
  if (page && paid.status !== "held") keep(orderSlot, null);
  part("done-title").textContent = paid.tickets.length > 0 ? "Your tickets" : paid.status === "held" && !isUnderWay(paid) ? "Not paid" : "Thank you";
  say("done-message", thanks(paid));
  part("pdf").hidden = tickets.length === 0;
  part("tickets").replaceChildren();
  show("done");
  for (const [index, ticket] of tickets.entries()) await showTicket(ticket, `${index + 1} of ${tickets.length}`);
  if (!page && paid.status === "held" && !isUnderWay(paid)) await linkBack(paid);
  if (paid.status === "pending" && paid.payment?.method === "bank_transfer") await showTransfer(paid);
}

// Where the money is to be sent; the mail says it too, if this does not come.
async function showTransfer(paid) {
  const found = await call("GET", `/orders/${paid.id}/bank-transfer`).catch(() => ({ ok: false }));
  if (!found.ok) return;
  const { amount, account, reference } = found.told;
  const list = document.createElement("dl");
  const digits = new Intl.NumberFormat("en", { style: "currency", currency: amount.currency }).resolvedOptions().maximumFractionDigits;
  const sum = page ? money(amount) : `${amount.currency} ${(amount.amount / 10 ** digits).toFixed(digits)}`;
  for (const { label, value } of [{ label: "Amount", value: sum }, ...account, { label: "Reference", value: reference }])
    list.append(Object.assign(document.createElement("dt"), { textContent: label }),
      Object.assign(document.createElement("dd"), { textContent: value, dir: "auto" }));
  part("tickets").append(list);
}

async function showTicket(ticket, position) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.className = "soft";
  caption.append(named("", ticket.ticket_type?.name ?? "Ticket", `, ${position}`));
  figure.append(caption);
  part("tickets").append(figure);
  await showCode(figure, ticket);
}

// The tickets are bought, whatever becomes of this: a code that did not come can be asked for again.
async function showCode(figure, ticket) {
  const found = await call("GET", `/tickets/${ticket.id}/qr.svg`).catch(() => ({ ok: false }));
  const shown = document.createElement(found.ok ? "img" : "button");
  if (found.ok) {
    shown.alt = "QR code of this ticket";
    shown.dataset.ticket = ticket.id;
    shown.src = URL.createObjectURL(found.told);
  } else {
    shown.type = "button";
    shown.textContent = "Load the code again";
    shown.addEventListener("click", () => { shown.remove(); showCode(figure, ticket); }, { once: true });
  }
  figure.prepend(shown);
}

// A way back to what is still held.
async function linkBack(paid) {
  const found = await call("GET", `/events/${paid.event_id}`);
  if (!found.ok) return;
  keep(`order ${paid.event_id}`, paid.id);
  part("tickets").append(Object.assign(document.createElement("a"), { href: `/e/${found.told.slug}`, textContent: "Pay in another way" }));
}

// Shows an order as it is, and again while its payment is under way.
async function follow(id) {
  for (let i = 0; i < ASK_AGAIN_TIMES; i++) {
    const found = await call("GET", `/orders/${id}`);
    if (!found.ok) return;
    const tickets = [];
    for (const ticket of found.told.tickets) {
      const one = await call("GET", `/tickets/${ticket}`);
      tickets.push(one.ok ? one.told : { id: ticket });
    }
    await finish(found.told, tickets);
    if (!isUnderWay(found.told)) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_AFTER_MS));
  }
}

async function savePdf() {
  const answer = await call("GET", `/orders/${order.id}/tickets.pdf`);
  if (!answer.ok) return say("done-message", problem(answer), true);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(answer.told), download: "tickets.pdf" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), ANSWER_WITHIN_MS);
}

// --- What is where ---

// After a reload, or back from the bank: what is held is still to be paid.
async function resume() {
  if (!kept("token") || !kept(orderSlot)) return;
  const found = await call("GET", `/orders/${kept(orderSlot)}`);
  if (found.ok && found.told.status === "held") showPay(found.told);
  else if (found.status < 500) keep(orderSlot, null);
}

async function signOut() {
  await call("POST", "/logout").catch(() => {});
  sessionStorage.clear();
  signedIn(null);
  location.assign(location.pathname);
}

signedIn(kept("token"));
part("sign-out").addEventListener("click", signOut);
if (part("done")) on("done", savePdf);
if (page && part("sum")) {
  on("choose", book);
  on("sign-in", signIn);
  on("pay", pay);
  part("again").addEventListener("click", () => chooseAgain(""));
  part("pay").elements.method.addEventListener("change", nameButton);
  part("choose").addEventListener("input", addUp);
  part("choose").addEventListener("focusin", (e) => e.target.type === "number" && e.target.select());
  addUp();
}
const ignoreLost = (error) => { if (!(error instanceof Lost)) throw error; };
if (page && part("pay")) resume().catch(ignoreLost);
else if (part("done") && kept("token")) follow(part("done").dataset.order).catch(ignoreLost);
