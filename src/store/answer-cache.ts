/** Answers of models by what was asked. Together they take at most BYTES_MAX; the oldest go first. */
import type { AnswerCache, ModelAnswer } from "../domain/model.ts";
import type { Connection } from "./connection.ts";
import { defineStatement } from "./statement.ts";

const BYTES_MAX = 64 * 1024 * 1024;

const GET = defineStatement<{ answer: string }, [string]>(
  "SELECT answer FROM cached_answers WHERE key = ?",
);
const END = defineStatement<{ position: number }, []>(
  `SELECT position + length(CAST(answer AS BLOB)) AS position FROM cached_answers
   ORDER BY position DESC LIMIT 1`,
);
const PUT = defineStatement<unknown, [number, string, string]>(
  "INSERT INTO cached_answers (position, key, answer) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
);
const DROP_OLD = defineStatement<unknown, [number]>(
  "DELETE FROM cached_answers WHERE position < ?",
);

export function createAnswerCache(connection: Connection): AnswerCache {
  return {
    get: (key) =>
      connection.read(({ client }) => {
        const row = GET(client).get(key);
        if (row === null) return undefined;
        const answer: ModelAnswer = JSON.parse(row.answer);
        return answer;
      }),
    async put(key, answer) {
      const json = JSON.stringify(answer);
      await connection.write(({ client }) => {
        // The position counts bytes, so that nothing has to be summed up to know what must go.
        const position = END(client).get()?.position ?? 0;
        const { changes } = PUT(client).run(position, key, json);
        if (changes > 0) DROP_OLD(client).run(position + Buffer.byteLength(json) - BYTES_MAX);
      });
    },
  };
}
