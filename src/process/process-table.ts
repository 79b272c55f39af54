/** What runs on this machine, as far as this user may see it: the raw material of trees and groups. */
import { readdirSync, readFileSync } from "node:fs";
import { isJsonObject } from "../lib/json.ts";

export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  /** 0 where there are no process groups. */
  readonly groupPid: number;
  /** Resident memory in bytes; shared pages are counted in every process. */
  readonly residentBytes: number;
  /** Processor time since it began; undefined where it is not told. */
  readonly cpuMs?: number;
  readonly command: string;
}

const KIBIBYTE = 1_024;
/** A tick of Linux, the same on every machine that we run on. */
const TICK_MS = 10;
/** Memory pages are counted as this on Linux; larger ones (arm64 with 64 KiB) only change `rss`. */
const PAGE_BYTES = 4_096;

/** The living processes, without those that have ended and wait for their parent. Best effort. */
export async function listProcesses(): Promise<ProcessRow[]> {
  if (process.platform === "linux") return listLinux();
  if (process.platform === "win32") return await listWindows();
  return await listWithPs();
}

function listLinux(): ProcessRow[] {
  const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return names.flatMap((name) => {
    try {
      const row = parseLinuxStat(readFileSync(`/proc/${name}/stat`, "utf8"));
      if (row === undefined) return [];
      return [{ ...row, pid: Number(name), command: linuxCommand(name) }];
    } catch {
      // It ended between the listing and the reading.
      return [];
    }
  });
}

/** The name in parentheses may hold spaces and parentheses, so the fields are counted after it. */
function parseLinuxStat(stat: string) {
  const [state, parentPid, groupPid, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return undefined;
  // Field 24 of the line is `rss`; `rest` begins with field 6.
  const residentBytes = Number(rest[18] ?? 0) * PAGE_BYTES;
  // Fields 14 and 15 are the time of the process itself, as user and in the system.
  const cpuMs = (Number(rest[8] ?? 0) + Number(rest[9] ?? 0)) * TICK_MS;
  return { parentPid: Number(parentPid), groupPid: Number(groupPid), residentBytes, cpuMs };
}

function linuxCommand(name: string): string {
  const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim();
  return words === "" ? readFileSync(`/proc/${name}/comm`, "utf8").trim() : words;
}

async function listWithPs(): Promise<ProcessRow[]> {
  const output = await outputOf(["ps", "-axww", "-o", "pid=,ppid=,pgid=,rss=,stat=,command="]);
  return output.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || match[5]?.startsWith("Z") === true) return [];
    return [
      {
        pid: Number(match[1]),
        parentPid: Number(match[2]),
        groupPid: Number(match[3]),
        residentBytes: Number(match[4]) * KIBIBYTE,
        command: match[6] ?? "",
      },
    ];
  });
}

async function listWindows(): Promise<ProcessRow[]> {
  const query =
    "Get-CimInstance Win32_Process | " +
    "Select-Object ProcessId,ParentProcessId,WorkingSetSize,Name,CommandLine | ConvertTo-Json";
  const output = await outputOf(["powershell", "-NoProfile", "-NonInteractive", "-Command", query]);
  const rows: unknown = output === "" ? [] : JSON.parse(output);
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    if (!isJsonObject(row)) return [];
    const { CommandLine: line, Name: name } = row;
    return [
      {
        pid: Number(row["ProcessId"]),
        parentPid: Number(row["ParentProcessId"]),
        groupPid: 0,
        residentBytes: Number(row["WorkingSetSize"]),
        command: typeof line === "string" ? line : typeof name === "string" ? name : "",
      },
    ];
  });
}

/** What a system tool prints; nothing when it is absent. */
export async function outputOf(command: readonly string[]): Promise<string> {
  try {
    const tool = Bun.spawn([...command], { stderr: "ignore", windowsHide: true });
    return await tool.stdout.text();
  } catch {
    // Everything that is read from system tools is best effort.
    return "";
  }
}
