/** What happens when a step has failed for good. */
import type { OnError } from "../domain/workflow.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { member, textOf } from "./raw.ts";
import type { Path } from "./report.ts";
import { fieldOfKind } from "./state-use.ts";
import type { TextContext } from "./text-check.ts";

/** Whether the target of `route` exists is checked with the graph. */
export function readOnError(
  raw: Json,
  { path, isMapped }: { readonly path: Path; readonly isMapped: boolean },
  context: TextContext,
): OnError {
  const stated = member(raw, "on_error");
  if (stated === "continue") return { kind: "continue" };
  if (!isJsonObject(stated)) return { kind: "fail" };
  const at = [...path, "on_error"];
  const { reporter } = context;
  const to = textOf(member(stated, "route"));
  const goesOn = member(stated, "continue") !== undefined;
  if ((to === undefined) === !goesOn) {
    reporter.error(at, {
      code: to === undefined ? "missing-key" : "bad-value",
      message:
        to === undefined
          ? "`on_error` does not say how the run goes on."
          : "`on_error` has `continue` and `route`: only one is possible.",
      fix: to === undefined ? "Add `continue: true` or `route: NODE`." : "Keep one of them.",
      at: "key",
    });
  }
  const errorField = textOf(member(stated, "error_field"));
  if (errorField !== undefined)
    fieldOfKind(errorField, { path: [...at, "error_field"], kind: "str" }, context);
  if (isMapped) checkMapped({ to, errorField }, at, context);
  return to === undefined
    ? { kind: "continue", ...defined({ errorField }) }
    : { kind: "route", to, ...defined({ errorField }) };
}

/** The items of a map write nothing and go nowhere by themselves. */
function checkMapped(
  { to, errorField }: { to: string | undefined; errorField: string | undefined },
  path: Path,
  { reporter }: TextContext,
): void {
  if (to !== undefined) {
    reporter.error([...path, "route"], {
      code: "bad-edge",
      message: "An item of a list cannot take a route of its own when it fails.",
      fix: "Write `continue: true`: the item is then left out of the results.",
      at: "key",
    });
  }
  if (errorField !== undefined) {
    reporter.warning([...path, "error_field"], {
      code: "no-effect",
      message: "`error_field` has no effect in a node that runs for each item.",
      fix: "Remove it.",
      at: "key",
    });
  }
}
