/* e2e/buy.mjs - what a buyer does, in a real browser: find, choose, register, pay, hold the ticket.
 *
 *   node buy.mjs BOXOFFICE
 *
 * The tests tell one story after the other; each begins with a browser that knows nobody. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, PASSWORD, Program, Report } from "./program.mjs";

const WAIT_MS = 10000;
const events = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../examples/events.csv");
const program = new Program(process.argv[2] ?? "build/boxoffice");
const report = new Report();
let browser;
let emails = 0;

/* A buyer and what the browser complains about. */
async function buyer(expectedErrors = []) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, acceptDownloads: true });
  const page = await context.newPage();
  const complaints = [];
  page.setDefaultTimeout(WAIT_MS);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expectedErrors.some((text) => message.text().includes(text)))
      complaints.push(message.text());
  });
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
  return {
    page,
    email: `buyer${++emails}@example.org`,
    end: async () => { await context.close(); assert.deepEqual(complaints, []); },
  };
}

const story = (name, expectedErrors, tell) => report.test(name, async () => {
  const who = await buyer(expectedErrors);
  try {
    await tell(who);
  } catch (error) {
    console.log((await who.page.locator("main").innerText().catch(() => "no page")).replace(/^/gm, "# | "));
    await who.end().catch((also) => console.log(String(also).replace(/^/gm, "# ")));
    throw error;
  }
  await who.end();
});

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();

async function choose(page, slug, quantity) {
  await page.goto(`${program.url}/e/${slug}`);
  await page.getByRole("spinbutton").first().fill(String(quantity));
  await press(page, "Book");
}

async function register(who) {
  await heading(who.page, "Who are the tickets for?");
  await who.page.getByLabel("E-mail").fill(who.email);
  await who.page.getByLabel("Password").fill(PASSWORD);
  await who.page.getByLabel("Name, if you are new here").fill("Ana Example");
  await press(who.page, "Create an account");
}

async function payWith(page, card, amount) {
  await heading(page, "Pay");
  await page.getByLabel("Method").selectOption(`card:${card}`);
  await press(page, `Pay ${amount}`);
}

const tokenOf = (page) => page.evaluate(() => sessionStorage.getItem("token"));

/* What a phone at the door reads from the screen. */
async function scan(image) {
  const file = join(program.data, "qr.png");
  writeFileSync(file, await image.screenshot());
  return execFileSync("zbarimg", ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).replace(/\n$/, "");
}

async function checkCodes(page, count) {
  const images = page.getByRole("img", { name: "QR code of this ticket" });
  await images.nth(count - 1).waitFor();
  assert.equal(await images.count(), count);
  for (const image of await images.all()) {
    await image.evaluate((img) => img.decode());
    const ticket = await program.ask("GET", `/tickets/${await image.getAttribute("data-ticket")}`, { token: await tokenOf(page) });
    assert.equal(await scan(image), ticket.code);
  }
}

async function stories() {
  await story("a buyer finds an event in spite of a typo, registers, pays and holds tickets that scan", [], async (who) => {
    const { page } = who;
    await page.goto(program.url);
    assert.equal(await page.locator("ul.cards li").count(), 9);
    await page.getByRole("searchbox").fill("jaz chesnuts");
    await press(page, "Search");
    await page.getByRole("link", { name: /Jazz under the Chestnuts/ }).click();
    await heading(page, "Jazz under the Chestnuts");
    await page.getByText("The Copper Quartet, Lena Okafor").waitFor();
    await page.getByRole("spinbutton").fill("2");
    await page.getByText("× 2 = EUR 56.00").waitFor();
    await press(page, "Book");
    await register(who);
    await payWith(page, "tok_visa", "EUR 56.00");
    await heading(page, "Your tickets");
    await checkCodes(page, 2);
    const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Download as PDF")]);
    assert.equal(download.suggestedFilename(), "tickets.pdf");
  });

  await story("a declined card says so and another one works", ["402"], async (who) => {
    const { page } = who;
    await choose(page, "small-compilers-day", 1);
    await register(who);
    await payWith(page, "tok_declined", "EUR 95.00");
    await page.getByText("The card was refused; nothing was charged.").waitFor();
    await payWith(page, "tok_visa", "EUR 95.00");
    await heading(page, "Your tickets");
    await checkCodes(page, 1);
  });

  await story("3-D Secure comes back with the tickets", [], async (who) => {
    const { page } = who;
    await choose(page, "hamlet-in-ninety-minutes", 1);
    await register(who);
    await payWith(page, "tok_3ds", "GBP 18.50");
    await press(page, "Approve");
    await heading(page, "Your tickets");
    await checkCodes(page, 1);
  });

  await story("a refusal at the bank leads back to what is still held", [], async (who) => {
    const { page } = who;
    await choose(page, "hamlet-in-ninety-minutes", 1);
    await register(who);
    await payWith(page, "tok_3ds", "GBP 18.50");
    await press(page, "Decline");
    await heading(page, "Not paid");
    await page.getByRole("link", { name: "Pay in another way" }).click();
    await payWith(page, "tok_visa", "GBP 18.50");
    await heading(page, "Your tickets");
  });

  await story("a lost answer is asked for again under the same key and buys once", ["net::ERR_"], async (who) => {
    const { page } = who;
    const keys = [];
    let lose = true;
    await choose(page, "jazz-under-the-chestnuts", 1);
    await page.route("**/tickets/book", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      if (!lose) return route.continue();
      await route.fetch(); /* the server has booked; nobody hears of it */
      return route.abort("connectionreset");
    });
    await register(who);
    await page.getByText("The server cannot be reached. Please try again.").waitFor();
    await page.reload();
    await press(page, "Book");
    await page.getByText("The server cannot be reached. Please try again.").waitFor();
    lose = false;
    await press(page, "Book");
    await heading(page, "Pay");
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    const orders = await program.ask("GET", "/orders", { token: await tokenOf(page) });
    assert.equal(orders.data.length, 1);
  });

  await story("a double click books once and the keyboard is enough", [], async (who) => {
    const { page } = who;
    await choose(page, "ask-a-librarian", 1);
    await register(who);
    await heading(page, "Confirm");
    await page.getByRole("button", { name: "Get the tickets", exact: true }).dblclick();
    await heading(page, "Your tickets");
    await checkCodes(page, 1);
    await page.goto(`${program.url}/e/jazz-under-the-chestnuts`);
    await page.getByRole("spinbutton").focus();
    await page.keyboard.type("3");
    await page.keyboard.press("Enter");
    await heading(page, "Pay");
    await page.locator("#lines").getByText("EUR 84.00").first().waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await heading(page, "Your tickets");
    const orders = await program.ask("GET", "/orders", { token: await tokenOf(page) });
    assert.equal(orders.data.length, 2);
  });

  await story("a hold that has run out is said to be over", ["410"], async (who) => {
    const { page } = who;
    await choose(page, "jazz-under-the-chestnuts", 1);
    await register(who);
    await heading(page, "Pay");
    await program.ask("POST", "/_test/clock", { body: { advance_s: 3600 } });
    await payWith(page, "tok_visa", "EUR 28.00");
    await heading(page, "Tickets");
    await page.locator("#choose-message.bad").waitFor();
    await press(page, "Sign out");
    await page.getByRole("button", { name: "Sign out" }).waitFor({ state: "hidden" });
    assert.equal(await tokenOf(page), null);
  });

  await story("pages say what they are, and what is not there", ["404"], async ({ page }) => {
    await page.goto(`${program.url}/?search=&fbclid=x`);
    assert.equal(await page.locator("ul.cards li").count(), 9);
    await page.goto(`${program.url}/?search=zzzzqqqq`);
    await page.getByText("Nothing was found.").waitFor();
    await page.goto(`${program.url}/e/no-such-event`);
    await heading(page, "There is no such event");
    await page.goto(`${program.url}/e/jazz-under-the-chestnuts`);
    const told = JSON.parse(await page.locator('script[type="application/ld+json"]').textContent());
    assert.equal(told["@type"], "Event");
    assert.equal(told.offers[0].price, "28.00");
    assert.match(await page.locator('meta[property="og:url"]').getAttribute("content"), /\/e\/jazz-under-the-chestnuts$/);
  });
}

try {
  program.command(["user", "create", "--role", "vendor", "--email", "vendor@example.org", "--password-stdin"], `${PASSWORD}\n`);
  program.command(["import", "events", events, "--vendor", "vendor@example.org", "--publish"]);
  await program.start();
  browser = await openBrowser();
  await stories();
} finally {
  await browser?.close();
  const status = await program.stop();
  await report.test("the program ends well", () => assert.equal(status, 0));
  process.exitCode = report.end();
}
