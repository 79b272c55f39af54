import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { AppError } from "../domain/error.ts";
import { listProcesses, outputOf } from "./process-table.ts";

/** Ports after the wanted one that are tried before the system chooses any. */
const NEAR_PORTS_MAX = 20;
const PORT_MAX = 65_535;
const COMMAND_CHARS_MAX = 80;

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

export interface PortWish {
  readonly host: string;
  readonly port: number;
  /** Whom it is for, as the user knows it: `dashboard`. */
  readonly service: string;
  /** The flag that chooses another: `--port`. */
  readonly flag: string;
}

/** Who listens on a TCP port of this machine, where this user may know it. Never fails. */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  const pid = await findHolderPid(port);
  if (pid === undefined) return undefined;
  const row = (await listProcesses()).find((one) => one.pid === pid);
  return row === undefined ? undefined : { pid, command: row.command.slice(0, COMMAND_CHARS_MAX) };
}

/** A free port: the first after `near`, else any. */
export function freePort(near: number, host = "127.0.0.1"): number {
  for (let port = near + 1; port <= Math.min(near + NEAR_PORTS_MAX, PORT_MAX); port += 1) {
    if (tryListen(host, port) === port) return port;
  }
  const port = tryListen(host, 0);
  return typeof port === "number" ? port : 0;
}

/**
 * Checks that a port can be listened on; port 0 always can.
 * @throws AppError `port_in_use` as `portInUse` makes it; `permission_denied` for a port that needs more
 * rights; `config_invalid` for a host that is none of this machine's.
 */
export async function assertPortFree(wish: PortWish): Promise<void> {
  const outcome = tryListen(wish.host, wish.port);
  if (typeof outcome === "number") return;
  const { host, port, service, flag } = wish;
  switch (outcome.code) {
    case "EADDRINUSE":
      throw await portInUse(wish, outcome);
    case "EACCES":
      throw new AppError("permission_denied", `Port ${port} needs administrator rights.`, {
        fix: `Choose a port above 1023, for example ${flag} ${freePort(8_000, host)}.`,
        cause: outcome,
      });
    default:
      throw new AppError("config_invalid", `The ${service} cannot listen on ${host}:${port}.`, {
        fix: "Name an address of this machine with --host, for example 127.0.0.1.",
        cause: outcome,
      });
  }
}

/** The error for an occupied port: names the process that holds it, where it can be known, and a free one. */
export async function portInUse(wish: PortWish, cause: unknown): Promise<AppError> {
  const { host, port, service, flag } = wish;
  const holder = await findPortHolder(port);
  const by = holder === undefined ? "" : ` by process ${holder.pid} (${holder.command})`;
  const free = freePort(port, host);
  return new AppError("port_in_use", `Port ${port} for the ${service} is in use${by}.`, {
    fix: `Use ${flag} ${free}, which is free, or end the process that holds port ${port}.`,
    cause,
  });
}

type ListenFailure = Error & { readonly code?: unknown };

/** Listens for an instant. @returns the port, or why it cannot be had. */
function tryListen(host: string, port: number): number | ListenFailure {
  try {
    const listener = Bun.listen({ hostname: host, port, exclusive: true, socket: { data() {} } });
    const bound = listener.port;
    listener.stop(true);
    return bound;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

async function findHolderPid(port: number): Promise<number | undefined> {
  if (process.platform === "linux") return findLinuxHolder(port);
  if (process.platform === "win32") {
    const rows = (await outputOf(["netstat", "-ano", "-p", "TCP"])).split("\n");
    const row = rows.find((line) => new RegExp(`^\\s*TCP\\s+\\S+:${port}\\s+\\S+:0\\s`).test(line));
    return toPid(row?.trim().split(/\s+/).at(-1));
  }
  return toPid(await outputOf(["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-t"]));
}

function toPid(text: string | undefined): number | undefined {
  const pid = Number.parseInt(text ?? "", 10);
  return Number.isNaN(pid) ? undefined : pid;
}

/** The kernel lists sockets with their inode, and every process's open files with theirs. */
function findLinuxHolder(port: number): number | undefined {
  const inodes = new Set(["tcp", "tcp6"].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const name of namesIn("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const descriptor of namesIn(`/proc/${name}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${name}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return Number(name);
    }
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const listening = "0A";
  return textOf(`/proc/net/${table}`)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) === true && fields[3] === listening)
    .flatMap((fields) => fields[9] ?? []);
}

// Other users' processes, and those that end meanwhile, cannot be read: they are passed over.
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // See above.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // See above.
    return "";
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // See above.
    return "";
  }
}
