/** What a provider of real models has to offer; one file for each in `provider/`. */
import type { LanguageModel as AnyLanguageModel } from "ai";
import type { ModelRequest } from "../domain/model.ts";
import type { ProviderName } from "../domain/workflow.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { OutputMode } from "./output-schema.ts";
import type { ModelSettings } from "./settings.ts";

/** Never a bare name: the SDK would send that to Vercel's gateway. */
export type LanguageModel = Exclude<AnyLanguageModel, string>;

export type RealProviderName = Exclude<ProviderName, "demo">;

/** Where a call goes. */
export interface Connection {
  /** Without a trailing slash, with the version path. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Provider {
  readonly name: RealProviderName;
  /** As people write it. */
  readonly label: string;
  /** The variable that holds the key; undefined when there is none to hold. */
  readonly keyVariable: string | undefined;
  readonly isKeyRequired: boolean;
  /** Where a key can be had. */
  readonly keyPage: string | undefined;
  readonly baseUrlVariable: string;
  /** The provider's own address; undefined when every user has another. */
  readonly baseUrlDefault: string | undefined;
  /** Small and current; undefined where only the server knows what it has. */
  readonly modelDefault: string | undefined;
  /** `genai-prices` name; undefined when the price depends on the server. */
  readonly priceId: string | undefined;
  /** @param apiBase The workflow's own address, which wins. The base URL is undefined when none is known. */
  connect(
    settings: ModelSettings,
    apiBase: string | undefined,
  ): { readonly baseUrl: string | undefined; readonly apiKey: string | undefined };
  /** Loads the provider's package on first use. */
  load(connection: Connection): Promise<(model: string) => LanguageModel>;
  /** @param schema The request's schema, its objects closed. */
  outputMode(schema: JsonObject, request: ModelRequest): OutputMode;
  /** The SDK's `providerOptions` for what is to be kept for the next request; undefined where that is automatic. */
  readonly cacheMark: Record<string, JsonObject> | undefined;
  readonly takesPdf: boolean;
  /** The SDK's `providerOptions` for a call. */
  callOptions(mode: OutputMode | undefined): Record<string, JsonObject>;
  modelsRequest(connection: Connection): HttpRequest;
  /** Names of the models that can chat, from the answer to `modelsRequest`. */
  parseModels(body: Json): string[];
  /** What to do about a model that is not there. */
  unknownModelFix(model: string): string;
}
