/* e2e/program.mjs - the program under test, with data and a clock of its own, and a browser before it. */

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const START_WITHIN_MS = 60000;
export const PASSWORD = "a long enough password";

export class Program {
  constructor(binary) {
    this.binary = binary;
    this.data = mkdtempSync(join(tmpdir(), "boxoffice-e2e-"));
    this.env = { ...process.env, BOXOFFICE_GATEWAY_RATE_LIMIT: "off", BOXOFFICE_IDENTITY_ARGON2_MEMORY_KIB: "64" };
  }

  command(words, input = "") {
    return execFileSync(this.binary, [...words, "--data", this.data], { input, env: this.env, encoding: "utf8", timeout: START_WITHIN_MS });
  }

  async start() {
    this.process = spawn(this.binary, ["serve", "--listen", "127.0.0.1:0", "--data", this.data, "--test-clock"],
      { env: this.env, stdio: ["ignore", "pipe", "ignore"] });
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    process.on("exit", () => this.process.kill("SIGKILL"));
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
    const lines = createInterface({ input: this.process.stdout });
    const line = await Promise.race([new Promise((resolve) => lines.once("line", resolve)), this.ended]);
    this.url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
    if (!this.url) throw new Error(`the server said ${line}`);
  }

  /* Its exit status; 0 is wanted. */
  async stop() {
    this.process?.kill("SIGTERM");
    const status = await this.ended;
    rmSync(this.data, { recursive: true, force: true });
    return status;
  }

  async ask(method, path, { token, body, key, match } = {}) {
    const headers = {};
    if (token) headers.authorization = `Bearer ${token}`;
    if (body) headers["content-type"] = "application/json";
    if (key) headers["idempotency-key"] = key;
    if (match) headers["if-match"] = match;
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
}

/* TAP: one line a test, in the order in which they are told. */
export class Report {
  count = 0;
  failed = 0;

  async test(name, run) {
    try {
      await run();
      console.log(`ok ${++this.count} - ${name}`);
    } catch (error) {
      this.failed++;
      console.log(`not ok ${++this.count} - ${name}`);
      console.log(String(error.stack ?? error).replace(/^/gm, "# "));
    }
  }

  end() {
    console.log(`1..${this.count}`);
    return this.failed === 0 ? 0 : 1;
  }
}
