import type { Hono } from "hono";
import { ASSETS, assetUrl, type Asset } from "../../../views/assets.ts";
import { AppError } from "../../domain/error.ts";
import type { WebContext, WebEnv } from "../kit.ts";
import { acceptsGzip } from "../render.ts";
import { PATTERNS } from "../routes.ts";

const ICON = "icon.svg";
const FOREVER = "public, max-age=31536000, immutable";

/** Style, script, fonts and icon: what is inside the executable, nothing from disk. */
export function registerAssets(app: Hono<WebEnv>): void {
  app.get(PATTERNS.asset, (c) => {
    const name = c.req.param("name");
    const asset = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    if (asset === undefined) throw new AppError("not_found", "There is no such file.");
    return answer(c, asset);
  });
  app.get(PATTERNS.favicon, (c) => c.redirect(assetUrl(ICON), 302));
}

/** Kept for ever when the address names this very content; asked for again otherwise. */
function answer(c: WebContext, asset: Asset): Response {
  const isCurrent = c.req.query("v") === asset.hash;
  const etag = `"${asset.hash}"`;
  const headers = new Headers({
    "Content-Type": asset.type,
    "Cache-Control": isCurrent ? FOREVER : "no-cache",
    ETag: etag,
  });
  if (asset.gzip !== undefined) headers.set("Vary", "Accept-Encoding");
  if (c.req.header("If-None-Match") === etag) return new Response(null, { status: 304, headers });
  if (asset.gzip !== undefined && acceptsGzip(c)) {
    headers.set("Content-Encoding", "gzip");
    return new Response(asset.gzip, { headers });
  }
  return new Response(asset.body, { headers });
}
