import { createColors } from "picocolors";
import type { ServiceState, ServiceStatus } from "../domain/service.ts";

const STATE_TEXTS: Readonly<Record<ServiceState, string>> = {
  starting: "starting",
  running: "running",
  backing_off: "restarting",
  stopping: "stopping",
  stopped: "stopped",
  failed: "not running",
  disabled: "off",
};

/** The state as a word, in its colour. */
export function serviceStateText(state: ServiceState, color: boolean): string {
  const colors = createColors(color);
  const text = STATE_TEXTS[state];
  if (state === "running") return colors.green(text);
  if (state === "failed") return colors.red(text);
  if (state === "disabled" || state === "stopped") return colors.dim(text);
  return colors.yellow(text);
}

/** Name, state, and address or reason. */
export function serviceRow(service: ServiceStatus, color: boolean): string[] {
  const about = service.state === "running" ? (service.url ?? "") : (service.message ?? "");
  return [service.name, serviceStateText(service.state, color), about];
}
