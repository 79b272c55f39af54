import { expect, test } from "bun:test";
import { installerEnvironment, serverEnvironment } from "../../src/mlflow/environment.ts";

const env = {
  PATH: "/bin",
  HOME: "/home/a",
  PYTHONPATH: "/elsewhere",
  PYTHONDONTWRITEBYTECODE: "1",
  VIRTUAL_ENV: "/venv",
  MLFLOW_TRACKING_URI: "http://other",
  _MLFLOW_SERVER_FILE_STORE: "sqlite:///other",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://other",
  OPENAI_API_KEY: "secret",
  SECRET_KEY: "secret",
  AGENTS_DATA_DIR: "/data",
  PIP_INDEX_URL: "http://mirror.invalid/simple",
  UV_PUBLISH_TOKEN: "token",
  PIP_USER: "1",
  ABSENT: undefined,
};

test("serverEnvironment() keeps the machine's settings, drops Python's and all secrets", () => {
  expect(serverEnvironment(env)).toEqual({
    PATH: "/bin",
    HOME: "/home/a",
    PIP_INDEX_URL: "http://mirror.invalid/simple",
    PIP_USER: "1",
    MLFLOW_DISABLE_TELEMETRY: "true",
    DO_NOT_TRACK: "true",
    MLFLOW_MODEL_CATALOG_URI: "",
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
    MLFLOW_ENABLE_AI_GATEWAY: "false",
    _MLFLOW_SGI_NAME: "uvicorn",
  });
});

test("installerEnvironment() keeps what uv and pip need, but for other targets than ours", () => {
  expect(installerEnvironment(env)).toEqual({
    PATH: "/bin",
    HOME: "/home/a",
    PIP_INDEX_URL: "http://mirror.invalid/simple",
    UV_PUBLISH_TOKEN: "token",
  });
});
