import type { ConfigSources } from "../config/source.ts";
import type { Clock } from "../lib/clock.ts";
import type { FlagDefinitions, FlagValues, GLOBAL_FLAGS } from "./flag.ts";
import type { App } from "./product.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is given; a command returns its exit code. */
export interface CommandContext<Definitions extends FlagDefinitions = FlagDefinitions> {
  readonly flags: FlagValues<Definitions>;
  readonly global: FlagValues<typeof GLOBAL_FLAGS>;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Where settings come from, the flags of this command line included. */
  readonly sources: ConfigSources;
  readonly loadApp: () => Promise<App>;
}
