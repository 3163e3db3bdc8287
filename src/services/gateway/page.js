// Buys tickets on an event's page, through the public API and nothing else.
"use strict";

const page = document.querySelector("[data-event]");
const part = (name) => document.getElementById(name);
const session = {
  get token() { return sessionStorage.getItem("token"); },
  set token(value) { value ? sessionStorage.setItem("token", value) : sessionStorage.removeItem("token"); },
};
let order = null;

async function call(method, path, body, headers = {}) {
  if (session.token) headers.authorization = `Bearer ${session.token}`;
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 401) session.token = null;
  return answer;
}

// A problem document in one sentence.
async function problem(answer) {
  const told = await answer.json().catch(() => ({}));
  const fields = (told.errors || []).map((e) => `${e.pointer.replace(/^\//, "").replaceAll("/", " ")} ${e.detail}`);
  return fields.join("; ") || told.detail || told.title || `The server answered ${answer.status}.`;
}

function say(where, text, bad = false) {
  const line = part(where);
  line.textContent = text;
  line.classList.toggle("bad", bad);
}

function show(step) {
  for (const name of ["choose", "sign-in", "pay", "done"]) part(name).hidden = name !== step;
  part(step).scrollIntoView({ block: "nearest" });
}

// One attempt, one key: sending it again after a lost answer books or pays once.
async function once(form, path, body) {
  form.dataset.key ||= crypto.randomUUID();
  const answer = await call("POST", path, body, { "idempotency-key": form.dataset.key });
  if (answer.status < 500) delete form.dataset.key;
  return answer;
}

function money(value) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency: value.currency })
    .format(value.amount / 10 ** new Intl.NumberFormat("en", { style: "currency", currency: value.currency }).resolvedOptions().maximumFractionDigits);
}

async function book() {
  const form = part("choose");
  const items = [...form.querySelectorAll("input[data-type]")]
    .filter((input) => Number(input.value) > 0)
    .map((input) => ({ ticket_type_id: input.dataset.type, quantity: Number(input.value) }));
  if (items.length === 0) return say("choose-message", "How many tickets would you like?", true);
  if (!session.token) return show("sign-in");
  const answer = await once(form, "/tickets/book", { event_id: page.dataset.event, items });
  if (answer.status === 401) return show("sign-in");
  if (!answer.ok) return say("choose-message", await problem(answer), true), show("choose");
  order = (await answer.json()).order;
  part("total").textContent = money(order.total);
  part("until").textContent = new Date(order.expires_at).toLocaleTimeString();
  part("free").hidden = order.total.amount > 0;
  part("methods").hidden = order.total.amount === 0;
  show("pay");
}

async function signIn(how) {
  const fields = Object.fromEntries(new FormData(part("sign-in")));
  const body = how === "/login"
    ? { email: fields.email, password: fields.password }
    : { email: fields.email, password: fields.password, name: fields.name || fields.email.split("@")[0], role: "customer" };
  const answer = await call("POST", how, body);
  if (!answer.ok) return say("sign-in-message", await problem(answer), true);
  session.token = (await answer.json()).access_token;
  await book();
}

async function pay() {
  const form = part("pay");
  const [method, token] = order.total.amount === 0 ? ["free"] : form.elements.method.value.split(":");
  const answer = await once(form, "/payment", { order_id: order.id, method, ...(token && { token }) });
  if (!answer.ok) return say("pay-message", await problem(answer), true);
  const paid = await answer.json();
  if (paid.payment.redirect_url) return location.assign(paid.payment.redirect_url);
  await finish(paid.tickets, paid.payment.status);
}

async function finish(tickets, status) {
  part("done-title").textContent = tickets.length > 0 ? "Your tickets" : "Thank you";
  say("done-message", tickets.length > 0 ? "They are on their way to your mailbox too."
    : status === "pending" ? "The payment is still under way. Your tickets come by mail as soon as it is through." : "");
  for (const ticket of tickets) {
    const image = document.createElement("img");
    image.alt = "QR code of this ticket";
    image.src = URL.createObjectURL(await (await call("GET", `/tickets/${ticket.id}/qr.svg`)).blob());
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.className = "soft";
    caption.textContent = ticket.ticket_type?.name ?? ticket.id;
    figure.append(image, caption);
    part("tickets").append(figure);
  }
  part("pdf").hidden = tickets.length === 0;
  show("done");
}

async function openPdf() {
  const answer = await call("GET", `/orders/${order.id}/tickets.pdf`);
  if (!answer.ok) return say("done-message", await problem(answer), true);
  location.assign(URL.createObjectURL(await answer.blob()));
}

function on(name, event, act) {
  part(name).addEventListener(event, async (e) => {
    e.preventDefault();
    const button = e.submitter ?? e.currentTarget;
    button.disabled = true;
    try { await act(e); } catch { say(`${name}-message`, "The server cannot be reached. Please try again.", true); }
    button.disabled = false;
  });
}

if (page) {
  on("choose", "submit", book);
  on("sign-in", "submit", (e) => signIn(e.submitter.value));
  on("pay", "submit", pay);
  part("pdf").addEventListener("click", openPdf);
}
