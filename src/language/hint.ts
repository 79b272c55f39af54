/** What to do about mistakes that people make in workflow files, by the place they make them in. */

/** Keys that belong somewhere else, or come from another tool. */
export const UNKNOWN_KEY_FIXES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    name: "Move it into `flow:`, as `flow.name`.",
    description: "Move it into `flow:`, as `flow.description`.",
    version:
      'Move it into `flow:`, as `flow.version`; the format is named by `schema_version: "1.0"`.',
    execution: "Move it into `config:`, as `config.execution`.",
    observability: "Move it into `config:`, as `config.observability`.",
    storage: "Move it into `config:`, as `config.storage`.",
    llm: "Move it into `config:`, as `config.llm`.",
    fields: "Move it into `state:`, as `state.fields`.",
    orchestration: "Remove it; the order of the steps is what `edges` say.",
    "state.type": "Remove it; the state is always a map of `fields`.",
    "state.properties":
      "Rename it to `fields`, with types such as str, int, list[str] and dict[str, int].",
    "nodes[].cache": "Remove it; answers are not cached.",
    "nodes[].gates": "Move it to `config.gates`, as {on_fail: warn, gates: [{metric: …, max: …}]}.",
    "nodes[].optimization": "Move prompt variants to `config.ab_test`, or remove it.",
    "nodes[].ab_test": "Move it to `config.ab_test`.",
    "nodes[].model": "Move it into the node's `llm:`.",
    "nodes[].provider": "Move it into the node's `llm:`.",
    "nodes[].temperature": "Move it into the node's `llm:`.",
    "nodes[].max_tokens": "Move it into the node's `llm:`.",
    "nodes[].max_retries": "Write `retry: {max_attempts: …}`.",
    "nodes[].output_schema.schema": "Write `fields:`, a list with one entry for each output.",
    "edges[].condition": "Write `routes: [{condition: {logic: …}, to: …}, …]`.",
    "config.timeout": "Move it to `config.execution.timeout`.",
    "config.max_retries": "Move it to `config.execution.max_retries`.",
    "config.mlflow.enabled": "Move it to `config.observability.mlflow.enabled`.",
    "config.mlflow.tracking_uri": "Move it to `config.observability.mlflow.tracking_uri`.",
    "config.mlflow.experiment_name": "Move it to `config.observability.mlflow.experiment_name`.",
  }),
);

export const MISSING_KEY_FIXES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    schema_version: 'Add the line `schema_version: "1.0"` at the top.',
    flow: "Add `flow: {name: my_workflow}`.",
    state: "Add `state: {fields: {topic: {type: str, required: true}}}`.",
    "state.fields": "Add `fields:` with a name and a type for each value.",
    edges: "Add `edges:`, from START over each node to END.",
    "nodes[].id": "Add `id:`, a word without spaces that the edges use.",
    "nodes[].output_schema": "Add `output_schema: {type: str}`, or an object with `fields`.",
    "nodes[].outputs": "Add `outputs:`, the list of state fields that the answer goes to.",
    "nodes[].prompt": "Add `prompt:`, what the model is asked.",
  }),
);

export const WRONG_TYPE_FIXES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    schema_version: 'Write `schema_version: "1.0"`, with the quotes.',
    "config.gates":
      "Write `gates: {on_fail: warn, gates: [{metric: cost_usd_avg, max: 0.05}]}`, with max and min as the limits.",
    nodes: "Write each node as `- id: …`.",
    edges: "Write each edge as `- {from: …, to: …}`.",
    "edges[]": "Write the edge as `{from: …, to: …}`.",
    "edges[].routes[].condition": "Write `condition: {logic: …}`.",
  }),
);
