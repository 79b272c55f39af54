/** Why there is no bubblewrap, in words that say what to do. */
import { readFileSync } from "node:fs";
import { AppError } from "../domain/error.ts";

const PACKAGE_MANAGERS = [
  ["apt-get", "sudo apt-get install bubblewrap"],
  ["dnf", "sudo dnf install bubblewrap"],
  ["pacman", "sudo pacman -S bubblewrap"],
  ["apk", "sudo apk add bubblewrap"],
  ["zypper", "sudo zypper install bubblewrap"],
] as const;

/** Settings of the kernel that forbid user namespaces: [file, value that forbids, what allows]. */
const SETTINGS = [
  [
    "/proc/sys/kernel/unprivileged_userns_clone",
    "0",
    "Allow user namespaces: `sudo sysctl -w kernel.unprivileged_userns_clone=1`.",
  ],
  [
    "/proc/sys/user/max_user_namespaces",
    "0",
    "Allow user namespaces: `sudo sysctl -w user.max_user_namespaces=10000`.",
  ],
  [
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "1",
    "Give bwrap an AppArmor profile with `userns,`, or allow user namespaces to all: `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`.",
  ],
] as const;
const IN_CONTAINER_FIX =
  "In a container, start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`.";
const FORBIDDEN = /namespace|uid map|Operation not permitted|Permission denied|RTM_NEWADDR/i;

export function missingBubblewrap(which: (name: string) => string | undefined): AppError {
  const install = PACKAGE_MANAGERS.find(([name]) => which(name) !== undefined)?.[1];
  return new AppError(
    "sandbox_unavailable",
    "There is no sandbox on this machine: bubblewrap (bwrap) is not installed.",
    {
      fix:
        install === undefined
          ? "Install the package bubblewrap."
          : `Install it with \`${install}\`.`,
    },
  );
}

/** @param stderr What bubblewrap said when it was tried. */
export function explainBubblewrap(
  stderr: string,
  readSetting: (path: string) => string | undefined = readText,
): AppError {
  const said =
    stderr
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^bwrap: /, "") ?? "";
  const setting = SETTINGS.find(([path, value]) => readSetting(path) === value);
  if (FORBIDDEN.test(said)) {
    return new AppError(
      "sandbox_unavailable",
      `There is no sandbox on this machine: user namespaces are forbidden here (${said.replace(/\.$/, "")}).`,
      { fix: setting?.[2] ?? IN_CONTAINER_FIX, cause: new Error(stderr) },
    );
  }
  return new AppError(
    "sandbox_unavailable",
    `There is no sandbox on this machine: bubblewrap does not work${said === "" ? "." : ` (${said.replace(/\.$/, "")}).`}`,
    { fix: "Install a newer version of bubblewrap.", cause: new Error(stderr) },
  );
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // This kernel does not have the setting.
    return undefined;
  }
}
