/**
 * Embeds the example workflows into the executable. `tests/tidy/examples.test.ts` fails when a file of
 * this folder is missing here.
 */
import greeting from "./greeting.yaml" with { type: "text" };
import inputsMapping from "./inputs-mapping.yaml" with { type: "text" };
import modelsPerNode from "./models-per-node.yaml" with { type: "text" };
import nestedProfile from "./nested-profile.yaml" with { type: "text" };
import retriesAndTimeouts from "./retries-and-timeouts.yaml" with { type: "text" };
import searchAndAnswer from "./search-and-answer.yaml" with { type: "text" };
import twoStepArticle from "./two-step-article.yaml" with { type: "text" };
import typedReview from "./typed-review.yaml" with { type: "text" };

const FILES = {
  "greeting.yaml": greeting,
  "two-step-article.yaml": twoStepArticle,
  "typed-review.yaml": typedReview,
  "nested-profile.yaml": nestedProfile,
  "inputs-mapping.yaml": inputsMapping,
  "models-per-node.yaml": modelsPerNode,
  "retries-and-timeouts.yaml": retriesAndTimeouts,
  "search-and-answer.yaml": searchAndAnswer,
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
