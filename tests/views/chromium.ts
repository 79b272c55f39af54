import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser of the machine; `CHROMIUM_PATH` names another one. */
const named = process.env["CHROMIUM_PATH"];
const executablePath = (named === undefined ? PATHS : [named]).find((path) => existsSync(path));

/** For `skipIf`: true when there is no browser here, which is then said once for the whole file. */
export function isWithoutChromium(file: string): boolean {
  if (executablePath !== undefined) return false;
  const why = named === undefined ? "there is no Chromium here" : `there is no ${named}`;
  console.warn(`SKIPPED: all of ${file}: ${why}. Name one: CHROMIUM_PATH=/path/to/chromium`);
  return true;
}

/** @throws Error when there is no browser. */
export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error("There is no Chromium on this machine.");
  return chromium.launch({ executablePath, args: ARGUMENTS });
}
