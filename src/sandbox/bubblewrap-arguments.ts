/**
 * The arguments of bubblewrap. What is not listed here is not there: the root is an empty folder in
 * memory, the system folders and the workspace are put into it, and all but the workspace, /tmp and
 * /dev/shm is read-only. The process table is read-only as well: for root, kernel settings under
 * /proc/sys could be written otherwise, also without any capability.
 */
import { lstatSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { isInside } from "./workspace.ts";
import type { HiddenPlace } from "./workspace.ts";
import { sandboxEnvironment } from "./confinement.ts";
import type { ConfinedJob } from "./confinement.ts";

/** Options that older versions of bubblewrap do not have. */
export const OPTIONAL_FEATURES = ["--size", "--disable-userns"] as const;
export type Feature = (typeof OPTIONAL_FEATURES)[number];

/** Descriptors that bubblewrap gets, in this order from 3. `result` is passed on to the program. */
export const DESCRIPTORS = {
  arguments: 3,
  status: 4,
  result: 5,
  passwd: 6,
  group: 7,
  seccomp: 8,
} as const;

/** Where programs and their libraries are; those that a machine does not have are left out. */
const SYSTEM_FOLDERS = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/nix/store",
  "/gnu/store",
];
/** What programs need of /etc to be started. */
const SYSTEM_FILES = [
  "/etc/alternatives",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
];
/** What they need of it to find other machines and to trust them; never /etc/ssl/private. */
const NETWORK_FILES = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/nsswitch.conf",
  "/etc/services",
  "/etc/gai.conf",
  "/etc/ca-certificates",
  "/etc/ssl/certs",
  "/etc/ssl/cert.pem",
  "/etc/ssl/openssl.cnf",
  "/etc/pki/tls/certs",
  "/etc/pki/ca-trust/extracted",
];

export interface BubblewrapOptions {
  readonly features: ReadonlySet<Feature>;
  readonly seccomp: boolean;
}

export function bubblewrapArguments(
  job: Omit<ConfinedJob, "command" | "onOutput">,
  { features, seccomp }: BubblewrapOptions,
): string[] {
  const size = features.has("--size") ? ["--size", String(job.limits.memoryBytes)] : [];
  const { path: workspace, hidden } = job.workspace;
  const bound = [...SYSTEM_FOLDERS, ...job.readable.map(({ source }) => source)];
  return [
    ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"],
    job.network ? [] : ["--unshare-net"],
    features.has("--disable-userns") ? ["--disable-userns"] : [],
    // No new session: it has one without a terminal already, and all of bubblewrap has to stay in its
    // group. A signal to that group ends it at any moment, --die-with-parent only once it is set up.
    ["--die-with-parent", "--cap-drop", "ALL", "--hostname", "sandbox"],
    ["--json-status-fd", String(DESCRIPTORS.status)],
    ["--clearenv"],
    sandboxEnvironment(job.env).flatMap(([name, value]) => ["--setenv", name, value]),
    SYSTEM_FOLDERS.flatMap(bindSystemFolder),
    [...SYSTEM_FILES, ...(job.network ? NETWORK_FILES : [])].flatMap((path) => [
      "--ro-bind-try",
      path,
      path,
    ]),
    ["--perms", "0644", "--file", String(DESCRIPTORS.passwd), "/etc/passwd"],
    ["--perms", "0644", "--file", String(DESCRIPTORS.group), "/etc/group"],
    ["--proc", "/proc", "--remount-ro", "/proc"],
    ["--dev", "/dev", ...size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
    [...size, "--tmpfs", "/tmp"],
    job.readable.flatMap(({ source, target }) => ["--ro-bind", source, target]),
    cover(hidden, bound),
    // After the cover of the system folders: the workspace may lie inside of what is hidden.
    ["--bind", workspace, workspace],
    pin(hidden, workspace),
    cover(hidden, [workspace]),
    inside(hidden, [...bound, workspace]).flatMap(({ path, kind }) =>
      kind === "folder" ? ["--remount-ro", path] : [],
    ),
    ["--remount-ro", "/"],
    ["--chdir", job.folder],
    seccomp ? ["--seccomp", String(DESCRIPTORS.seccomp)] : [],
  ].flat();
}

function bindSystemFolder(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isSymbolicLink()
    ? ["--symlink", readlinkSync(path), path]
    : ["--ro-bind", path, path];
}

/** Puts something empty over what must not be seen of the folders that were bound. */
function cover(hidden: readonly HiddenPlace[], bound: readonly string[]): string[] {
  return inside(hidden, bound).flatMap(({ path, kind }) =>
    kind === "folder" ? ["--tmpfs", path] : ["--ro-bind", "/dev/null", path],
  );
}

/**
 * The folders of the workspace that lead to something hidden, each a mount of its own, which cannot be
 * renamed: under another name the next program would find what is hidden open.
 */
function pin(hidden: readonly HiddenPlace[], workspace: string): string[] {
  const folders = new Set<string>();
  for (const { path } of inside(hidden, [workspace]))
    for (let at = dirname(path); at !== workspace && isInside(at, workspace); at = dirname(at))
      folders.add(at);
  // The outer ones first: an inner mount would lie below them.
  return [...folders].toSorted().flatMap((folder) => ["--bind", folder, folder]);
}

function inside(hidden: readonly HiddenPlace[], folders: readonly string[]): HiddenPlace[] {
  return hidden.filter(({ path }) => folders.some((folder) => isInside(path, folder)));
}
