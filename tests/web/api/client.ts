/** A program that uses the API: what it sends is JSON, what it gets is read. */
import type { World } from "../world.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- Tests say by what they expect what it is.
  readonly json: any;
}

export interface ApiCall {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, in place of `body`. */
  readonly text?: string;
}

/** @param path After `/api/v1`. */
export async function call(
  world: Pick<World, "url">,
  request: string,
  { body, headers = {}, text }: ApiCall = {},
): Promise<ApiAnswer> {
  const [method = "GET", path = ""] = request.split(" ");
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${world.url}/api/v1${path}`, {
    method,
    headers: { ...(sent === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    redirect: "manual",
    ...(sent === undefined ? {} : { body: sent }),
  });
  const answer = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text: answer,
    json: isJson && answer !== "" ? JSON.parse(answer) : undefined,
  };
}
