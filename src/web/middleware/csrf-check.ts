import type { MiddlewareHandler } from "hono";
import { AppError } from "../../domain/error.ts";
import type { Csrf } from "../csrf.ts";
import { readForm } from "../form.ts";
import { isUnsafe } from "./origin-check.ts";

/** Refuses a change whose token is not the one of this browser: field `_csrf` or `X-CSRF-Token`. */
export function csrfCheck(csrf: Csrf): MiddlewareHandler {
  return async (c, next) => {
    if (isUnsafe(c.req.method)) {
      const given = c.req.header("X-CSRF-Token") ?? (await readForm(c)).text("_csrf");
      if (!csrf.isValid(c, given)) {
        throw new AppError("forbidden", "This form is not valid any more.", {
          fix: "Reload the page and send it again.",
        });
      }
    }
    await next();
  };
}
