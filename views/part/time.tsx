const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago something was; the browser keeps it up to date while the page stays open. */
export function TimeAgo(props: { at: number; now: number }) {
  return (
    <time datetime={isoTime(props.at)} title={dateText(props.at)} data-ago>
      {agoText(props.at, props.now)}
    </time>
  );
}

/** The time of day with the full date in the attribute. */
export function ClockTime(props: { at: number }) {
  return <time datetime={isoTime(props.at)}>{clockText(props.at)}</time>;
}

export function DateTime(props: { at: number }) {
  return <time datetime={isoTime(props.at)}>{dateText(props.at)}</time>;
}

/** `just now`, `5 min ago`, `3 h ago`, `2 d ago`, then the date. `client.js` has the same rule. */
export function agoText(at: number, now: number): string {
  const ms = now - at;
  if (ms < MINUTE) return "just now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  if (ms < 30 * DAY) return `${Math.floor(ms / DAY)} d ago`;
  return dayText(at);
}

/** `14:31:02`, in the time zone of the machine that runs `agents`. */
export function clockText(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
}

/** The time of day, with the date when it is not the day of `from`. */
export function momentText(at: number, from: number): string {
  const [date, day] = [dateText(at), dateText(from).slice(0, DAY_CHARS)];
  return date.startsWith(day) ? clockText(at) : date.slice(0, -":00".length);
}

/** `2026-11-20`, in the time zone of the machine that runs `agents`. */
export function dayText(at: number): string {
  return dateText(at).slice(0, DAY_CHARS);
}

/** `Mon 2026-11-23 09:00`, in a time zone by its IANA name. */
export function zonedText(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  const date = [part("year"), part("month"), part("day")].join("-");
  return `${part("weekday")} ${date} ${part("hour")}:${part("minute")}`;
}

const DAY_CHARS = "2026-11-20".length;

function dateText(at: number): string {
  const time = new Date(at);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clockText(at)}`;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
