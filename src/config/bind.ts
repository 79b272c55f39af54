import { AppError } from "../domain/error.ts";
import { isLoopback } from "../lib/loopback.ts";

/**
 * Refuses to serve other machines without a password.
 * @throws AppError `forbidden`.
 */
export function checkBindAddress(config: {
  readonly host: string;
  readonly adminPasswordHash: string | undefined;
}): void {
  if (isLoopback(config.host) || config.adminPasswordHash !== undefined) return;
  throw new AppError(
    "forbidden",
    `The dashboard would be open to other machines on ${config.host}, and no administrator password is set.`,
    { fix: "Run `agents password` to set one, or leave out --host." },
  );
}
