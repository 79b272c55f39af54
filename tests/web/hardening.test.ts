/** Attacks that once worked: each is tried against the real app. */
import { connect } from "node:net";
import { expect, test } from "bun:test";
import { LOGIN_FAILURE_COUNT_MAX } from "../../src/web/throttle.ts";
import { closeAfterEach } from "../support/close-after-each.ts";
import { startChatWorld } from "./chat-world.ts";
import { STREAM_LIMITS } from "../../src/web/sse.ts";
import { Browser, PASSWORD, startWorld, type World, type WorldOptions } from "./world.ts";

const closed = closeAfterEach();

async function start(options: WorldOptions = {}): Promise<World> {
  return closed(await startWorld(options));
}

/** The whole answer to a request that is sent as it is. */
function exchange(port: number, request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1", () => socket.write(request));
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("data", (part: string) => (answer += part));
  socket.on("end", () => resolve(answer));
  socket.on("error", reject);
  return promise;
}

const HOSTS_BROKEN = ["", "a b", "user@localhost", "localhost:1, evil.example"];
const getFrom = (host: string, path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test("hostCheck() refuses what is no host, also where a login is needed, and logs nothing", async () => {
  for (const world of [await start(), await start({ host: "0.0.0.0" })]) {
    for (const host of HOSTS_BROKEN) {
      for (const path of ["/settings", "/login", "/health"]) {
        expect(await exchange(world.port, getFrom(host, path)), host).toStartWith("HTTP/1.1 403 ");
      }
    }
    expect(world.errors).toEqual([]);
  }
});

test("hostCheck() of the chat refuses what is no host, with the security headers", async () => {
  await using world = await startChatWorld();
  const port = Number(new URL(world.chatUrl).port);
  for (const host of HOSTS_BROKEN) {
    const answer = await exchange(port, getFrom(host, "/chat"));
    expect(answer, host).toStartWith("HTTP/1.1 403 ");
    expect(answer).toContain("form-action 'self';");
    expect(answer).not.toContain("_csrf");
  }
});

test("a form from another site does not replace the CSRF cookie", async () => {
  const { url } = await start();
  const foreign: Record<string, string>[] = [
    { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" },
    { Origin: "https://evil.example" },
    { Origin: "null" },
  ];
  for (const headers of foreign) {
    const answer = await fetch(`${url}/theme`, { method: "POST", headers });
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
    await answer.text();
  }
});

test("without a session a broken database shows neither its reason nor a path", async () => {
  const world = await start({
    host: "0.0.0.0",
    database: "this is not a database ".repeat(500),
  });
  const browser = new Browser(world);
  const readiness = await browser.get("/health/readiness");
  expect(readiness.status).toBe(503);
  expect(JSON.parse(readiness.text)).toEqual({ status: "unavailable" });
  for (const path of ["/login", "/assets/nothing"]) {
    const { text } = await browser.get(path);
    expect(text).not.toContain("Degraded");
    expect(text).not.toContain(world.folder);
  }
});

test("a login sent in pieces counts for the address it came from", async () => {
  const world = await start({ host: "0.0.0.0" });
  const browser = new Browser(world);
  await browser.get("/login");
  const form = new URLSearchParams({ _csrf: browser.token, password: "wrong" }).toString();
  const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
  for (let count = 0; count < LOGIN_FAILURE_COUNT_MAX; count += 1) {
    const head = `POST /login HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nConnection: close\r\n`;
    const type =
      "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n";
    const body = `${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`;
    const answer = await exchange(world.port, `${head}${type}Cookie: ${cookie}\r\n\r\n${body}`);
    expect(answer).toStartWith("HTTP/1.1 401 ");
  }
  expect((await browser.post("/login", { password: "wrong" })).status).toBe(429);
});

test("a live stream ends with its session, and only that one", async () => {
  const streamLimits = { ...STREAM_LIMITS, heartbeatMs: 30 };
  const world = await start({ host: "0.0.0.0", deps: { streamLimits } });
  const open = async (browser: Browser) => {
    await browser.post("/login", { password: PASSWORD });
    const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(`${world.url}/status/stream`, { headers: { Cookie: cookie } });
    expect(response.status).toBe(200);
    return (response.body ?? new Blob().stream()).getReader();
  };
  const leaving = new Browser(world);
  const staying = new Browser(world);
  const ended = await open(leaving);
  const going = await open(staying);
  expect((await ended.read()).done).toBe(false);
  await leaving.post("/logout");
  while (!(await ended.read()).done);
  expect((await going.read()).done).toBe(false);
  await staying.post("/settings/password", { current: PASSWORD, password: "long enough" });
  while (!(await going.read()).done);
  expect(world.errors).toEqual([]);
});
