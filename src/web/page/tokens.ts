import type { Hono } from "hono";
import { TOKEN_DAYS, type TokenForm, TokensPage } from "../../../views/tokens.tsx";
import {
  type AccessToken,
  TOKEN_NAME_LENGTH_MAX,
  TOKEN_SCOPES,
} from "../../domain/access-token.ts";
import { AppError } from "../../domain/error.ts";
import { type Form, readForm } from "../form.ts";
import { type Kit, readOr, type WebContext, type WebEnv } from "../kit.ts";
import { html } from "../render.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { newToken, tokenDigest } from "../token.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Made and not looked at yet: the page after the form shows it, once. */
const UNSEEN_COUNT_MAX = 20;
const UNSEEN_MS = 5 * 60 * 1000;
const EMPTY: TokenForm = { name: "", scope: "read", days: "90" };

interface Unseen {
  readonly name: string;
  readonly token: string;
  readonly until: number;
}

export function registerTokens(app: Hono<WebEnv>, kit: Kit): void {
  const { deps, access } = kit;
  /** By a random word that only the browser which made the token is sent to. */
  const unseen = new Map<string, Unseen>();

  app.get(PATTERNS.tokens, (c) => {
    const place = c.req.query("made") ?? "";
    const made = unseen.get(place);
    // A browser that only asks for the head has shown it to nobody.
    if (c.req.method === "GET") unseen.delete(place);
    const isFresh = made !== undefined && made.until > deps.clock.now();
    return page(c, kit, { form: EMPTY, made: isFresh ? made : undefined });
  });

  app.post(PATTERNS.tokens, async (c) => {
    const form = readTokenForm(await readForm(c));
    if (form.nameError !== undefined) return page(c, kit, { form });
    const { name, scope, days } = form;
    const expiresAt = days === "" ? null : deps.clock.now() + Number(days) * DAY_MS;
    const token = newToken();
    try {
      await deps.tokens.create({ name, scope, expiresAt, digest: tokenDigest(token) });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "limit_reached") throw error;
      return page(c, kit, { form, error });
    }
    const place = crypto.randomUUID();
    unseen.set(place, { name, token, until: deps.clock.now() + UNSEEN_MS });
    const [oldest] = unseen.keys();
    if (unseen.size > UNSEEN_COUNT_MAX && oldest !== undefined) unseen.delete(oldest);
    return c.redirect(`${pathTo.tokens()}?made=${place}`, 303);
  });

  app.post(PATTERNS.tokenRevocation, async (c) => {
    const id = c.req.param("id");
    await deps.tokens.revoke(id);
    access.endToken(id);
    return c.redirect(`${pathTo.tokens()}?revoked=1`, 303);
  });
}

async function page(
  c: WebContext,
  { deps, shell }: Kit,
  { form, made, error }: { form: TokenForm; made?: Unseen | undefined; error?: AppError },
): Promise<Response> {
  const tokens = await readOr<AccessToken[]>(c, deps.tokens.list(), []);
  const view = TokensPage({
    shell: shell(c, "Tokens"),
    tokens,
    form,
    made,
    isRevoked: c.req.query("revoked") === "1",
    error: error?.toRecord(),
  });
  return html(c, view, form.nameError === undefined && error === undefined ? 200 : 422);
}

function readTokenForm(form: Form): TokenForm {
  const name = form.text("name").trim();
  const nameError =
    name === ""
      ? "Write who uses it."
      : name.length > TOKEN_NAME_LENGTH_MAX
        ? `Use at most ${TOKEN_NAME_LENGTH_MAX} characters.`
        : undefined;
  return {
    name,
    scope: TOKEN_SCOPES.find((scope) => scope === form.text("scope")) ?? EMPTY.scope,
    days: TOKEN_DAYS.find((days) => days === form.text("days")) ?? EMPTY.days,
    nameError,
  };
}
