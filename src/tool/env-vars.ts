/** Environment variables that are no secrets. */
import * as z from "zod";
import type { Tool } from "../domain/tool.ts";
import { createRedactor } from "../lib/redact.ts";
import { defineTool } from "./define-tool.ts";

const PATTERN_CHARS_MAX = 200;
const SECRET_NAME =
  /KEY|SECRET|PASSW|PASSPHRASE|TOKEN|API|CREDENTIAL|PRIVATE|AUTH|SESSION|COOKIE|HASH|DSN|WEBHOOK/i;

const input = z.object({
  pattern: z
    .string()
    .max(PATTERN_CHARS_MAX)
    .optional()
    .describe('Which names, such as "PYTHON*"; all when left out.'),
});

export interface EnvVarsDeps {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values that are never shown, whatever their names are. */
  readonly hidden: readonly string[];
  /** Blanks out what is known to be secret. */
  readonly redact: (text: string) => string;
}

/** The tool `env_vars`. */
export function createEnvVars({ environment, hidden, redact }: EnvVarsDeps): Tool {
  return defineTool({
    name: "env_vars",
    description:
      "Returns environment variables by name. Variables whose names or values look secret (keys, passwords, tokens) are left out.",
    input,
    async run({ pattern = "*" }) {
      const glob = new Bun.Glob(pattern);
      const entries = Object.entries(environment);
      const secrets = entries.filter(([name]) => SECRET_NAME.test(name)).map(([, value]) => value);
      // The same secret may stand under a harmless name too.
      const blankOut = createRedactor([...secrets, ...hidden]);
      const shown = entries.flatMap(([name, value]) => {
        if (value === undefined || SECRET_NAME.test(name) || !glob.match(name)) return [];
        return redact(value) === value && blankOut(value) === value ? [[name, value] as const] : [];
      });
      return Object.fromEntries(shown.toSorted(([left], [right]) => (left < right ? -1 : 1)));
    },
  });
}
