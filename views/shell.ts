import type { DatabaseHealth } from "../src/domain/service.ts";

export type Theme = "auto" | "light" | "dark";

/** The only account there is; password managers keep its password under this name. */
export const ADMINISTRATOR = "administrator";

/** What every page needs besides its own content. */
export interface Shell {
  readonly title: string;
  /** The path and query of this page; the theme form comes back to it. */
  readonly path: string;
  /** Must be the same on all pages of a session: a new one makes htmx start its streams again. */
  readonly csrf: string;
  readonly theme: Theme;
  /** Single keys act (WCAG 2.1.4). */
  readonly shortcuts: boolean;
  readonly version: string;
  readonly health: DatabaseHealth;
  /** Somebody is logged in and may log out. */
  readonly needsLogin: boolean;
  /** No real provider is configured: the demo provider answers. */
  readonly demo: boolean;
  asset(name: string): string;
  readonly now: number;
  /** How long a page that has lost its stream waits, at least, before it asks for itself. */
  readonly pollMs?: number | undefined;
}

/** In degraded mode nothing may be written, so nothing that writes is offered. */
export function isWritable(shell: Pick<Shell, "health">): boolean {
  return shell.health.state === "ok";
}

/** Whether the chat can be asked: without a provider it has templates only. */
export function canAsk(shell: Pick<Shell, "health" | "demo">): boolean {
  return isWritable(shell) && !shell.demo;
}
