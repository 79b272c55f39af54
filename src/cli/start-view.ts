/**
 * What `agents start` shows: a line per service, spinning until all have settled, the addresses, then
 * the logs of the services with their names before them. Without a terminal: plain lines.
 */
import { createColors } from "picocolors";
import type { ServiceStatus } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { wrapText } from "../lib/wrap-text.ts";
import { formatTable, pad } from "./format.ts";
import { createLiveRegion, redraw } from "./live-region.ts";
import { createLogPainter } from "./log-painter.ts";
import type { LogLine } from "./product.ts";
import { serviceRow, serviceStateText } from "./service-text.ts";
import { canRedraw, columnsOf, print, type Terminal } from "./terminal.ts";

const SPINNER = ["◐", "◓", "◑", "◒"];
const SPINNER_MS = 120;

export interface StartView {
  readonly onStatus: (status: ServiceStatus) => void;
  readonly onLine: (line: LogLine) => void;
  readonly notice: (text: string) => void;
  /** All services are up, or known not to come up: the addresses are shown. */
  settled(urls: readonly { readonly label: string; readonly url: string }[]): void;
  close(): void;
}

export function createStartView(terminal: Terminal, clock: Clock): StartView {
  const { output, color } = terminal;
  const services = new Map<string, ServiceStatus>();
  const paint = createLogPainter(color);
  const region = canRedraw(terminal, output) ? createLiveRegion(output) : undefined;
  const spinning = new AbortController();
  let isSettled = false;

  const write = (lines: readonly string[]) => {
    if (region === undefined) for (const line of lines) print(terminal, line);
    else region.print(lines);
  };
  if (region !== undefined) {
    const draw = () =>
      region.draw(spinnerLines([...services.values()], { color, nowMs: clock.now() }));
    void redraw(clock, draw, spinning.signal);
  }
  const stopSpinning = () => {
    spinning.abort();
    region?.clear();
  };

  return {
    onStatus(status) {
      const before = services.get(status.name);
      services.set(status.name, status);
      const changed = before?.state !== status.state || before.message !== status.message;
      if (changed && (isSettled || region === undefined)) write([statusLine(status, color)]);
    },
    onLine: (line) => write([paint(line)]),
    notice: (text) => write([text]),
    settled(urls) {
      isSettled = true;
      stopSpinning();
      if (region !== undefined) {
        for (const line of finalLines([...services.values()], terminal)) print(terminal, line);
      }
      print(terminal);
      for (const { label, url } of urls) print(terminal, `  ${pad(label, 10)} ${url}`);
      print(terminal);
      print(terminal, createColors(color).dim("  Ctrl-C stops everything."));
      print(terminal);
    },
    close: stopSpinning,
  };
}

function finalLines(services: readonly ServiceStatus[], { output, color }: Terminal): string[] {
  const columns = columnsOf(output) - 2;
  const rows = services.map((service) => serviceRow({ ...service, message: null }, color));
  const faults = services
    .filter(({ state, message }) => state !== "running" && message !== null)
    .flatMap((service) => wrapText(faultText(service), columns));
  return [...formatTable(rows, columns), ...faults].map((line) => `  ${line}`);
}

function faultText({ name, message, fix }: ServiceStatus): string {
  return `${name}: ${message ?? ""}${fix === null ? "" : ` Fix: ${fix}`}`;
}

/** `worker-1 running`; with the reason and the fix when it is not. */
function statusLine(status: ServiceStatus, color: boolean): string {
  const [name, state, about] = serviceRow(status, color);
  const fix = status.state !== "running" && status.fix !== null ? ` Fix: ${status.fix}` : "";
  return `${name}: ${state}${about === "" ? "" : ` (${about})`}${fix}`;
}

/** A line per service; pure. */
export function spinnerLines(
  services: readonly ServiceStatus[],
  { color, nowMs }: { readonly color: boolean; readonly nowMs: number },
): string[] {
  const colors = createColors(color);
  const spinner = SPINNER[Math.floor(nowMs / SPINNER_MS) % SPINNER.length] ?? "";
  const width = Math.max(0, ...services.map(({ name }) => name.length));
  return services.map(({ name, state }) => {
    const marks: Partial<Record<ServiceStatus["state"], string>> = {
      running: colors.green("✔"),
      failed: colors.red("✖"),
      disabled: colors.dim("-"),
    };
    return `${marks[state] ?? colors.cyan(spinner)} ${pad(name, width)}  ${serviceStateText(state, color)}`;
  });
}
