/** What a run is likely to cost, before it is begun. */
import { formatCost } from "./money.ts";
import { plural } from "./number.ts";

export type CostEstimate =
  /** From runs of this workflow that succeeded. */
  | {
      readonly kind: "past";
      readonly runCount: number;
      readonly averageNanoUsd: number;
      readonly minNanoUsd: number;
      readonly maxNanoUsd: number;
      /** Some of their calls had no known price. */
      readonly isLowerBound: boolean;
    }
  /** What the models are asked, at the list price; what they answer comes on top of it. */
  | { readonly kind: "prompts"; readonly inputNanoUsd: number; readonly isPartial: boolean }
  /** It asks no model, or only models that cost nothing. */
  | { readonly kind: "free"; readonly asksModels: boolean }
  /** `problem`: why a model cannot be asked at all. */
  | { readonly kind: "unknown"; readonly problem?: string };

/** As the rest of a sentence: `about $0.012, from 14 runs`. */
export function estimateText(estimate: CostEstimate): string {
  switch (estimate.kind) {
    case "past":
      return pastText(estimate);
    case "prompts": {
      const cost = formatCost(estimate.inputNanoUsd);
      const some = estimate.isPartial ? " whose price is known" : "";
      const least = cost.startsWith("<") ? cost : `at least ${cost}`;
      return `${least} for the first prompts${some}; answers cost more`;
    }
    case "free":
      return estimate.asksModels
        ? "nothing: the models that it asks are free"
        : "nothing for models: it asks none";
    case "unknown":
      return estimate.problem === undefined
        ? "price not known"
        : `price not known. ${estimate.problem}`;
  }
}

function pastText(estimate: Extract<CostEstimate, { kind: "past" }>): string {
  const { runCount, averageNanoUsd, minNanoUsd, maxNanoUsd, isLowerBound } = estimate;
  const about = isLowerBound ? "at least" : "about";
  const [least, most] = [formatCost(minNanoUsd), formatCost(maxNanoUsd)];
  const range = least === most ? "" : ` (${least} to ${most})`;
  return `${about} ${formatCost(averageNanoUsd)}${range}, from ${plural(runCount, "run")}`;
}

export function CostEstimateText(props: { estimate: CostEstimate }) {
  return <p class="sub num cost-estimate">Cost: {estimateText(props.estimate)}</p>;
}
