/** Characters of one line of output that are kept; the rest of the line is dropped and marked. */
export const LINE_CHARS_MAX = 16_384;
const CUT_MARK = " … (line cut)";

/**
 * Calls `onLine` for every line of a stream, without its line break, until the stream ends. The text
 * after the last line break counts as a line. Never holds more than one chunk and one line.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let partial = "";
  let cut = false;
  const append = (text: string) => {
    const room = LINE_CHARS_MAX - partial.length;
    partial += text.slice(0, room);
    cut ||= text.length > room;
  };
  const flush = () => {
    const line = partial.endsWith("\r") ? partial.slice(0, -1) : partial;
    const mark = cut ? CUT_MARK : "";
    partial = "";
    cut = false;
    onLine(line + mark);
  };
  const take = (text: string) => {
    const pieces = text.split("\n");
    const rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      append(piece);
      flush();
    }
    append(rest);
  };
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  take(decoder.decode());
  if (partial !== "") flush();
}
