/** The OpenAPI document → what the reference page shows. The page knows nothing that the document does not. */
import { z } from "zod";
import type {
  ApiField,
  ApiOperation,
  ApiReference,
  ApiSchema,
  TypePiece,
} from "../../../views/api.tsx";
import type { OpenApiDocument } from "./document.ts";

const JSON_TYPE = "application/json";

interface SchemaNode {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly format?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly items?: SchemaNode | undefined;
  readonly anyOf?: readonly SchemaNode[] | undefined;
  readonly properties?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: SchemaNode | boolean | undefined;
  readonly default?: unknown;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly maxLength?: number | undefined;
}

/** Only what is shown; the rest of the document is left aside. */
const Node: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    format: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    items: Node.optional(),
    anyOf: z.array(Node).optional(),
    properties: z.record(z.string(), Node).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), Node]).optional(),
    default: z.unknown().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    maxLength: z.number().optional(),
  }),
);
const Content = z.record(
  z.string(),
  z.object({ schema: Node.optional(), example: z.unknown().optional() }),
);
const Answer = z.object({ description: z.string(), content: Content.optional() });
const DocumentOperation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  description: z.string(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        description: z.string().optional(),
        required: z.boolean().optional(),
        schema: Node,
      }),
    )
    .optional(),
  requestBody: z.object({ required: z.boolean().optional(), content: Content }).optional(),
  responses: z.record(z.string(), z.union([z.object({ $ref: z.string() }), Answer])),
});
const Document = z.object({
  info: z.object({ version: z.string(), description: z.string() }),
  servers: z.array(z.object({ url: z.string() })),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), DocumentOperation)),
  components: z.object({
    schemas: z.record(z.string(), Node),
    responses: z.record(z.string(), Answer),
  }),
});
type Document = z.output<typeof Document>;
type DocumentOperation = z.output<typeof DocumentOperation>;

/** @param options.origin Where this server is reached, for the examples. */
export function readReference(
  document: OpenApiDocument,
  options: { readonly origin: string; readonly needsToken: boolean },
): ApiReference {
  const read = Document.parse(document);
  const base = `${options.origin}${read.servers[0]?.url ?? ""}`;
  const operations = Object.entries(read.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      readOperation(operation, {
        method: method.toUpperCase(),
        path,
        document: read,
        base,
        needsToken: options.needsToken,
      }),
    ),
  );
  return {
    version: read.info.version,
    introduction: read.info.description,
    base,
    groups: read.tags.map(({ name, description }) => ({
      name,
      description,
      operations: operations.filter(({ tag }) => tag === name),
    })),
    schemas: Object.entries(read.components.schemas).map(([name, node]) => readSchema(name, node)),
  };
}

interface Place {
  readonly method: string;
  readonly path: string;
  readonly document: Document;
  readonly base: string;
  readonly needsToken: boolean;
}

function readOperation(operation: DocumentOperation, place: Place): ApiOperation {
  const { method, path, document } = place;
  const body = operation.requestBody?.content[JSON_TYPE];
  return {
    id: operation.operationId,
    tag: operation.tags[0] ?? "",
    method,
    path,
    summary: operation.summary,
    description: operation.description,
    parameters: (operation.parameters ?? []).map((one) => {
      const { type, notes, ...field } = fieldOf(one.name, one.schema, one.required === true);
      return {
        type,
        notes,
        name: field.name,
        isRequired: field.isRequired,
        in: one.in,
        description: one.description ?? "",
      };
    }),
    body:
      body === undefined
        ? undefined
        : {
            type: typeOf(body.schema ?? {}),
            isRequired: operation.requestBody?.required === true,
          },
    answers: Object.entries(operation.responses).map(([status, answer]) => {
      const known = "$ref" in answer ? document.components.responses[nameOf(answer.$ref)] : answer;
      const [type, content] = Object.entries(known?.content ?? {})[0] ?? [];
      return {
        status,
        description: known?.description ?? "",
        type: content === undefined ? [] : typeOf(content.schema ?? {}),
        mediaType: type ?? "",
      };
    }),
    curl: curlOf(operation, place, body?.example),
  };
}

function readSchema(name: string, node: SchemaNode): ApiSchema {
  const required = new Set(node.required);
  return {
    name,
    description: node.description ?? "",
    type: typeOf(node),
    fields: Object.entries(node.properties ?? {}).map(([field, type]) =>
      fieldOf(field, type, required.has(field)),
    ),
  };
}

function fieldOf(name: string, node: SchemaNode, isRequired: boolean): ApiField {
  const { minimum, maximum, maxLength } = node;
  // The limits of what JavaScript can count say nothing.
  const range =
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
      ? [`${minimum ?? ""} to ${maximum}`]
      : [];
  const notes = [
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...range,
    ...(node.default === undefined ? [] : [`default ${JSON.stringify(node.default)}`]),
  ];
  return { name, type: typeOf(node), isRequired, description: node.description ?? "", notes };
}

/** A type in words, with the names of schemas to link to. */
function typeOf(node: SchemaNode): TypePiece[] {
  if (node.$ref !== undefined) return [{ schema: nameOf(node.$ref) }];
  if (node.anyOf !== undefined) {
    return node.anyOf.flatMap((one, index) =>
      index === 0 ? typeOf(one) : [" or ", ...typeOf(one)],
    );
  }
  if (node.enum !== undefined) return [node.enum.map((one) => JSON.stringify(one)).join(" or ")];
  if (Array.isArray(node.type)) return [node.type.join(" or ")];
  if (node.type === "array") return ["list of ", ...typeOf(node.items ?? {})];
  if (node.type !== "object") return [node.format ?? String(node.type ?? "any")];
  const { additionalProperties: values } = node;
  if (typeof values === "object") return ["object of ", ...typeOf(values)];
  const names = Object.keys(node.properties ?? {});
  return [names.length === 0 ? "object" : `object with ${names.join(", ")}`];
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

/** A command that can be pasted into a shell; what has to be filled in is in capitals. */
function curlOf(operation: DocumentOperation, place: Place, example: unknown): string {
  const { method, path, base, needsToken } = place;
  const required = (operation.parameters ?? []).filter((one) => one.in === "query" && one.required);
  const query = required.map(({ name }) => `${name}=${name.toUpperCase()}`).join("&");
  const url = base + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  const takesKey = (operation.parameters ?? []).some(({ name }) => name === "Idempotency-Key");
  const words = [
    method === "GET" ? "curl" : `curl -X ${method}`,
    quote(query === "" ? url : `${url}?${query}`),
    ...(needsToken ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(takesKey ? ['-H "Idempotency-Key: $(uuidgen)"'] : []),
    ...(example === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(example))}`]),
  ];
  const [command = "", ...rest] = words;
  return [command, ...rest].join(rest.length === 1 ? " " : " \\\n  ");
}

function quote(text: string): string {
  return /^[\w./:?=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
