/** Text of a terminal: colours become classes, every other control is left out. */

/* oxlint-disable no-control-regex -- Control characters are what is looked for. */

const COLORS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
/** A sequence that sets colours, any other one, and controls that stand alone. */
const SEQUENCE =
  /\u001B\[(?<codes>[\d;]*)m|\u001B\[[\d;?]*[ -/]*[@-~]|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|\u001B.?|[\u0000-\u0008\u000B-\u001F\u007F]/g;
const PIECE_COUNT_MAX = 500;

interface Piece {
  readonly text: string;
  readonly color: string | undefined;
  readonly isBold: boolean;
}

export function AnsiText(props: { text: string }) {
  const { text } = props;
  if (!/[\u0000-\u0008\u000B-\u001F\u007F]/.test(text)) return <>{text}</>;
  return (
    <>
      {pieces(text).map(({ text: part, color, isBold }) => {
        const classes = [
          ...(color === undefined ? [] : [`ansi-${color}`]),
          ...(isBold ? ["ansi-bold"] : []),
        ];
        return classes.length === 0 ? part : <span class={classes.join(" ")}>{part}</span>;
      })}
    </>
  );
}

/** The text alone. */
export function withoutAnsi(text: string): string {
  return text.replaceAll(SEQUENCE, "");
}

function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let style: Omit<Piece, "text"> = { color: undefined, isBold: false };
  let from = 0;
  const add = (part: string) => {
    if (part !== "") found.push({ text: part, ...style });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    if (found.length >= PIECE_COUNT_MAX) break;
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    const codes = match.groups?.["codes"];
    if (codes !== undefined) style = styled(style, codes.split(";").map(Number));
  }
  add(withoutAnsi(text.slice(from)));
  return found;
}

function styled(style: Omit<Piece, "text">, codes: readonly number[]): Omit<Piece, "text"> {
  let { color, isBold } = style;
  for (const code of codes) {
    // Colours of a larger palette have numbers of their own behind them, which are no codes.
    if (code === 38 || code === 48) break;
    if (code === 0) [color, isBold] = [undefined, false];
    else if (code === 1) isBold = true;
    else if (code === 22) isBold = false;
    else if (code === 39) color = undefined;
    else if (code >= 30 && code <= 37) color = COLORS[code - 30];
    else if (code >= 90 && code <= 97) color = COLORS[code - 90];
  }
  return { color, isBold };
}
