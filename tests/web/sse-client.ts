/** A reader of server-sent events for tests: keeps every message and comment in order. */
export interface SseMessage {
  readonly id: string;
  readonly event: string;
  readonly data: string;
  readonly retry: string;
}

export interface SseClient extends AsyncDisposable {
  readonly status: number;
  readonly messages: readonly SseMessage[];
  readonly comments: readonly string[];
  readonly ended: boolean;
  /** Resolves when `condition` holds; rejects with what was seen after five seconds. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function openSse(url: string | URL, init: RequestInit = {}): Promise<SseClient> {
  const abort = new AbortController();
  const response = await fetch(url, { ...init, signal: abort.signal });
  const messages: SseMessage[] = [];
  const comments: string[] = [];
  const waiting = new Set<() => void>();
  let ended = false;

  function take(block: string): void {
    const fields = { id: "", event: "", data: "", retry: "" };
    for (const line of block.split("\n")) {
      const [, name = "", value = ""] = /^([a-z]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === "") comments.push(value.replace(/^: ?/, ""));
      else if (name === "data") fields.data += fields.data === "" ? value : `\n${value}`;
      else if (name === "id" || name === "event" || name === "retry") fields[name] = value;
    }
    if (fields.data !== "" || fields.event !== "") messages.push(fields);
  }

  async function read(): Promise<void> {
    let rest = "";
    try {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        rest += text;
        // Looked at only near a possible end: large messages come in many pieces.
        if (!text.includes("\n")) continue;
        const blocks = rest.split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) take(block);
        for (const check of waiting) check();
      }
    } catch {
      // The connection was cut, by this client or by the server: both are an end.
    }
    ended = true;
    for (const check of waiting) check();
  }
  const reading = read();

  return {
    status: response.status,
    messages,
    comments,
    get ended() {
      return ended;
    },
    until: (condition) => waitFor(condition, waiting, () => ({ messages, comments, ended })),
    async close() {
      abort.abort();
      await reading;
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await reading;
    },
  };
}

function waitFor(
  condition: () => boolean,
  waiting: Set<() => void>,
  seen: () => unknown,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (end: () => void) => {
      clearTimeout(timer);
      waiting.delete(check);
      end();
    };
    const check = () => {
      if (condition()) finish(resolve);
    };
    const timer = setTimeout(
      () =>
        finish(() =>
          reject(new Error(`not seen in time: ${JSON.stringify(seen()).slice(0, 2000)}`)),
        ),
      5_000,
    );
    waiting.add(check);
    check();
  });
}
