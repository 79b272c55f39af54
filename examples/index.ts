/**
 * Embeds the example workflows into the executable. `tests/tidy/examples.test.ts` fails when a file of
 * this folder is missing here.
 */
import approvalGate from "./approval-gate.yaml" with { type: "text" };
import askAgent from "./ask-agent.yaml" with { type: "text" };
import budgeted from "./budgeted.yaml" with { type: "text" };
import codeStats from "./code-stats.yaml" with { type: "text" };
import forkJoin from "./fork-join.yaml" with { type: "text" };
import greeting from "./greeting.yaml" with { type: "text" };
import httpFetch from "./http-fetch.yaml" with { type: "text" };
import inputsMapping from "./inputs-mapping.yaml" with { type: "text" };
import mapReviews from "./map-reviews.yaml" with { type: "text" };
import mcpTools from "./mcp-tools.yaml" with { type: "text" };
import memoryAssistant from "./memory-assistant.yaml" with { type: "text" };
import modelsPerNode from "./models-per-node.yaml" with { type: "text" };
import nestedProfile from "./nested-profile.yaml" with { type: "text" };
import refineLoop from "./refine-loop.yaml" with { type: "text" };
import retriesAndTimeouts from "./retries-and-timeouts.yaml" with { type: "text" };
import routeByScore from "./route-by-score.yaml" with { type: "text" };
import runCommand from "./run-command.yaml" with { type: "text" };
import searchAndAnswer from "./search-and-answer.yaml" with { type: "text" };
import subWorkflow from "./sub-workflow.yaml" with { type: "text" };
import toolsFiles from "./tools-files.yaml" with { type: "text" };
import twoStepArticle from "./two-step-article.yaml" with { type: "text" };
import typedReview from "./typed-review.yaml" with { type: "text" };
import waitForSignal from "./wait-for-signal.yaml" with { type: "text" };

const FILES = {
  "greeting.yaml": greeting,
  "two-step-article.yaml": twoStepArticle,
  "typed-review.yaml": typedReview,
  "nested-profile.yaml": nestedProfile,
  "inputs-mapping.yaml": inputsMapping,
  "models-per-node.yaml": modelsPerNode,
  "retries-and-timeouts.yaml": retriesAndTimeouts,
  "search-and-answer.yaml": searchAndAnswer,
  "fork-join.yaml": forkJoin,
  "route-by-score.yaml": routeByScore,
  "refine-loop.yaml": refineLoop,
  "map-reviews.yaml": mapReviews,
  "approval-gate.yaml": approvalGate,
  "code-stats.yaml": codeStats,
  "http-fetch.yaml": httpFetch,
  "sub-workflow.yaml": subWorkflow,
  "tools-files.yaml": toolsFiles,
  "memory-assistant.yaml": memoryAssistant,
  "budgeted.yaml": budgeted,
  "wait-for-signal.yaml": waitForSignal,
  "run-command.yaml": runCommand,
  "ask-agent.yaml": askAgent,
  "mcp-tools.yaml": mcpTools,
};

/** A workflow that comes with the product; the simplest first. */
export interface Example {
  readonly file: string;
  readonly name: string;
  readonly description: string;
  readonly source: string;
}

export const EXAMPLES: readonly Example[] = Object.entries(FILES).map(([file, source]) => ({
  file,
  name: file.replace(/\.yaml$/, ""),
  // Read from the text, because a parser is not worth its start-up time here.
  description: /^ {2}description: "?(.*?)"?$/m.exec(source)?.[1] ?? "",
  source,
}));
