import type { Context, MiddlewareHandler } from "hono";
import { AppError } from "../../domain/error.ts";
import type { Csrf } from "../csrf.ts";
import { readForm } from "../form.ts";
import { isApiPath } from "../problem.ts";
import { isFromProgram, isProgram } from "../program.ts";
import { isUnsafe } from "./origin-check.ts";

/**
 * Refuses a change whose token is not the one of this browser: field `_csrf` or `X-CSRF-Token`. Programs have
 * none where they are expected; for the API it is enough that no other site can have made the request.
 */
export function csrfCheck(csrf: Csrf): MiddlewareHandler {
  return async (c, next) => {
    if (isUnsafe(c.req.method) && !isFromProgram(c) && !isApiRequest(c)) {
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

/**
 * True for a request to the API that carries nothing which a browser adds by itself, or that a page of
 * this server has made (the origin check has refused those of other sites). No form can make one with a
 * body: it takes JSON only.
 */
function isApiRequest(c: Context): boolean {
  if (!isApiPath(c.req.path)) return false;
  const isOwn =
    c.req.header("Origin") !== undefined || c.req.header("Sec-Fetch-Site") === "same-origin";
  const hasCookie = c.req.header("Cookie") !== undefined;
  return isOwn || !hasCookie || c.req.header("Authorization") !== undefined;
}
