import { expect, test } from "bun:test";
import { isLoopback } from "../../src/lib/loopback.ts";

test("isLoopback() knows every way to say this machine", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"]) {
    expect(isLoopback(host), host).toBe(true);
  }
});

test("isLoopback() takes nothing else for it", () => {
  for (const host of [
    "0.0.0.0",
    "::",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "",
    "10.0.0.1",
  ]) {
    expect(isLoopback(host), host).toBe(false);
  }
});
