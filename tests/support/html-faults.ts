/** What a validator that we did not write says of HTML, pages and fragments alike. */
import { HtmlValidate, StaticConfigLoader } from "html-validate";

const validator = new HtmlValidate(
  // Only what the HTML standard says; attributes of htmx are no part of it, and left alone.
  new StaticConfigLoader({ extends: ["html-validate:standard"] }),
);

/** One line for each fault. */
export async function htmlFaults(html: string): Promise<string[]> {
  // A part that htmx puts elsewhere may hold what only belongs there, as a template may.
  const standard = html.replaceAll(/(<\/?)hx-partial\b/g, "$1template");
  const { results } = await validator.validateString(standard);
  return results.flatMap(({ messages }) =>
    messages.map(
      ({ ruleId, message, line, selector }) =>
        `${ruleId}: ${message} (line ${line}, ${selector ?? "?"})`,
    ),
  );
}
