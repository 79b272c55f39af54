/** Keys that the format has and this version does not act on: refused where they would change a run. */
import type { Json } from "../lib/json.ts";
import { listOf, member, pathsOf, valueAt } from "./raw.ts";
import type { Reporter } from "./report.ts";

export interface Feature {
  readonly pattern: string;
  readonly message: string;
  readonly fix: string;
  /** @param owner The map that holds the key. Without this, every use counts. */
  readonly matters?: (value: Json | undefined, owner: Json | undefined) => boolean;
}

const isEnabled = (value: Json | undefined) => member(value, "enabled") === true;

/** Would change what a run does: an error. */
export const UNSUPPORTED: readonly Feature[] = [
  {
    pattern: "config.ab_test",
    message: "`ab_test` (comparing prompt variants) cannot be run by this version.",
    fix: "Remove it, or write `enabled: false`.",
    matters: isEnabled,
  },
  {
    pattern: "config.gates",
    message: "`gates` (limits for results) cannot be enforced by this version.",
    fix: "Remove it.",
    matters: (value) => listOf(member(value, "gates")).length > 0,
  },
];

const IGNORED_FIXES: Readonly<Record<string, string>> = {
  memory: "Move it into `config:`, as `config.memory`, or remove it.",
  "nodes[].name": "Write it as `description`, or remove it.",
};

/** Never had any effect in CA: a warning. */
export const IGNORED: readonly Feature[] = [
  "optimization",
  "memory",
  "webhook",
  "flow.tags",
  "flow.author",
  "nodes[].name",
  "nodes[].optimize",
  "config.observability.mlflow.retention_days",
  "config.observability.mlflow.redact_pii",
].map((pattern) => ({
  pattern,
  message: `\`${pattern.split(".").at(-1)}\` is accepted and has no effect.`,
  fix: IGNORED_FIXES[pattern] ?? "Remove it.",
  // A node with a name and no id is told to rename it.
  matters: (_, owner) => pattern !== "nodes[].name" || member(owner, "id") !== undefined,
}));

/** Has an effect in CA that no run depends on, and that is decided elsewhere here: a warning. */
export const WITHOUT_EFFECT: readonly Feature[] = [
  {
    pattern: "config.observability.mlflow",
    message: "`mlflow` has no effect in a workflow file.",
    fix: "Turn MLflow on or off with `agents start --mlflow` or `--no-mlflow`.",
    matters: (value) => member(value, "enabled") !== false,
  },
  {
    pattern: "config.observability.logging",
    message: "`logging` has no effect in a workflow file.",
    fix: "Start with `--verbose` to see more.",
  },
  {
    pattern: "config.storage",
    message: "`storage` has no effect in a workflow file.",
    fix: "Choose the database with `--db-url` or `--data-dir`.",
  },
  ...["config.mlflow", "nodes[].mlflow", "nodes[].log_prompts", "nodes[].log_artifacts"].map(
    (pattern) => ({
      pattern,
      message: `\`${pattern.split(".").at(-1)}\` has no effect in this version.`,
      fix: "Remove it.",
      // `enabled` and the like belong to `config.observability.mlflow`, and the author is told so.
      matters: (value: Json | undefined) => member(value, "enabled") === undefined,
    }),
  ),
];

/** Reports every use of a feature that this version lacks, and every key that does nothing. */
export function checkFeatures(file: Json, reporter: Reporter): void {
  const groups = [
    { features: UNSUPPORTED, code: "unsupported", report: reporter.error },
    { features: IGNORED, code: "ignored-key", report: reporter.warning },
    { features: WITHOUT_EFFECT, code: "no-effect", report: reporter.warning },
  ] as const;
  for (const { features, code, report } of groups) {
    for (const { pattern, message, fix, matters } of features) {
      for (const path of pathsOf(file, pattern)) {
        const owner = valueAt(file, path.slice(0, -1));
        if (matters === undefined || matters(valueAt(file, path), owner))
          report(path, { code, message, fix, at: "key" });
      }
    }
  }
}
