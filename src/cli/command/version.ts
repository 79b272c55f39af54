import type { CommandContext } from "../command.ts";
import { print } from "../terminal.ts";
import { BUILD } from "../../domain/build.ts";

export async function version({ global, terminal }: CommandContext): Promise<number> {
  print(terminal, BUILD.version);
  if (global.verbose) {
    print(terminal, `commit ${BUILD.commit}`);
    print(terminal, `Bun ${Bun.version}, ${process.platform} ${process.arch}`);
  }
  return 0;
}
