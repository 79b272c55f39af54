import { and, desc, eq, sql } from "drizzle-orm";
import {
  type AccessToken,
  TOKEN_COUNT_MAX,
  TOKEN_USE_STEP_MS,
  type TokenStore,
} from "../domain/access-token.ts";
import { AppError } from "../domain/error.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { Connection } from "./connection.ts";
import { accessTokens } from "./schema.ts";

type Row = typeof accessTokens.$inferSelect;

export function createTokenStore(connection: Connection, clock: Clock): TokenStore {
  return {
    create: (token) =>
      connection.write(({ db }) => {
        const held = db
          .select({ count: sql<number>`count(*)` })
          .from(accessTokens)
          .get();
        if ((held?.count ?? 0) >= TOKEN_COUNT_MAX) {
          throw new AppError("limit_reached", `There are ${TOKEN_COUNT_MAX} tokens already.`, {
            fix: "Revoke those that nobody uses.",
          });
        }
        const now = clock.now();
        const row = { id: newId(now), ...token, createdAt: now, lastUsedAt: null };
        db.insert(accessTokens).values(row).run();
        return toToken(row);
      }),
    list: () =>
      connection.read(({ db }) =>
        db
          .select()
          .from(accessTokens)
          .orderBy(desc(accessTokens.id))
          .limit(TOKEN_COUNT_MAX)
          .all()
          .map(toToken),
      ),
    async use(digest) {
      const now = clock.now();
      const row = await connection.read(({ db }) =>
        db.select().from(accessTokens).where(eq(accessTokens.digest, digest)).get(),
      );
      if (row === undefined || (row.expiresAt !== null && row.expiresAt <= now)) return undefined;
      const minute = now - (now % TOKEN_USE_STEP_MS);
      if (row.lastUsedAt === minute) return toToken(row);
      try {
        await connection.write(({ db }) =>
          db
            .update(accessTokens)
            .set({ lastUsedAt: minute })
            .where(and(eq(accessTokens.id, row.id), eq(accessTokens.digest, digest)))
            .run(),
        );
      } catch (error) {
        // A database that takes no writes is read all the same; the time of use is only for people.
        if (!(error instanceof AppError)) throw error;
      }
      return toToken({ ...row, lastUsedAt: minute });
    },
    async revoke(id) {
      const revoked = await connection.write(({ db }) =>
        db
          .delete(accessTokens)
          .where(eq(accessTokens.id, id))
          .returning({ id: accessTokens.id })
          .all(),
      );
      if (revoked.length > 0) return;
      throw new AppError("not_found", `There is no token ${id}.`, {
        fix: "Choose one from the list of tokens.",
      });
    },
  };
}

function toToken(row: Row): AccessToken {
  const { digest: _, ...token } = row;
  return token;
}
