/**
 * Public name → content. Nothing else is served as a static file, and all of it is inside the
 * executable. `assetUrl` carries the content's hash, so an answer may be cached for ever.
 */
import { readFileSync } from "node:fs";
import inter from "./assets/inter.woff2" with { type: "file" };
import mono from "./assets/mono.woff2" with { type: "file" };
import style from "./assets/packed/app.css.gz" with { type: "file" };
import client from "./assets/packed/client.js.gz" with { type: "file" };
import editor from "./assets/packed/editor.js.gz" with { type: "file" };
import icon from "./assets/packed/icon.svg.gz" with { type: "file" };
import {
  embedClient,
  embedEditor,
  embedStyle,
  embedText,
  fileHash,
} from "./assets/embed.ts" with { type: "macro" };

export const ASSETS_PATH = "/assets";

export interface Asset {
  /** Content type. */
  readonly type: string;
  /** Changes with the content; also good as an ETag. */
  readonly hash: string;
  /** The content, ready to be a response's body. */
  readonly body: string | Blob;
  /** The content compressed at build time; undefined for what is compressed already. */
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
}

export const ASSETS: Readonly<Record<string, Asset>> = {
  "app.css": packed("text/css; charset=utf-8", style, embedStyle()),
  "client.js": packed("text/javascript; charset=utf-8", client, embedClient()),
  "editor.js": packed("text/javascript; charset=utf-8", editor, embedEditor()),
  "icon.svg": packed("image/svg+xml", icon, embedText("icon.svg")),
  "inter.woff2": font(inter, fileHash("inter.woff2")),
  "mono.woff2": font(mono, fileHash("mono.woff2")),
};

/** The address of an asset, with its hash: `/assets/app.css?v=…`. An unknown name is a bug. */
export function assetUrl(name: string): string {
  const asset = ASSETS[name];
  if (asset === undefined) throw new Error(`no asset ${name}`);
  return `${ASSETS_PATH}/${name}?v=${asset.hash}`;
}

/** Only its compressed bytes are in the executable, as a file: almost every browser takes them. */
function packed(type: string, path: string, hash: string): Asset {
  let read: Uint8Array<ArrayBuffer> | undefined;
  const bytes = () => (read ??= new Uint8Array(readFileSync(path)));
  return {
    type,
    hash,
    get body() {
      return new TextDecoder().decode(Bun.gunzipSync(bytes()));
    },
    get gzip() {
      return bytes();
    },
  };
}

function font(path: string, hash: string): Asset {
  return { type: "font/woff2", hash, body: Bun.file(path), gzip: undefined };
}
