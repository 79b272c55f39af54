#!/usr/bin/env bun
/**
 * Pictures of the dashboard:
 *
 *   bun scripts/shots.ts                             of the product at work, into docs/screenshots/
 *   bun scripts/shots.ts --pages [folder] [name…]    of every page of the tests, for looking
 */
import { shootPages } from "./shots/pages.ts";
import { shootProduct } from "./shots/product.ts";

const [first, ...rest] = process.argv.slice(2);
if (first === "--pages") {
  const [folder = "dist/shots", ...names] = rest;
  await shootPages(folder, names);
} else {
  await shootProduct(first ?? "docs/screenshots");
}
// The timers with which the tests' tools guard against what hangs would keep this process for a minute.
process.exit();
