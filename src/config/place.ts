/** Where things are on this machine. */
import { join, resolve } from "node:path";
import type { ConfigSources } from "./source.ts";

/** The platform's own place for application data. */
export function dataDirDefault(sources: ConfigSources): string {
  const { os, homeDir, environment } = sources;
  if (os === "win32") {
    return join(environment["LOCALAPPDATA"] || join(homeDir, "AppData", "Local"), "agents");
  }
  if (os === "darwin") return join(homeDir, "Library", "Application Support", "agents");
  // The XDG specification says that a relative path is to be ignored.
  const xdg = environment["XDG_DATA_HOME"];
  return join(xdg?.startsWith("/") ? xdg : join(homeDir, ".local", "share"), "agents");
}

/** A path as a person wrote it, made absolute: `~/` is their home, relative ones start at `base`. */
export function absolutePath(text: string, base: string, homeDir: string): string {
  if (text === "~") return homeDir;
  if (/^~[/\\]/.test(text)) return join(homeDir, text.slice(2));
  return resolve(base, text);
}
