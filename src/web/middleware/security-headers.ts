import type { Context, MiddlewareHandler } from "hono";

const FORM_ACTION = "form-action 'self'";
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  FORM_ACTION,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Of a file of somebody that a browser shows by itself: no scripts, no forms, no origin, nothing that is loaded. */
export const FILE_POLICY = "sandbox; default-src 'none'";

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  // Not `no-referrer`: with that a form's POST says `Origin: null`, and the origin check refuses it.
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/**
 * Puts the same headers on every answer: pages, files, streams and errors.
 *
 * @param formTarget Another origin of this product that the answer to a form may lead to: browsers hold
 *   redirects to the policy as well.
 */
export function securityHeaders(formTarget?: (c: Context) => string): MiddlewareHandler {
  return async (c, next) => {
    await next();
    // The stricter policy stays, also through the dashboard, which passes on what the chat says.
    const isFile = c.res.headers.get("Content-Security-Policy") === FILE_POLICY;
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.res.headers.set(name, value);
    if (isFile) c.res.headers.set("Content-Security-Policy", FILE_POLICY);
    else if (formTarget !== undefined && URL.canParse(c.req.url)) {
      const policy = CONTENT_SECURITY_POLICY.replace(
        FORM_ACTION,
        `${FORM_ACTION} ${formTarget(c)}`,
      );
      c.res.headers.set("Content-Security-Policy", policy);
    }
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  };
}
