/** Completion scripts, made from the definitions; pure. */
import type { SHELLS } from "./definition.ts";
import {
  type CommandDefinition,
  type FlagDefinition,
  type FlagDefinitions,
  GLOBAL_FLAGS,
} from "./flag.ts";
import { flagNames } from "./parse.ts";

type Shell = (typeof SHELLS)[number];

interface CompletionFlag {
  /** As typed: `--port`, `-n`. */
  readonly names: readonly string[];
  readonly definition: FlagDefinition;
}

interface CompletionCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletionFlag[];
  /** Words that its positionals may be. */
  readonly words: readonly string[];
  readonly files: boolean;
}

const WRITERS: Readonly<Record<Shell, (commands: readonly CompletionCommand[]) => string>> = {
  bash,
  zsh,
  fish,
  powershell,
};

/** The script that teaches a shell the commands, flags and values. */
export function completionScript(shell: Shell, definitions: readonly CommandDefinition[]): string {
  const visible = definitions.filter((definition) => !definition.hidden);
  const names = visible.map(({ name }) => name);
  const commands = visible.map((definition) => toCompletion(definition, names));
  return WRITERS[shell](commands);
}

function toCompletion(definition: CommandDefinition, names: readonly string[]): CompletionCommand {
  const all: FlagDefinitions = { ...definition.flags, ...GLOBAL_FLAGS };
  const flags = Object.entries(all).flatMap(([name, flag]): CompletionFlag[] => {
    const short = flag.short === undefined ? [] : [`-${flag.short}`];
    const long = flagNames({ [name]: flag });
    return long.length === 0 ? [] : [{ names: [...long, ...short], definition: flag }];
  });
  const words = definition.positionals.flatMap(({ choices, complete }) =>
    complete === "command" ? names : (choices ?? []),
  );
  const files = definition.positionals.some(({ complete }) => complete === "file");
  return { name: definition.name, summary: definition.summary, flags, words, files };
}

type ValueKind = { readonly words: readonly string[] } | "file" | "folder" | "any" | undefined;

function valueOf(definition: FlagDefinition): ValueKind {
  if (definition.type === "boolean") return undefined;
  if (definition.type === "text" && definition.choices !== undefined) {
    return { words: definition.choices };
  }
  return definition.type === "count" ? "any" : (definition.complete ?? "any");
}

/** Files or folders; only a line's end divides them, so a name may hold spaces. */
function bashPaths(kind: "f" | "d"): string {
  return `local IFS=$'\\n'; COMPREPLY=($(compgen -${kind} -- "$current"))`;
}

function bash(commands: readonly CompletionCommand[]): string {
  const valueCases = new Map<string, string>();
  for (const { name, flags } of commands) {
    for (const { names, definition } of flags) {
      const value = valueOf(definition);
      if (value === undefined) continue;
      const action =
        value === "file"
          ? bashPaths("f")
          : value === "folder"
            ? bashPaths("d")
            : value === "any"
              ? "COMPREPLY=()"
              : `COMPREPLY=($(compgen -W "${value.words.join(" ")}" -- "$current"))`;
      for (const flag of names) valueCases.set(`${name}:${flag}`, action);
    }
  }
  const commandCases = commands.map(({ name, flags, words, files }) => {
    const all = flags.flatMap(({ names }) => names).join(" ");
    const plain = files
      ? bashPaths("f")
      : `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$current"))`;
    return `    ${name})
      if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "${all}" -- "$current"))
      else ${plain}; fi ;;`;
  });
  return `# bash completion for agents
_agents() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      ${commands.map(({ name }) => name).join("|")}) command="$word"; break ;;
    esac
  done
  case "$command:$previous" in
${[...valueCases].map(([pattern, action]) => `    ${pattern}) ${action}; return ;;`).join("\n")}
  esac
  case "$command" in
${commandCases.join("\n")}
    *) COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current")) ;;
  esac
}
complete -o filenames -F _agents agents
`;
}

/** Text inside single quotes, for zsh's \`_arguments\`. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, "\\$&");
}

function zsh(commands: readonly CompletionCommand[]): string {
  const described = commands
    .map(({ name, summary }) => `    '${name}:${zshText(summary)}'`)
    .join("\n");
  const cases = commands.map(({ name, flags, words, files }) => {
    const specs = flags.flatMap(({ names, definition }) =>
      names.map((flag) => {
        const value = valueOf(definition);
        const many = definition.type === "list" ? "*" : "";
        return `'${many}${flag}[${zshText(definition.description)}]${zshValue(value)}'`;
      }),
    );
    if (files) specs.push("'*:file:_files'");
    else if (words.length > 0) specs.push(`'1:value:(${words.join(" ")})'`);
    return `    ${name})\n      _arguments \\\n        ${specs.join(" \\\n        ")} ;;`;
  });
  return `#compdef agents
_agents() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${described}
  )
  _arguments -C '1:command:->command' '*::argument:->argument'
  case "$state" in
    command) _describe 'command' commands; return ;;
  esac
  case "$line[1]" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_agents" ]; then _agents "$@"; else compdef _agents agents; fi
`;
}

function zshValue(value: ValueKind): string {
  if (value === undefined) return "";
  if (value === "file") return ":file:_files";
  if (value === "folder") return ":folder:_files -/";
  return value === "any" ? ":value:" : `:value:(${value.words.join(" ")})`;
}

function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function fish(commands: readonly CompletionCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const lines = ["# fish completion for agents", "complete -c agents -f"];
  for (const { name, summary, flags, words, files } of commands) {
    lines.push(
      `complete -c agents -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d ${fishText(summary)}`,
    );
    const seen = `complete -c agents -n '__fish_seen_subcommand_from ${name}'`;
    for (const { names: flagNamesOf, definition } of flags) {
      const options = flagNamesOf.map((flag) =>
        flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const shorts = options.filter((option) => option.startsWith("-s"));
      for (const long of options.filter((option) => option.startsWith("-l"))) {
        const short = long.startsWith("-l no-") ? [] : shorts;
        const parts = [...short, long, fishValue(valueOf(definition))].filter(
          (part) => part !== "",
        );
        lines.push(`${seen} ${parts.join(" ")} -d ${fishText(definition.description)}`);
      }
    }
    if (files) lines.push(`${seen} -F`);
    if (words.length > 0) lines.push(`${seen} -a ${fishText(words.join(" "))}`);
  }
  return `${lines.join("\n")}\n`;
}

function fishValue(value: ValueKind): string {
  if (value === undefined) return "";
  if (value === "file") return "-r -F";
  if (value === "folder") return "-x -a '(__fish_complete_directories)'";
  return value === "any" ? "-x" : `-x -a ${fishText(value.words.join(" "))}`;
}

function list(words: readonly string[]): string {
  return `@(${words.map((word) => `'${word}'`).join(", ")})`;
}

function powershell(commands: readonly CompletionCommand[]): string {
  const entries = commands.map(({ name, flags, words }) => {
    const values = flags.flatMap(({ names, definition }) => {
      const value = valueOf(definition);
      return typeof value === "object"
        ? names.map((flag) => `'${flag}' = ${list(value.words)}`)
        : [];
    });
    const all = list(flags.flatMap(({ names }) => names));
    return `    '${name}' = @{ Flags = ${all}; Words = ${list(words)}; Values = @{ ${values.join("; ")} } }`;
  });
  return `# PowerShell completion for agents
Register-ArgumentCompleter -Native -CommandName agents -ScriptBlock {
  param($word, $ast, $position)
  $commands = @{
${entries.join("\n")}
  }
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  $command = $words | Where-Object { $commands.ContainsKey($_) } | Select-Object -First 1
  $before = if ($word -eq '') { $words | Select-Object -Last 1 } else { $words | Select-Object -Last 2 | Select-Object -First 1 }
  if (-not $command -or $command -eq $word) { $choices = $commands.Keys | Sort-Object }
  elseif ($before -and $commands[$command].Values.ContainsKey($before)) { $choices = $commands[$command].Values[$before] }
  elseif ($word.StartsWith('-')) { $choices = $commands[$command].Flags }
  else { $choices = $commands[$command].Words }
  $choices | Where-Object { $_ -like "$word*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}
