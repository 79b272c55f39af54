import { expect, test } from "bun:test";
import { createProcessIdentity } from "../../src/process/identity.ts";

test("hasEnded() is true for a process of this machine that has ended, and for its id under another name", async () => {
  const self = createProcessIdentity("here");
  const child = Bun.spawn([process.execPath, "-e", "await Bun.sleep(60_000)"]);
  const name = self.name.replace(`/${process.pid}/`, `/${child.pid}/`);
  expect(self.hasEnded(name)).toBe(false);
  child.kill("SIGKILL");
  await child.exited;
  expect(self.hasEnded(name)).toBe(true);
  // As in a container that was started anew, whose processes get the same ids.
  const earlier = createProcessIdentity("here");
  expect(earlier.name).not.toBe(self.name);
  expect(self.hasEnded(earlier.name)).toBe(true);
  expect(self.hasEnded(self.name)).toBe(false);
});

test("hasEnded() claims nothing of processes elsewhere, and of names that are none", () => {
  const self = createProcessIdentity("here");
  const id = String(2 ** 31 - 1);
  expect(self.hasEnded(`here/${id}/x`)).toBe(true);
  expect(self.hasEnded(`there/${id}/x`)).toBe(false);
  // Somebody's that may not be signalled, at least not by everybody.
  expect(self.hasEnded("here/1/x")).toBe(false);
  for (const name of ["", "here", `here/${id}`, `here/${id}/x/y`, "here/-1/x", "here/a/x"])
    expect(self.hasEnded(name)).toBe(false);
});
