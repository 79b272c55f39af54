/**
 * Paths that somebody else has chosen (a model, a workflow, code in a sandbox), kept inside of some folders. Symbolic
 * links are followed and what they lead to is checked. Between the check and the use somebody may put a link in
 * the way: what was opened is therefore compared with what was checked, and on Linux writing goes through the
 * opened folder, so that a swapped link gains nothing.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, parse, resolve, sep } from "node:path";
import { errorCode } from "./atomic-file.ts";
import { pathExists } from "./path-exists.ts";

export interface Folders {
  /** Absolute. Relative paths begin at the first. They need not exist. */
  readonly roots: readonly [string, ...string[]];
  /**
   * Absolute files and folders that are refused though they lie inside of a root. Only the first root may lie inside
   * of one of them and is open all the same.
   */
  readonly hidden: readonly string[];
}

/** `outside` of all roots, `hidden` inside of one, or `invalid`: no path that can be used. */
export class PathError extends Error {
  override readonly name = "PathError";
  readonly reason: "outside" | "hidden" | "invalid";

  constructor(reason: PathError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

const PATH_CHARS_MAX = 4_096;
/** Windows opens the device for these in every folder, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/i;
const WINDOWS = process.platform === "win32";
const LINUX = process.platform === "linux";
/** O_NOFOLLOW_ANY of macOS: no link anywhere in the path. Node does not name it. */
const NO_FOLLOW = process.platform === "darwin" ? 0x2000_0000 : (constants.O_NOFOLLOW ?? 0);
/** Follows no link, and does not wait for somebody to write to a named pipe. */
const SAFE_OPEN = NO_FOLLOW | (constants.O_NONBLOCK ?? 0);
const IGNORES_CASE = WINDOWS || process.platform === "darwin";

/**
 * The real path, without links, of a file or folder that may not be there yet.
 * @throws PathError; errors of the file system other than "not there".
 */
export async function resolveInside(path: string, folders: Folders): Promise<string> {
  checkText(path);
  const [real, roots, hidden] = await Promise.all([
    realPathOf(resolve(folders.roots[0], path)),
    Promise.all(folders.roots.map(realPathOf)),
    Promise.all(folders.hidden.map(realPathOf)),
  ]);
  if (!roots.some((root) => contains(root, real)))
    throw new PathError("outside", `${path} is outside of the folders that may be used.`);
  const first = roots[0];
  const isHidden = hidden.some(
    (place) =>
      contains(place, real) &&
      !(first !== undefined && first !== place && contains(place, first) && contains(first, real)),
  );
  if (isHidden) throw new PathError("hidden", `${path} may not be used.`);
  return real;
}

/**
 * Opens a regular file for reading. @throws PathError; errors of the file system (ENOENT).
 */
export async function openInside(path: string, folders: Folders): Promise<FileHandle> {
  const real = await resolveInside(path, folders);
  const file = await open(real, constants.O_RDONLY | SAFE_OPEN);
  try {
    if (!(await isStillAt(file, real))) throw changed(path);
    if (!(await file.stat()).isFile()) throw new PathError("invalid", `${path} is not a file.`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whether what was opened under a path without links is what has that path. */
async function isStillAt(file: FileHandle, real: string): Promise<boolean> {
  if (LINUX) {
    const opened = await readlink(`/proc/self/fd/${file.fd}`);
    // A file that has been replaced since was there nevertheless.
    return opened === real || opened === `${real} (deleted)`;
  }
  // On macOS the system has refused every link in the path already; Windows has nothing better to offer.
  const [ours, theirs] = await Promise.all([
    file.stat({ bigint: true }),
    stat(real, { bigint: true }),
  ]);
  return ours.ino === theirs.ino && ours.dev === theirs.dev;
}

function changed(path: string): PathError {
  return new PathError("outside", `${path} was changed while it was opened.`);
}

export interface Place {
  /** Where to create, replace or rename: stays in the folder that was checked, whatever happens to its name. */
  readonly path: string;
  /** The same as people know it. */
  readonly realPath: string;
}

/**
 * Calls `work` with the place of a file whose folder exists and was checked; missing folders are created.
 * @throws PathError; errors of the file system and of `work`.
 */
export async function atPlaceInside<T>(
  path: string,
  folders: Folders,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const realPath = await resolveInside(path, folders);
  const parent = dirname(realPath);
  if (parent === realPath) throw new PathError("invalid", `${path} is not a file.`);
  await mkdir(parent, { recursive: true });
  if ((await resolveInside(path, folders)) !== realPath) throw changed(path);
  if (!LINUX) return await work({ path: realPath, realPath });
  const folder = await open(parent, constants.O_RDONLY | constants.O_DIRECTORY | SAFE_OPEN);
  try {
    if (!(await isStillAt(folder, parent))) throw changed(path);
    const held = `/proc/self/fd/${folder.fd}`;
    return await work({ path: join(held, basename(realPath)), realPath });
  } finally {
    await folder.close();
  }
}

/** True for the folder itself and everything below it. Both are real paths. */
export function contains(folder: string, path: string): boolean {
  const [outer, inner] = IGNORES_CASE ? [folder.toLowerCase(), path.toLowerCase()] : [folder, path];
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

function checkText(path: string): void {
  if (path === "" || path.length > PATH_CHARS_MAX || path.includes("\0"))
    throw new PathError("invalid", "This cannot be a path.");
  for (const part of path.slice(parse(path).root.length).split(/[/\\]/)) {
    const isStrange =
      WINDOWS && !/^\.{1,2}$/.test(part) && (part.includes(":") || /[. ]$/.test(part));
    if (isStrange || DEVICE.test(part.replace(/[. ]+$/, "")))
      throw new PathError("invalid", `${part} cannot be the name of a file.`);
  }
}

/** Follows the links of what exists of the path; the rest is kept as it is written. @throws as `resolveInside`. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ELOOP") throw new PathError("invalid", `${path} is a link that leads nowhere.`);
    if (code === "ENOTDIR") throw new PathError("invalid", `${dirname(path)} is not a folder.`);
    if (code !== "ENOENT") throw error;
  }
  if (await pathExists(path))
    throw new PathError("invalid", `${path} is a link that leads nowhere.`);
  const parent = dirname(path);
  return parent === path ? path : join(await realPathOf(parent), basename(path));
}
