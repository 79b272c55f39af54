/** Commands that `agents start` gives to the processes that it starts. */
import { databaseUrl } from "./definition.ts";
import { define } from "./flag.ts";

export const WORKER = define({
  name: "worker",
  summary: "Execute runs (started by `agents start`)",
  positionals: [],
  flags: {
    name: { type: "text", value: "NAME", description: "Name of this worker" },
    "db-url": databaseUrl,
  },
  hidden: true,
});

export const CHAT = define({
  name: "chat",
  summary: "Serve the chat (started by `agents start`)",
  positionals: [],
  flags: {},
  hidden: true,
});

export const GUARD = define({
  name: "guard",
  summary: "Run a program that ends with its parent (started by `agents start`)",
  positionals: [],
  flags: {},
  hidden: true,
  passThrough: true,
});
