import { runCommandLine } from "./cli/main.ts";

process.exit(await runCommandLine(process.argv.slice(2)));
