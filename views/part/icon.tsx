/** Line icons on a 16 px grid, 1.5 px stroke. Decorative: the text beside them carries the meaning. */
const PATHS = {
  status: "M2.75 2.75h4v4h-4zM9.25 2.75h4v4h-4zM2.75 9.25h4v4h-4zM9.25 9.25h4v4h-4z",
  runs: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.75 5.75v4.5L10.5 8z",
  workflows:
    "M5 8h1.5C8.5 8 7.5 4 10.25 4M6.5 8c2 0 1 4 3.75 4M3.5 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11.75 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11.75 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  settings:
    "M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6M10 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM6 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  schedules: "M2.75 4h10.5v9.25H2.75zM2.75 6.75h10.5M5.5 2.5v3M10.5 2.5v3",
  search: "M7 11.25a4.25 4.25 0 1 0 0-8.5 4.25 4.25 0 0 0 0 8.5zM10.25 10.25L13.5 13.5",
  sun: "M8 10.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM8 1.75v1M8 13.25v1M1.75 8h1M13.25 8h1M3.6 3.6l.7.7M11.7 11.7l.7.7M3.6 12.4l.7-.7M11.7 4.3l.7-.7",
  moon: "M13.25 9.5A5.5 5.5 0 0 1 6.5 2.75a5.5 5.5 0 1 0 6.75 6.75z",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  close: "M4 4l8 8M12 4l-8 8",
  pause: "M5.75 4v8M10.25 4v8",
  play: "M5.5 3.75v8.5L12 8z",
  stop: "M4.25 4.25h7.5v7.5h-7.5z",
  chevron: "M6 4l4 4-4 4",
  plus: "M8 3.25v9.5M3.25 8h9.5",
  warning: "M8 2.5l6 10.75H2zM8 6.5v3M8 11.4v.1",
  critical: "M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM8 5v3.5M8 10.9v.1",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5v3.25M8 5.1v.1",
  check: "M3.25 8.5l3.25 3.25 6.25-7",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  refresh: "M13 4v3h-3M3 12V9h3M12.5 7A5 5 0 0 0 4 5.25M3.5 9a5 5 0 0 0 8.5 1.75",
  upload: "M8 10.5V3M5 6l3-3 3 3M2.75 10.5v2.75h10.5V10.5",
  download: "M8 3v7.5M5 7.5l3 3 3-3M2.75 10.5v2.75h10.5V10.5",
  trash: "M3 4.5h10M6.25 4.5V3h3.5v1.5M4.25 4.5l.5 8.75h6.5l.5-8.75M6.75 7v3.75M9.25 7v3.75",
  copy: "M5.75 5.75h7.5v7.5h-7.5zM10.25 5.75v-3h-7.5v7.5h3",
  key: "M6 12.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM8 8l5-5M11 5l2 2M9.5 6.5l1.25 1.25",
  spark: "M8 2l1.4 4.6L14 8l-4.6 1.4L8 14l-1.4-4.6L2 8l4.6-1.4z",
  tool: "M9.25 4.5a3 3 0 0 1 3.75-1.9L11.1 4.5l.4 1.9 1.9.4 .1-.1a3 3 0 0 1-4 3.3l-4.2 4a1.3 1.3 0 0 1-1.9-1.9l4-4.2a3 3 0 0 1-.15-1.4z",
  logout: "M6.25 13.25H2.75V2.75h3.5M10 5l3 3-3 3M13 8H6",
  chat: "M2.75 3.25h10.5v7.5H8l-3.25 2.5v-2.5h-2z",
  agents:
    "M5 6.25h6a1.5 1.5 0 0 1 1.5 1.5v3.5a1.5 1.5 0 0 1-1.5 1.5H5a1.5 1.5 0 0 1-1.5-1.5v-3.5A1.5 1.5 0 0 1 5 6.25zM8 6.25v-3M6.5 3h3M6.25 9v1M9.75 9v1M1.5 8.75v1.5M14.5 8.75v1.5",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.4 6.4a1.65 1.65 0 1 1 2.3 1.5c-.5.25-.7.55-.7 1.1M8 11.1v.1",
  memory:
    "M3 4.5c0-1.1 2.2-2 5-2s5 .9 5 2-2.2 2-5 2-5-.9-5-2zM3 4.5v7c0 1.1 2.2 2 5 2s5-.9 5-2v-7M3 8c0 1.1 2.2 2 5 2s5-.9 5-2",
  edit: "M3 13l.6-2.9 7.3-7.3a1.4 1.4 0 0 1 2 2L5.7 12.3zM9.75 4l2.25 2.25",
  compare: "M6.5 2.75v10.5H2.75V2.75zM9.5 2.75h3.75v10.5H9.5",
  lock: "M4 7.25h8v6H4zM5.75 7.25V5a2.25 2.25 0 0 1 4.5 0v2.25",
} as const;
export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName; size?: number }) {
  const size = props.size ?? 16;
  return (
    <svg
      class="i"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[props.name]} />
    </svg>
  );
}
