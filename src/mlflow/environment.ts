/** Variables that change how Python or MLflow behave, and secrets that MLflow has no use for. */
const STRIPPED = [
  /^PYTHON/,
  /^VIRTUAL_ENV/,
  /^CONDA/,
  /^_?MLFLOW_/,
  /^OTEL_/,
  /^UVICORN_/,
  /^WEB_CONCURRENCY$/,
  /^FORWARDED_ALLOW_IPS$/,
  /^AGENTS_/,
  /(^|_)(API_KEY|SECRET|SECRET_KEY|TOKEN|PASSWORD)$/,
];

/** No telemetry, no lookups of price lists on the network, no job runner, no gateway. */
const SERVER_SETTINGS = {
  MLFLOW_DISABLE_TELEMETRY: "true",
  DO_NOT_TRACK: "true",
  MLFLOW_MODEL_CATALOG_URI: "",
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
  MLFLOW_ENABLE_AI_GATEWAY: "false",
  // The name by which MLflow knows that it runs under uvicorn.
  _MLFLOW_SGI_NAME: "uvicorn",
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment for the MLflow server, made from ours. */
export function serverEnvironment(env: Environment): Record<string, string> {
  return { ...pythonEnvironment(env), ...SERVER_SETTINGS };
}

/** The environment for any Python that is ours: no settings of another one. */
export function pythonEnvironment(env: Environment): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !STRIPPED.some((pattern) => pattern.test(name))) kept[name] = value;
  }
  return kept;
}

/** Where pip would put packages in place of our folder, when a user has set it so. */
const PIP_TARGETS = ["PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"];

/**
 * The environment for pip and uv. Their own settings stay, because they say where packages come from
 * here (a company's index, a proxy), and with them the credentials that they may need.
 */
export function installerEnvironment(env: Environment): Record<string, string> {
  const kept = pythonEnvironment(env);
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && /^(PIP|UV)_/.test(name)) kept[name] = value;
  }
  for (const name of PIP_TARGETS) delete kept[name];
  return kept;
}
