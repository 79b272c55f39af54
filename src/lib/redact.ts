/** Shorter values are not replaced: they would blank out ordinary words. */
const SECRET_LENGTH_MIN = 6;
export const MASK = "[redacted]";

/** Shapes of keys that are secret wherever they come from, also when nobody configured them here. */
const KEY_PATTERNS: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_*.-]{6,}/g,
  /\bAIza[A-Za-z0-9_-]{10,}/g,
  /\b(?:gsk|hf|xai|pplx|r8|ghp|gho)[_-][A-Za-z0-9_-]{8,}/g,
];
/** The word before a secret stays, so that the text still says what was there. */
const LABELLED_PATTERNS: readonly RegExp[] = [
  /(\bBearer\s+)[^\s"',;]+/gi,
  /([?&](?:key|api_key|api-key|token|access_token)=)[^&\s"']+/gi,
  /(["']?\b(?:authorization|x-api-key|x-goog-api-key|api[_-]?key)["']?\s*[:=]\s*["']?)(?!Bearer\b)[^\s"',;}]+/gi,
  /(:\/\/[^/\s:@]*:)[^/\s@]+(?=@)/g,
];

/**
 * A function that blanks out the given secrets (also percent-encoded and inside JSON strings) and
 * everything that looks like a key. Applying it twice changes nothing more.
 */
export function createRedactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const values = secretForms(secrets);
  return (text) => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, MASK);
    for (const pattern of KEY_PATTERNS) clean = clean.replace(pattern, MASK);
    for (const pattern of LABELLED_PATTERNS) clean = clean.replace(pattern, `$1${MASK}`);
    return clean;
  };
}

/**
 * The forms in which secrets are found in a text: as they are, percent-encoded and inside JSON strings.
 * Longest first, because a secret that contains another must go as a whole.
 */
export function secretForms(secrets: readonly (string | undefined)[]): readonly string[] {
  const known = new Set<string>();
  for (const secret of secrets) {
    if (secret === undefined || secret.length < SECRET_LENGTH_MIN) continue;
    known.add(secret);
    known.add(encodeURIComponent(secret));
    known.add(JSON.stringify(secret).slice(1, -1));
  }
  return [...known].toSorted((left, right) => right.length - left.length);
}
