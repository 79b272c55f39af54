/** What the pages of the API show. */
import type { AccessToken } from "../../src/domain/access-token.ts";
import type { ApiReference } from "../../views/api.tsx";
import { HOSTILE, NOW } from "./fixtures.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export const TOKENS: readonly AccessToken[] = [
  {
    id: "01jd2v7k3m0q4x8z",
    name: "Continuous integration",
    scope: "write",
    createdAt: NOW - DAY_MS,
    lastUsedAt: NOW - 120_000,
    expiresAt: NOW + 80 * DAY_MS,
  },
  {
    id: "01jd2v7k3m0q4x8y",
    name: HOSTILE,
    scope: "admin",
    createdAt: NOW - 90 * DAY_MS,
    lastUsedAt: null,
    expiresAt: NOW - DAY_MS,
  },
  {
    id: "01jd2v7k3m0q4x8x",
    name: "Backup",
    scope: "read",
    createdAt: NOW - 200 * DAY_MS,
    lastUsedAt: null,
    expiresAt: null,
  },
];

export const API_REFERENCE: ApiReference = {
  version: "0.1.0",
  introduction: "Everything that the pages can do, for programs. Send `next` back as `cursor`.",
  base: "http://127.0.0.1:7861/api/v1",
  groups: [
    {
      name: "runs",
      description: "What was started, what it did, and what can be done with it.",
      operations: [
        {
          id: "startRun",
          tag: "runs",
          method: "POST",
          path: "/workflows/{id}/runs",
          summary: "Start a run of a workflow",
          description: "With an Idempotency-Key there is one run. Needs the scope `write`.",
          parameters: [
            {
              name: "id",
              in: "path",
              type: ["string"],
              isRequired: true,
              description: "Id or name.",
              notes: ["at most 200 characters"],
            },
          ],
          body: { type: [{ schema: "NewRun" }], isRequired: false },
          answers: [
            {
              status: "201",
              description: "The run, in the queue.",
              type: [{ schema: "NewRun" }],
              mediaType: "application/json",
            },
            {
              status: "404",
              description: "There is no such thing.",
              type: [],
              mediaType: "",
            },
          ],
          curl: 'curl -X POST \\\n  http://127.0.0.1:7861/api/v1/workflows/ID/runs \\\n  -d \'{"inputs":{"name":"Ada"}}\'',
        },
        {
          id: "deleteRun",
          tag: "runs",
          method: "DELETE",
          path: "/a/very/long/address/that/has/to/break/{somewhere}/on/a/narrow/screen",
          summary: HOSTILE,
          description: HOSTILE,
          parameters: [],
          body: undefined,
          answers: [{ status: "204", description: HOSTILE, type: [], mediaType: "" }],
          curl: HOSTILE,
        },
      ],
    },
  ],
  schemas: [
    {
      name: "NewRun",
      description: "What starts a run.",
      type: ["object with inputs"],
      fields: [
        {
          name: "inputs",
          type: ["object of ", { schema: "Json" }],
          isRequired: true,
          description: "Values by field.",
          notes: ["default {}"],
        },
      ],
    },
    { name: "Json", description: "Any JSON value.", type: ["any"], fields: [] },
  ],
};
