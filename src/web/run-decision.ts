import type { Form } from "./form.ts";

/** Who acts, as it is kept with the run. */
export const BY_DASHBOARD = "dashboard";

/** What a person has decided on a step that asked for it: the buttons and comments of `Approvals`. */
export function readRunDecision(form: Form) {
  const approved = form.text("approve") !== "";
  const key = form.text(approved ? "approve" : "reject");
  const comment = form.text(`comment:${key}`).trim();
  return { key, approved, comment: comment === "" ? null : comment, by: BY_DASHBOARD };
}
