/** The address when it is safe to link to, else undefined: `javascript:` and its kin run code. */
export function safeUrl(url: string | null): string | undefined {
  return url !== null && /^https?:\/\//i.test(url) ? url : undefined;
}
