import { expect, test } from "bun:test";
import { isLoaderVariable } from "../../src/lib/loader-variable.ts";

test.each([
  "LD_PRELOAD",
  "DYLD_INSERT_LIBRARIES",
  "NODE_OPTIONS",
  "node_path",
  "BUN_OPTIONS",
  "BUN_BE_BUN",
  "npm_config_registry",
  "PYTHONPATH",
  "PERL5OPT",
  "RUBYOPT",
  "BASH_ENV",
  "ENV",
  "PATH",
  "Path",
  "GIT_SSH_COMMAND",
  "GIT_ASKPASS",
  "GIT_DIR",
  "XDG_CONFIG_HOME",
  "BASH_FUNC_ls%%",
  "SHELLOPTS",
  "PS4",
  "OPENSSL_CONF",
  "DOTNET_STARTUP_HOOKS",
  "MAKEFLAGS",
  "HOME",
])("isLoaderVariable() is true for %s", (name) => {
  expect(isLoaderVariable(name)).toBe(true);
});

test.each([
  "GITHUB_TOKEN",
  "DATABASE_URL",
  "ENVIRONMENT",
  "MY_PATH",
  "HOMEPAGE",
  "LANG",
  "NODEX",
  "NODE_ENV",
  "PYTHONUNBUFFERED",
  "CRM_KEY",
  "GIT_AUTHOR_NAME",
  "LESSON",
  "OPENSSL_KEY",
])("isLoaderVariable() is false for %s", (name) => {
  expect(isLoaderVariable(name)).toBe(false);
});
