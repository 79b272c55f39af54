import { z } from "zod";
import { withoutAnsi } from "../../../../views/part/ansi-text.tsx";
import { LOG_LEVELS } from "../../../../views/part/log-line.ts";
import type { Kit } from "../../kit.ts";
import { parsePlace, searchLogs } from "../../log-search.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { decodeCursor, encodeCursor, linkToNext } from "../page.ts";
import { invalidRequest } from "../request.ts";
import { IdParam, PageShape, SearchParam, TimeParam, toIsoOrNull } from "../schema/common.ts";
import { LogListSchema, presentLogLine } from "../schema/maintenance.ts";

/** Workers have clocks of their own. */
const OVERLAP_MS = 2_000;

export function logOperations({ deps }: Kit): Operation[] {
  return [
    defineOperation({
      id: "listLogs",
      method: "GET",
      path: "/logs",
      tag: "logs",
      summary: "List what services and runs have said, the newest first",
      scope: "read",
      query: z.strictObject({
        ...PageShape,
        source: IdParam.optional().describe("`services`, `runs`, or the name of a service."),
        run: IdParam.optional().describe("Of this run alone."),
        level: z.enum(LOG_LEVELS).optional().describe("This one and what is worse."),
        search: SearchParam.describe("Words that are all in the line."),
        since: TimeParam.optional().describe("At this time or later."),
        until: TimeParam.optional().describe("At this time or before."),
      }),
      answer: { status: 200, description: "A page of lines.", schema: LogListSchema, isPage: true },
      async handle({ c, query }) {
        const { limit, source, run: runId, level, search: text, since: sinceMs, until } = query;
        const end = { untilMs: until ?? deps.clock.now() + OVERLAP_MS, skipCount: 0 };
        const place = readCursor(query.cursor) ?? end;
        const filter = { source, runId, level, text };
        const found = await searchLogs(deps, { filter, ...place, sinceMs, limit });
        const next = found.next === undefined ? undefined : encodeCursor(found.next);
        const items = found.lines.map((line) => presentLogLine(line, withoutAnsi(line.text)));
        const body = {
          items,
          next: next ?? null,
          looked_to: toIsoOrNull(found.lookedToMs ?? null),
        };
        return { body, headers: linkToNext(c, next) };
      },
    }),
  ];
}

function readCursor(cursor: string | undefined) {
  const text = decodeCursor(cursor);
  const place = text === undefined ? undefined : parsePlace(text);
  if (text === undefined || place !== undefined) return place;
  const message = "This is no cursor; use `next` of the page before.";
  throw invalidRequest([{ in: "query", field: "cursor", message }]);
}
