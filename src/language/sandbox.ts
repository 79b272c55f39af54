/** How a node's code or command is confined. */
import { SANDBOX_PRESETS, type SandboxLimits, type SandboxSpec } from "../domain/workflow.ts";
import { parseByteSize } from "../lib/byte-size.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { member, numberOf, textOf } from "./raw.ts";
import type { Path, Reporter } from "./report.ts";

const MIB = 1024 * 1024;
/** An interpreter does not start in less. */
const MEMORY_BYTES_MIN = 32 * MIB;

type Preset = (typeof SANDBOX_PRESETS)[number];

/** CA's numbers. */
const PRESETS: Readonly<Record<Preset, SandboxLimits>> = {
  low: { cpuCount: 0.5, memoryBytes: 256 * MIB, timeMs: 30_000 },
  medium: { cpuCount: 1, memoryBytes: 512 * MIB, timeMs: 60_000 },
  high: { cpuCount: 2, memoryBytes: 1024 * MIB, timeMs: 120_000 },
  max: { cpuCount: 4, memoryBytes: 2048 * MIB, timeMs: 300_000 },
};

/** @param path Of the node. */
export function readSandbox(node: Json, path: Path, reporter: Reporter): SandboxSpec {
  const raw = member(node, "sandbox");
  if (raw === undefined) return { mode: "auto", network: false, limits: PRESETS.medium };
  const at = [...path, "sandbox"];
  warn(raw, at, reporter);
  const stated = member(raw, "preset");
  const preset = PRESETS[SANDBOX_PRESETS.find((known) => known === stated) ?? "medium"];
  const resources = member(raw, "resources");
  const seconds = numberOf(member(raw, "timeout")) ?? numberOf(member(resources, "timeout"));
  const memory = textOf(member(resources, "memory"));
  const memoryBytes = memory === undefined ? undefined : parseByteSize(memory);
  if (memoryBytes !== undefined && memoryBytes < MEMORY_BYTES_MIN) {
    reporter.error([...at, "resources", "memory"], {
      code: "out-of-range",
      message: "`memory` must be at least 32m: no program starts with less.",
      fix: "Write 32m or more.",
    });
  }
  return {
    mode: member(raw, "mode") === "docker" ? "docker" : "auto",
    network: readNetwork(member(raw, "network")),
    limits: {
      cpuCount: numberOf(member(resources, "cpu")) ?? preset.cpuCount,
      memoryBytes: memoryBytes ?? preset.memoryBytes,
      timeMs: seconds === undefined ? preset.timeMs : seconds * 1000,
    },
  };
}

/** As in CA: on where a `sandbox` says nothing, and a map says no more than that it is not empty. */
function readNetwork(value: Json | undefined): boolean {
  if (isJsonObject(value)) return Object.keys(value).length > 0;
  return value !== false;
}

function warn(raw: Json, path: Path, reporter: Reporter): void {
  if (member(raw, "enabled") === false) {
    reporter.warning([...path, "enabled"], {
      code: "no-effect",
      message: "`enabled: false` is not obeyed: code of a workflow file is always confined.",
      fix: "Remove it; say what the code may do with `network` and `resources`.",
      at: "key",
    });
  }
  if (isJsonObject(member(raw, "network"))) {
    reporter.warning([...path, "network"], {
      code: "no-effect",
      message: "A map at `network` turns the whole network on, whatever it lists.",
      fix: "Write `network: true` or `network: false`.",
      at: "key",
    });
  }
}
