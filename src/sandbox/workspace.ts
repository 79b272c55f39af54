import { lstat, mkdir, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { AppError } from "../domain/error.ts";
import { PathError, resolveInside } from "../lib/inside-folder.ts";

/** All of them would be seen, or hide what a sandbox needs. */
const NO_WORKSPACES: readonly string[] =
  "/ /bin /boot /dev /dev/shm /etc /home /lib /lib64 /opt /proc /root /run /sbin /sys /tmp /usr /var".split(
    " ",
  );

/** A file or folder that must not be seen inside of a sandbox. */
export interface HiddenPlace {
  readonly path: string;
  readonly kind: "file" | "folder";
}

export interface Workspace {
  /** Real path. */
  readonly path: string;
  readonly hidden: readonly HiddenPlace[];
}

/** True for a path and for what lies inside of it; both without links. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * Makes the workspace where it is not there yet.
 * @throws AppError `forbidden` for a folder that cannot be a workspace, as the data folder.
 */
export async function openWorkspace(folder: string, hidden: readonly string[]): Promise<Workspace> {
  let path: string;
  try {
    await mkdir(folder, { recursive: true });
    path = await realpath(folder);
  } catch (cause) {
    throw new AppError("forbidden", `The workspace ${folder} cannot be used.`, {
      fix: "Name a folder that you can write to with AGENTS_WORKSPACE.",
      cause,
    });
  }
  const places = (await Promise.all(hidden.map(findHidden))).filter((place) => place !== undefined);
  if (NO_WORKSPACES.includes(path) || places.some((place) => place.path === path)) {
    throw new AppError("forbidden", `${folder} cannot be the workspace: all of it would be seen.`, {
      fix: "Name a folder of its own with AGENTS_WORKSPACE.",
    });
  }
  return { path, hidden: places };
}

async function findHidden(place: string): Promise<HiddenPlace | undefined> {
  try {
    const path = await realpath(place);
    return { path, kind: (await lstat(path)).isDirectory() ? "folder" : "file" };
  } catch {
    // What is not there needs no hiding.
    return undefined;
  }
}

/** The real path of a folder of the workspace. @throws AppError `forbidden`, `not_found`. */
export async function folderInside(
  workspace: Workspace,
  folder: string | undefined,
): Promise<string> {
  if (folder === undefined) return workspace.path;
  let path: string;
  try {
    path = await resolveInside(folder, {
      roots: [workspace.path],
      hidden: workspace.hidden.map((place) => place.path),
    });
  } catch (cause) {
    if (!(cause instanceof PathError)) throw cause;
    throw new AppError("forbidden", `The folder ${folder} is not inside of the workspace.`, {
      fix: "Name a folder inside of the workspace.",
      cause,
    });
  }
  const isFolder = await lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return path;
  throw new AppError("not_found", `There is no folder ${folder} in the workspace.`, {
    fix: "Create it, or name one that is there.",
  });
}
