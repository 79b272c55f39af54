/** Keyboard shortcuts, once: `keys.js` acts on them, the help lists them. */

/** After `g`: the page to go to. Only those that the navigation has are offered. */
export const PAGE_KEYS: Readonly<Record<string, string>> = {
  "/": "s",
  "/workflows": "w",
  "/runs": "r",
  "/schedules": "d",
  "/agents": "a",
  "/chat": "c",
  "/metrics": "m",
  "/logs": "l",
  "/memory": "e",
  "/settings": "t",
};

export interface Shortcut {
  readonly keys: readonly string[];
  readonly text: string;
  /** Only where the navigation has this page. */
  readonly page?: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["/"], text: "Search" },
  { keys: ["Ctrl", "K"], text: "Search" },
  { keys: ["?"], text: "This help" },
  { keys: ["p"], text: "Pause live updates, or go on" },
  { keys: ["j"], text: "Next item of a list" },
  { keys: ["k"], text: "Item before" },
  { keys: ["n"], text: "New workflow, where one can be added", page: "/workflows" },
  { keys: ["e"], text: "Edit the workflow that is open", page: "/workflows" },
];
