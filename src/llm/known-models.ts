import { REAL_PROVIDERS } from "./registry.ts";

/** Models with a known price, for editors; what a server really has is asked of it when its key is checked. */
export async function listKnownModels(): Promise<
  readonly { readonly name: string; readonly provider: string }[]
> {
  const { findProvider } = await import("@pydantic/genai-prices");
  return Object.values(REAL_PROVIDERS).flatMap(({ name: provider, priceId }) => {
    if (priceId === undefined) return [];
    const models = findProvider({ providerId: priceId })?.models ?? [];
    return models.map(({ id }) => ({ name: id, provider }));
  });
}

/** Their names, those of one provider. */
export async function knownModelsOf(wanted: string): Promise<readonly string[]> {
  const known = await listKnownModels();
  return known.flatMap(({ name, provider }) => (provider === wanted ? [name] : []));
}
