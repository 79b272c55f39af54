import type { Hono } from "hono";
import { ApiPage } from "../../../views/api.tsx";
import { oncePer } from "../../lib/once-per.ts";
import type { Api } from "../api/app.ts";
import type { Kit, WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { API_PREFIX, PATTERNS } from "../routes.ts";

/** The API is loaded with its first request: its schemas would delay the first page. */
export const apiOf: (kit: Kit) => Promise<Api> = oncePer(async (kit: Kit) => {
  const { createApi } = await import("../api/app.ts");
  return createApi(kit);
});

export function registerApi(app: Hono<WebEnv>, kit: Kit): void {
  app.get(PATTERNS.apiReference, async (c) => {
    const { readReference } = await import("../api/reference.ts");
    const { needsLogin: needsToken } = kit.access;
    const document = await (await apiOf(kit)).document();
    const { origin } = new URL(c.req.url);
    const reference = readReference(document, { origin, needsToken });
    const search = c.req.query("search")?.trim() ?? "";
    return html(c, ApiPage({ shell: kit.shell(c, "API"), reference, search, needsToken }));
  });

  app.all(`${API_PREFIX}/*`, async (c) => (await apiOf(kit)).fetch(c.req.raw, c.env));
}
