/** What `agents new` shows on standard error: the talk as it comes, repairs, the graph, what is left. */
import { createColors } from "picocolors";
import { type ConversationTotals, REPAIR_ROUND_COUNT_MAX } from "../domain/conversation.ts";
import type { Problem } from "../domain/workflow.ts";
import { toLines } from "../graph/text.ts";
import { formatProblem } from "../language/problem.ts";
import { wrapText } from "../lib/wrap-text.ts";
import type { CommandContext } from "./command.ts";
import { verdict } from "./command/validate.ts";
import { cut, formatCost, formatCount, plural, printable } from "./format.ts";
import type { BuildAnswer } from "./product.ts";
import { columnsOf } from "./terminal.ts";

/** More are counted only: the first ones are often the cause of the others. */
const PROBLEM_COUNT_MAX = 10;

export interface BuildView {
  readonly hooks: {
    readonly onBegin: (about: { provider: string; model: string; round: number }) => void;
    readonly onText: (text: string) => void;
    readonly onEnd: (answer: BuildAnswer) => void;
  };
  readonly showResult: (answer: BuildAnswer, totals: ConversationTotals) => void;
  readonly showConversation: (address: string, id: string) => void;
}

type Context = Pick<CommandContext, "terminal"> & {
  readonly flags: {
    readonly json?: boolean | undefined;
    readonly output?: string | undefined;
  };
};

export function createBuildView({ terminal, flags }: Context): BuildView {
  const { errorOutput } = terminal;
  const colors = createColors(terminal.color && errorOutput.isTTY === true);
  const columns = columnsOf(errorOutput);
  const write = (text: string) => {
    if (!flags.json) errorOutput.write(text);
  };
  const say = (text: string, paint = (line: string) => line) => {
    for (const line of wrapText(text, columns)) write(`${paint(line)}\n`);
  };
  const talk = createTalkWriter(write, columns);
  let last: BuildAnswer | undefined;

  return {
    hooks: {
      onBegin({ provider, model, round }) {
        if (round > 0) {
          const errors = last?.result?.problems.filter(isError) ?? [];
          say(
            `${plural(errors.length, "error")}, back to the model: repair ${round} of ${REPAIR_ROUND_COUNT_MAX}`,
            colors.yellow,
          );
          for (const line of errors.slice(0, PROBLEM_COUNT_MAX)) sayProblem(line);
          write("\n");
        } else if (provider !== "demo") {
          say(`${provider} ${model} answers:`, colors.dim);
          write("\n");
        }
      },
      onText: (text) => talk.write(printable(text)),
      onEnd(answer) {
        talk.end();
        last = answer;
      },
    },
    showResult(answer, totals) {
      const { message, result } = answer;
      if (message.state !== "done" || result === undefined) return;
      const { workflow, problems, source } = result;
      const lines = workflow === undefined ? [] : toLines(workflow);
      for (const line of lines) write(`${cut(printable(line), columns)}\n`);
      if (lines.length > 0) write("\n");
      for (const problem of problems.slice(0, PROBLEM_COUNT_MAX))
        write(`${formatProblem(problem, source, flags.output ?? "workflow.yaml")}\n\n`);
      const more = problems.length - PROBLEM_COUNT_MAX;
      if (more > 0) write(`${plural(more, "problem")} more.\n\n`);
      const paint = workflow === undefined ? colors.red : colors.green;
      say(`${printable(workflow?.name ?? "The workflow")}: ${factsOf(answer, totals)}`, paint);
      if (message.provider === "demo") {
        say("This is a template: no model provider is set up. `agents setup` sets one up.");
      }
    },
    showConversation(address, id) {
      // Addresses and commands are copied: they are never broken.
      const isServed = !address.startsWith("/");
      write(`Conversation: ${address}${isServed ? "" : " (after `agents start`)"}\n`);
      write(`Change it: agents new --continue ${id} "…"\n`);
    },
  };

  function sayProblem({ line, message, suggestion }: Problem): void {
    const meant = suggestion === undefined ? "" : ` Did you mean \`${suggestion}\`?`;
    const [first = "", ...rest] = wrapText(
      printable(`line ${line}: ${message}${meant}`),
      columns - 4,
    );
    write(`  ${first}\n${rest.map((text) => `    ${text}\n`).join("")}`);
  }
}

function isError({ severity }: Problem): boolean {
  return severity === "error";
}

/** `ok, 1 repair, 1,234 tokens, $0.0012`. */
function factsOf({ message, result }: BuildAnswer, totals: ConversationTotals): string {
  const tokens = totals.inputTokens + totals.outputTokens;
  return [
    verdict(result?.problems ?? []),
    ...(message.round === 0 ? [] : [plural(message.round, "repair")]),
    ...(message.provider === "demo" ? [] : [`${formatCount(tokens)} tokens`, formatCost(totals)]),
  ].join(", ");
}

/** Breaks prose at spaces as it comes; what is between code fences stays as it is. */
function createTalkWriter(write: (text: string) => void, columns: number) {
  let line = "";
  let word = "";
  let spaces = "";
  let width = 0;
  let isCode = false;

  function flush(): void {
    if (word === "") return;
    const wide = Bun.stringWidth(word);
    if (!isCode && width > 0 && width + spaces.length + wide > columns) {
      write(`\n${word}`);
      width = wide;
    } else {
      write(spaces + word);
      width += spaces.length + wide;
    }
    word = "";
    spaces = "";
  }

  function endLine(): void {
    flush();
    write("\n");
    if (line.trimStart().startsWith("```")) isCode = !isCode;
    [line, spaces, width] = ["", "", 0];
  }

  return {
    write(text: string): void {
      for (const part of text.match(/\n|[^\S\n]|\S+/gu) ?? []) {
        if (part === "\n") {
          endLine();
          continue;
        }
        line += part;
        const isSpace = part.trim() === "";
        if (isSpace) flush();
        if (isSpace) spaces += part;
        else word += part;
        if (word.length > columns) flush();
      }
    },
    /** The end of an answer, and an empty line. */
    end(): void {
      if (line !== "") endLine();
      write("\n");
      isCode = false;
    },
  };
}
