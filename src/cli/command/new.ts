import { writeFile } from "node:fs/promises";
import { fileError } from "../../config/file-error.ts";
import { loadConfig } from "../../config/load.ts";
import { MESSAGE_CHARS_MAX } from "../../domain/conversation.ts";
import { AppError, ERROR_CODES } from "../../domain/error.ts";
import { PROVIDERS, type WorkflowRecord } from "../../domain/workflow.ts";
import { errorCode } from "../../lib/atomic-file.ts";
import { pathExists } from "../../lib/path-exists.ts";
import { type BuildView, createBuildView } from "../build-view.ts";
import type { CommandContext } from "../command.ts";
import type { NEW } from "../file-definition.ts";
import { backgroundReporter, reportError } from "../error.ts";
import { plural, toUsd } from "../format.ts";
import type { BuildAnswer, WorkflowBuilder } from "../product.ts";
import { print, readAll } from "../terminal.ts";

type Context = CommandContext<typeof NEW.flags>;

interface Talk {
  readonly context: Context;
  readonly builder: WorkflowBuilder;
  readonly view: BuildView;
  readonly id: string;
  /** A page of the running server; a path when none runs. */
  readonly address: (path: string) => string;
}

/** Builds a workflow from words. Exit code 0 only when it is valid. */
export async function newWorkflow(context: Context): Promise<number> {
  const { flags } = context;
  const config = await loadConfig(context.sources);
  await checkFlags(flags);
  const text = await readWish(context);
  const app = await context.loadApp();
  const instance = await app.readInstance(config.dataDir);
  const url = instance?.info?.url ?? undefined;
  const builder = await app.openWorkflowBuilder(config, backgroundReporter(context));
  try {
    if (flags.continue !== undefined) await builder.interruptAbandoned(flags.continue);
    const id = await begin(builder, text, flags);
    const address = (path: string) => (url === undefined ? `/${path}` : new URL(path, url).href);
    const talk = { context, builder, view: createBuildView(context), id, address };
    return await converse(talk, text);
  } finally {
    await builder.close();
  }
}

/** Before anything is paid for. @throws AppError `usage`, `conflict`. */
async function checkFlags({ model, output, force }: Context["flags"]): Promise<void> {
  const [, provider] = /^([^/]+)\/./.exec(model ?? "") ?? [];
  if (model !== undefined && !PROVIDERS.some((name) => name === provider)) {
    throw new AppError("usage", `--model ${model} is not of the form PROVIDER/MODEL.`, {
      fix: `Begin it with one of ${PROVIDERS.map((name) => `${name}/`).join(", ")}.`,
    });
  }
  if (output === undefined || force === true) return;
  if (await pathExists(output)) throw fileIsThere(output);
}

function fileIsThere(file: string): AppError {
  return new AppError("conflict", `${file} is there already.`, {
    fix: "Add --force to write over it, or name another file.",
  });
}

/** @returns undefined when a conversation goes on without new words. @throws AppError `usage`, `too_large`. */
async function readWish(context: Context): Promise<string | undefined> {
  const { flags, terminal, positionals } = context;
  const given = positionals.join(" ");
  const text = (given === "-" ? await readAll(terminal.input) : given).trim();
  if (text.length > MESSAGE_CHARS_MAX) {
    throw new AppError("too_large", `A message has at most ${MESSAGE_CHARS_MAX} characters.`, {
      fix: "Shorten it, or say it in two messages.",
    });
  }
  if (text !== "") return text;
  if (flags.continue !== undefined) return undefined;
  if (terminal.interactive && !flags.yes && !flags.json) {
    return (await import("../build-questions.ts")).askWish(terminal);
  }
  throw new AppError("usage", "`agents new` needs words that say what the workflow does.", {
    fix: 'Write them in quotes: agents new "Rate each review and sum them up".',
  });
}

/** @returns the conversation's id. */
async function begin(
  builder: WorkflowBuilder,
  text: string | undefined,
  flags: Context["flags"],
): Promise<string> {
  const id = flags.continue;
  if (id === undefined) return await builder.create(text ?? "", flags.model ?? null);
  if (flags.model !== undefined) await builder.pickModel(id, flags.model);
  if (text !== undefined) await builder.say(id, text);
  return id;
}

/** Asks the model, and the person what to do, until there is nothing more to do. */
async function converse(talk: Talk, text: string | undefined): Promise<number> {
  const { context, builder, id, view } = talk;
  const { flags, terminal } = context;
  const asks =
    terminal.interactive && !flags.yes && !flags.save && !flags.json && flags.output === undefined;
  const known = text === undefined ? await builder.newest(id) : undefined;
  let answer = known ?? (await ask(talk));
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other.
    view.showResult(answer, await builder.totals(id));
    if (!asks || answer.message.state !== "done") break;
    // oxlint-disable-next-line no-await-in-loop
    const next = await (await import("../build-questions.ts")).askNext(terminal, answer);
    // oxlint-disable-next-line no-await-in-loop
    if (next.kind === "end") return await finish(talk, answer, next);
    // oxlint-disable-next-line no-await-in-loop
    await builder.say(id, next.text);
    // oxlint-disable-next-line no-await-in-loop
    answer = await ask(talk);
  }
  return await finish(talk, answer, { save: flags.save, file: flags.output, force: flags.force });
}

/** The first Ctrl-C ends the model's request, a second one this process. */
async function ask({ context, builder, view, id }: Talk): Promise<BuildAnswer> {
  const abort = new AbortController();
  const stopListening = context.terminal.onInterrupt(() => {
    stopListening();
    abort.abort();
  });
  try {
    return await builder.answer(id, { ...view.hooks, signal: abort.signal });
  } finally {
    stopListening();
  }
}

interface Wish {
  readonly save?: boolean | undefined;
  readonly file?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Does what is wished with the workflow, and says how it went. @returns the exit code. */
async function finish(talk: Talk, answer: BuildAnswer, wish: Wish): Promise<number> {
  const { context, builder, view, id, address } = talk;
  const { flags, terminal, global } = context;
  const { result } = answer;
  const failure = failureOf(answer, id);
  const saved =
    wish.save && result?.workflow !== undefined
      ? await builder.save(result.workflow, result.source)
      : undefined;
  const written =
    wish.file !== undefined && result !== undefined
      ? await write(wish.file, result.source, wish.force === true)
      : undefined;
  const conversation = address(`chat/${id}`);
  if (flags.json) {
    const totals = await builder.totals(id);
    const document = { id, conversation, answer, saved, written, failure, totals };
    print(terminal, JSON.stringify(buildDocument(document), null, 2));
    return failure === undefined ? 0 : ERROR_CODES[failure.code].exit;
  }
  if (saved !== undefined) {
    const place = address(`workflows/${saved.id}`);
    print(terminal, `Saved as ${saved.name}, version ${saved.version.number}: ${place}`);
  }
  if (written !== undefined) print(terminal, `The workflow is in ${written}.`);
  const isPiped = terminal.output.isTTY !== true;
  if (isPiped && saved === undefined && written === undefined && result !== undefined)
    terminal.output.write(result.source);
  view.showConversation(conversation, id);
  return failure === undefined ? 0 : reportError(failure, terminal, global.verbose === true);
}

/** Why there is no workflow that can run. */
function failureOf({ message, result }: BuildAnswer, id: string): AppError | undefined {
  const { state, error } = message;
  const goOn = `agents new --continue ${id}`;
  if (state === "failed" && error !== null) {
    const { code, fix = `Try again with \`${goOn}\`.` } = error;
    return new AppError(code, error.message, { fix });
  }
  if (state !== "done") {
    return new AppError("cancelled", "The answer was stopped. What had come is kept.", {
      fix: `Try again with \`${goOn}\`.`,
    });
  }
  if (result === undefined) {
    return new AppError("output_invalid", "There is no workflow in the answer.", {
      fix: `Answer it with \`${goOn} "…"\`.`,
    });
  }
  if (result.workflow !== undefined) return undefined;
  const { length } = result.problems.filter(({ severity }) => severity === "error");
  const text = `The workflow cannot run yet: ${plural(length, "error")} left.`;
  return new AppError("workflow_invalid", text, {
    fix: `Try again with \`${goOn}\`, or correct the file.`,
  });
}

/** @throws AppError `conflict` when the file is there, `permission_denied`, … */
async function write(file: string, source: string, force: boolean): Promise<string> {
  await writeFile(file, source, { flag: force ? "w" : "wx" }).catch((error: unknown) => {
    throw errorCode(error) === "EEXIST" ? fileIsThere(file) : fileError(error, `write ${file}`);
  });
  return file;
}

interface BuildDocument {
  readonly id: string;
  readonly conversation: string;
  readonly answer: BuildAnswer;
  readonly saved: WorkflowRecord | undefined;
  readonly written: string | undefined;
  readonly failure: AppError | undefined;
  readonly totals: Awaited<ReturnType<WorkflowBuilder["totals"]>>;
}

function buildDocument(document: BuildDocument) {
  const { id, conversation, answer, saved, written, failure, totals } = document;
  const { message, result } = answer;
  return {
    valid: result?.workflow !== undefined && message.state === "done",
    source: result?.source ?? null,
    problems: result?.problems ?? [],
    /** How often the file went back to the model. */
    repairs: message.round,
    text: message.text,
    conversation_id: id,
    conversation,
    workflow_id: saved?.id ?? null,
    version: saved?.version.number ?? null,
    file: written ?? null,
    provider: message.provider,
    model: message.model,
    /** True: a template, no model was asked. */
    demo: message.provider === "demo",
    /** Of all answers of the conversation. */
    usage: { input_tokens: totals.inputTokens, output_tokens: totals.outputTokens },
    cost_usd: toUsd(totals.costNanoUsd),
    /** False: the prices of some answers are not known, the cost is a lower bound. */
    cost_complete: totals.unpricedCount === 0,
    error: failure?.toRecord() ?? null,
  };
}
