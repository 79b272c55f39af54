import type { MiddlewareHandler } from "hono";
import { AppError } from "../../domain/error.ts";
import type { Csrf } from "../csrf.ts";
import { readForm } from "../form.ts";
import { isFromProgram, isProgram } from "../program.ts";
import { isUnsafe } from "./origin-check.ts";

/**
 * Refuses a change whose token is not the one of this browser: field `_csrf` or `X-CSRF-Token`. Programs have
 * none where they are expected.
 */
export function csrfCheck(csrf: Csrf): MiddlewareHandler {
  return async (c, next) => {
    if (isUnsafe(c.req.method) && !isFromProgram(c)) {
      const given = c.req.header("X-CSRF-Token") ?? (await readForm(c)).text("_csrf");
      if (!csrf.isValid(c, given)) {
        // A browser that has no valid token comes from a page; what has no cookie either is a program.
        if (isProgram(c) && c.req.header("Cookie") === undefined) throw noJson();
        throw new AppError("forbidden", "This form is not valid any more.", {
          fix: "Reload the page and send it again.",
        });
      }
    }
    await next();
  };
}

function noJson(): AppError {
  return new AppError("forbidden", "A program has to send JSON here.", {
    fix: "Send the header Content-Type: application/json.",
  });
}
