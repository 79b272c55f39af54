import type { Kit } from "../../kit.ts";
import { API_PREFIX } from "../../routes.ts";
import { newToken, tokenDigest } from "../../token.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { invalidRequest } from "../request.ts";
import { IdParams } from "../schema/common.ts";
import {
  IssuedTokenSchema,
  NewTokenSchema,
  presentToken,
  TokenListSchema,
} from "../schema/entry.ts";

export function tokenOperations(kit: Kit): Operation[] {
  return [...issuingOperations(kit), ...revokingOperations(kit)];
}

function issuingOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "listTokens",
      method: "GET",
      path: "/tokens",
      tag: "tokens",
      summary: "List tokens, the newest first",
      scope: "admin",
      answer: {
        status: 200,
        description: "The tokens, without what proves them.",
        schema: TokenListSchema,
      },
      async handle() {
        return { body: { items: (await deps.tokens.list()).map(presentToken) } };
      },
    }),
    defineOperation({
      id: "createToken",
      method: "POST",
      path: "/tokens",
      tag: "tokens",
      summary: "Create a token",
      description:
        "The answer is the only place where it is shown: of the token only a digest is kept.",
      scope: "admin",
      body: NewTokenSchema,
      bodyExample: {
        name: "Continuous integration",
        scope: "write",
        expires_at: "2027-01-01T00:00:00Z",
      },
      answer: {
        status: 201,
        description: "The token.",
        schema: IssuedTokenSchema,
        hasLocation: true,
      },
      repetition: "secret",
      async handle({ body }) {
        const { name, scope, expires_at: expiresAt } = body;
        if (expiresAt !== null && expiresAt <= deps.clock.now()) {
          const message = "A token cannot expire in the past.";
          throw invalidRequest([{ in: "body", field: "/expires_at", message }]);
        }
        const token = newToken();
        const made = await deps.tokens.create({
          name,
          scope,
          expiresAt,
          digest: tokenDigest(token),
        });
        const headers = {
          Location: `${API_PREFIX}/tokens/${made.id}`,
          "Cache-Control": "no-store",
        };
        return { body: { ...presentToken(made), token }, headers };
      },
    }),
  ];
}

function revokingOperations({ deps, access }: Kit): Operation[] {
  return [
    defineOperation({
      id: "revokeToken",
      method: "DELETE",
      path: "/tokens/:id",
      tag: "tokens",
      summary: "Revoke a token",
      scope: "admin",
      params: IdParams,
      answer: { status: 204, description: "It counts no more." },
      async handle({ params }) {
        await deps.tokens.revoke(params.id);
        access.endToken(params.id);
        return {};
      },
    }),
  ];
}
