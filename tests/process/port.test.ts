import { expect, test } from "bun:test";
import { assertPortFree, findPortHolder, freePort } from "../../src/process/port.ts";
import { bun } from "./support.ts";

/** Another process that listens, as a stranger's server would. */
async function startStranger(hostname: string) {
  const text = `const server = Bun.serve({ port: 0, hostname: "${hostname}", fetch: () => new Response() });
    console.log(server.port);`;
  const stranger = Bun.spawn([bun, "-e", text], { stdout: "pipe" });
  const { value } = await stranger.stdout.getReader().read();
  return {
    pid: stranger.pid,
    port: Number(new TextDecoder().decode(value)),
    [Symbol.dispose]: () => stranger.kill("SIGKILL"),
  };
}

const wish = (port: number) => ({
  host: "127.0.0.1",
  port,
  service: "dashboard",
  flag: "--port",
});

test.each(["127.0.0.1", "0.0.0.0", "::"])(
  "findPortHolder() knows who listens on %s",
  async (host) => {
    using stranger = await startStranger(host);
    const holder = await findPortHolder(stranger.port);
    expect(holder?.pid).toBe(stranger.pid);
    expect(holder?.command).toContain("bun");
  },
);

test("findPortHolder() knows nobody on a free port", async () => {
  expect(await findPortHolder(freePort(0))).toBeUndefined();
});

test("assertPortFree() names the process that holds the port, and a free port", async () => {
  using stranger = await startStranger("127.0.0.1");
  const error: unknown = await assertPortFree(wish(stranger.port)).catch((failure) => failure);
  expect(error).toMatchObject({
    code: "port_in_use",
    message: expect.stringContaining(
      `Port ${stranger.port} for the dashboard is in use by process ${stranger.pid} (`,
    ),
    fix: expect.stringMatching(
      new RegExp(
        `^Use --port \\d+, which is free, or end the process that holds port ${stranger.port}\\.$`,
      ),
    ),
  });
});

test("assertPortFree() accepts a free port, and leaves it free", async () => {
  const port = freePort(20_000);
  await assertPortFree(wish(port));
  await assertPortFree(wish(port));
  await assertPortFree(wish(0));
});

test("assertPortFree() refuses an address of another machine", async () => {
  const error: unknown = await assertPortFree({ ...wish(0), host: "192.0.2.1" }).catch(
    (failure) => failure,
  );
  expect(error).toMatchObject({ code: "config_invalid" });
});
