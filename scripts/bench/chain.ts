/** Five model steps in a row, each copying the text on. */
export const CHAIN_NODE_IDS = ["one", "two", "three", "four", "five"];

const node = (id: string) => `  - id: ${id}
    prompt: "{state.text}"
    outputs: [text]
    output_schema: {type: str}
`;
const stops = ["START", ...CHAIN_NODE_IDS, "END"];
const edges = stops.slice(1).map((to, index) => `  - {from: ${stops[index]}, to: ${to}}\n`);

export const CHAIN = `schema_version: "1.0"
flow: {name: chain}
state: {fields: {text: {type: str, required: true}}}
nodes:
${CHAIN_NODE_IDS.map(node).join("")}edges:
${edges.join("")}config: {llm: {provider: demo, model: demo}}
`;
