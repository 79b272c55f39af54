import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createLiveRegion } from "../../src/cli/live-region.ts";
import { createTestTerminal } from "./terminal.ts";

/** The lines of a screen after the output, for the few codes that are used; no line may wrap. */
function screenOf(output: string, columns: number): string[] {
  const rows: string[] = [""];
  let row = 0;
  // eslint-disable-next-line no-control-regex -- The codes are what is read.
  for (const [token] of output.matchAll(/\u001B\[\??(\d*)[A-Za-z]|\r|\n|[^\u001B\r\n]+/g)) {
    if (token === "\n") {
      row += 1;
      rows[row] ??= "";
    } else if (token.endsWith("A") && token.startsWith("\u001B")) {
      row -= Number(token.slice(2, -1));
    } else if (token === "\u001B[J") {
      rows.length = row + 1;
      rows[row] = "";
    } else if (!token.startsWith("\u001B") && token !== "\r") {
      expect(Bun.stringWidth(token)).toBeLessThan(columns);
      rows[row] += token;
    }
  }
  return rows.slice(0, -1);
}

const line = fc.stringMatching(/^[a-z ]{0,60}$/);
const action = fc.oneof(
  fc.record({ print: fc.array(line, { maxLength: 3 }) }),
  fc.record({ draw: fc.array(line, { maxLength: 4 }) }),
);

describe("createLiveRegion()", () => {
  test("shows all printed lines above, and below them the last drawn ones, cut to the width", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
        const columns = 40;
        let written = "";
        const { terminal } = createTestTerminal({ columns });
        terminal.output.write = (text: unknown) => {
          written += String(text);
          return true;
        };
        const region = createLiveRegion(terminal.output);
        const kept: string[] = [];
        let live: readonly string[] = [];
        for (const step of actions) {
          if ("print" in step) {
            const narrow = step.print.map((text) => text.slice(0, columns - 1));
            region.print(narrow);
            kept.push(...narrow);
          } else {
            region.draw(step.draw);
            live = step.draw;
          }
        }
        const cutOff = live.map((text) =>
          text.length < columns ? text : `${text.slice(0, columns - 2)}…`,
        );
        expect(screenOf(written, columns)).toEqual([...kept, ...cutOff]);
        region.clear();
        expect(screenOf(written, columns)).toEqual(kept);
      }),
    );
  });

  test("leaves the cursor visible", () => {
    const session = createTestTerminal();
    const codes: string[] = [];
    session.terminal.output.on("data", (chunk: unknown) => codes.push(String(chunk)));
    const region = createLiveRegion(session.terminal.output);
    region.draw(["working"]);
    region.clear();
    const text = codes.join("");
    expect(text.indexOf("[?25l")).toBeGreaterThan(-1);
    expect(text.lastIndexOf("[?25h")).toBeGreaterThan(text.lastIndexOf("[?25l"));
  });
});
