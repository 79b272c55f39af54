/** What a message may be about: a thing of the product that a link from its page names, told as an attached text. */
import type { ChatDraft, DraftAbout } from "../../../views/chat.tsx";
import { ASK_CHEAPER, ASK_FAILURE, ASK_FAILURES } from "../../../views/part/ask-chat.tsx";
import { shortId } from "../../../views/part/id.ts";
import { type NewMessageFile, MESSAGE_FILE_CHARS_MAX } from "../../domain/conversation.ts";
import { AppError } from "../../domain/error.ts";
import type { Run } from "../../domain/run.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Form } from "../form.ts";
import { readMetricsChoice } from "../metrics-range.ts";
import { compareRuns } from "../run-comparison.ts";
import type { ChatDeps } from "./deps.ts";
import { comparisonText, metricsText } from "./subject-text.ts";

type SubjectDeps = Pick<
  ChatDeps,
  "tools" | "clock" | "workflows" | "runs" | "runReader" | "metrics"
>;

/** Failed runs that are told whole; of more there is a line each. */
const FAILED_COUNT_MAX = 3;
const FAILED_LIST_COUNT = 10;
/** What begins a list of values in a field. */
const SEPARATOR = "/";

interface Subject {
  /** Of the form, and of the address that begins a draft. */
  readonly field: string;
  /** What the person is shown; undefined when there is no such thing. */
  about(deps: SubjectDeps, value: string): Promise<Opening | undefined>;
  /** What the model is told. @throws AppError `not_found`. */
  files(deps: SubjectDeps, value: string): Promise<readonly TextFile[]>;
}

interface Opening {
  readonly text: string;
  readonly about: Pick<DraftAbout, "kind" | "name" | "href">;
}

interface TextFile {
  readonly name: string;
  readonly text: string;
}

const pathOf = (kind: "workflows" | "runs", id: string) => `/${kind}/${encodeURIComponent(id)}`;

const WORKFLOW: Subject = {
  field: "workflow",
  async about({ workflows }, id) {
    const found = await workflows.get(id);
    if (found === undefined) return undefined;
    const { name } = found;
    const about = { kind: "workflow", name, href: pathOf("workflows", found.id) };
    return { text: `Change the workflow ${name} so that `, about };
  },
  async files(deps, id) {
    const text = await toldBy(deps, "read_workflow", { workflow: id });
    return [{ name: `${id}-workflow.txt`, text }];
  },
};

/** `ID/3`: one version of a workflow, with the current one beside it. */
const VERSION: Subject = {
  field: "version",
  async about({ workflows }, value) {
    const [id = "", number = ""] = value.split(SEPARATOR);
    const record = await workflows.get(id);
    const versions = record === undefined ? [] : await workflows.versions(id);
    if (record === undefined || !versions.some((one) => String(one.number) === number))
      return undefined;
    const href = `${pathOf("workflows", id)}/versions/${number}`;
    return {
      text: `What does version ${number} of the workflow ${record.name} do otherwise than the current one, and which is better?`,
      about: { kind: "workflow", name: `${record.name}, version ${number}`, href },
    };
  },
  async files(deps, value) {
    const [workflow = "", number = ""] = value.split(SEPARATOR);
    const [then, now] = await Promise.all([
      toldBy(deps, "read_workflow", { workflow, version: Number(number) }),
      toldBy(deps, "read_workflow", { workflow }),
    ]);
    return [
      { name: `${workflow}-version-${number}.txt`, text: then },
      { name: `${workflow}-current.txt`, text: now },
    ];
  },
};

const RUN: Subject = {
  field: "run",
  async about({ runs }, id) {
    const run = await runs.get(id);
    if (run === undefined) return undefined;
    const text = run.state === "failed" ? ASK_FAILURE : "What happened in this run?";
    const name = `${run.workflowName} ${run.id}`;
    return { text, about: { kind: "run", name, href: pathOf("runs", run.id) } };
  },
  files: async (deps, id) => [
    { name: `${id}-run.txt`, text: await toldBy(deps, "read_run", { run: id }) },
  ],
};

/** `A/B`: two runs, with their figures side by side. */
const COMPARISON: Subject = {
  field: "comparison",
  async about(deps, value) {
    const both = await bothRuns(deps, value);
    if (both === undefined) return undefined;
    const [a, b] = both;
    const href = `/runs/compare?${new URLSearchParams({ a: a.id, b: b.id }).toString()}`;
    return {
      text: "Which of these two runs is better, in its result, its time and its cost? Say what made the difference.",
      about: { kind: "comparison of", name: `${nameOfRun(a)} and ${nameOfRun(b)}`, href },
    };
  },
  async files(deps, value) {
    const both = await bothRuns(deps, value);
    if (both === undefined) throw notFound("two such runs");
    const [a, b] = both;
    const [comparison, first, second] = await Promise.all([
      compareRuns(deps, a, b),
      toldBy(deps, "read_run", { run: a.id }),
      toldBy(deps, "read_run", { run: b.id }),
    ]);
    return [
      { name: "comparison.txt", text: comparisonText(comparison) },
      { name: `${a.id}-first-run.txt`, text: first },
      { name: `${b.id}-second-run.txt`, text: second },
    ];
  },
};

/** The query of the metrics page. */
const METRICS: Subject = {
  field: "metrics",
  async about(deps, value) {
    const { query, choice } = metricsOf(deps, value);
    if (choice.fault !== undefined) return undefined;
    const { workflowId } = choice;
    const one = workflowId === undefined ? undefined : await deps.workflows.get(workflowId);
    if (workflowId !== undefined && one === undefined) return undefined;
    const range =
      choice.preset === "custom" ? `${choice.from} to ${choice.to}` : `the last ${choice.preset}`;
    const of = one === undefined ? "" : ` of ${one.name}`;
    return {
      text: ASK_CHEAPER,
      about: { kind: "metrics", name: `${range}${of}`, href: `/metrics?${query.toString()}` },
    };
  },
  async files(deps, value) {
    const { choice } = metricsOf(deps, value);
    return [{ name: "metrics.txt", text: await metricsText(deps.metrics, choice) }];
  },
};

const FAILURES: Subject = {
  field: "failures",
  async about({ runs }) {
    const { runs: found } = await runs.page({ limit: 1, states: ["failed"] });
    if (found.length === 0) return undefined;
    return {
      text: ASK_FAILURES,
      about: { kind: "list of", name: "the newest failed runs", href: "/runs?state=failed" },
    };
  },
  async files(deps) {
    const { runs } = await deps.runs.page({ limit: FAILED_COUNT_MAX, states: ["failed"] });
    const list = { state: "failed", limit: FAILED_LIST_COUNT };
    const [told, ...each] = await Promise.all([
      toldBy(deps, "list_runs", list),
      ...runs.map(({ id }) => toldBy(deps, "read_run", { run: id })),
    ]);
    return [{ name: "failed-runs.txt", text: [told, ...each].join("\n\n") }];
  },
};

/** The text of a workflow that is being written, with what is wrong with it. */
const SOURCE: Subject = {
  field: "source",
  // No link carries a text.
  about: () => Promise.resolve(undefined),
  async files(deps, sent) {
    const source = sent.replaceAll("\r\n", "\n");
    if (source.length > MESSAGE_FILE_CHARS_MAX) {
      throw new AppError("too_large", "The workflow is too long for a message.", {
        fix: "Attach the part of it that matters.",
      });
    }
    const problems = await toldBy(deps, "validate_workflow", { yaml: source });
    return [
      { name: "workflow.yaml", text: source },
      { name: "problems.txt", text: problems },
    ];
  },
};

const SUBJECTS = [WORKFLOW, VERSION, RUN, COMPARISON, METRICS, FAILURES, SOURCE];

/** What a link from elsewhere in the product begins with. */
export async function draftAbout(
  deps: SubjectDeps,
  query: Readonly<Record<string, string>>,
): Promise<ChatDraft | undefined> {
  const { variant } = query;
  for (const subject of SUBJECTS) {
    const { field } = subject;
    const isVariant = field === "workflow" && variant !== undefined;
    const value = isVariant ? variant : query[field];
    if (value === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- The first that is named is the one.
    const opening = await subject.about(deps, value);
    if (opening === undefined) return undefined;
    const { name } = opening.about;
    const text = isVariant
      ? `Make a variant of the workflow ${name}, under another name, that `
      : opening.text;
    return { text, about: { ...opening.about, field, value } };
  }
  return undefined;
}

/** The files that go with a message for what its form says that it is about. @throws AppError `not_found`. */
export async function subjectFiles(form: Form, deps: SubjectDeps): Promise<NewMessageFile[]> {
  const files = await Promise.all(
    SUBJECTS.flatMap((subject) => {
      const value = form.text(subject.field);
      return value === "" ? [] : [subject.files(deps, value)];
    }),
  );
  const encoder = new TextEncoder();
  return files
    .flat()
    .map(({ name, text }) => ({ name, mediaType: "text/plain", data: encoder.encode(text) }));
}

/** The tools that tell a model of a thing tell it of one that a message is about, too. */
async function toldBy(
  { tools, clock }: SubjectDeps,
  name: string,
  input: JsonObject,
): Promise<string> {
  const tool = (await tools()).find(({ spec }) => spec.name === name);
  if (tool === undefined) throw new AppError("internal", "Internal error.");
  return (await tool.run(input, { seed: name, atMs: clock.now(), seen: null })).text;
}

async function bothRuns({ runs }: SubjectDeps, value: string): Promise<[Run, Run] | undefined> {
  const [first = "", second = ""] = value.split(SEPARATOR);
  const [a, b] = await Promise.all([runs.get(first), runs.get(second)]);
  return a === undefined || b === undefined ? undefined : [a, b];
}

function nameOfRun({ workflowName, id }: Run): string {
  return `${workflowName} ${shortId(id)}`;
}

function metricsOf({ clock }: SubjectDeps, value: string) {
  const query = new URLSearchParams(value);
  return { query, choice: readMetricsChoice((name) => query.get(name) ?? undefined, clock.now()) };
}

function notFound(what: string): AppError {
  return new AppError("not_found", `There are no ${what}.`, {
    fix: "Go back to the page you came from and choose anew.",
  });
}
