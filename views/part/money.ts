const NANO = 1_000_000_000;

/**
 * A cost in billionths of a US dollar for people: `$12.40`, `$0.0123`. It is marked `≥` when some
 * calls have no known price, and says so when none has.
 */
export function formatCost(nanoUsd: number, unpriced = 0): string {
  if (unpriced > 0 && nanoUsd === 0) return "no price";
  return unpriced > 0 ? `≥ ${dollars(nanoUsd)}` : dollars(nanoUsd);
}

function dollars(nanoUsd: number): string {
  const usd = nanoUsd / NANO;
  if (usd === 0) return "$0.00";
  if (usd < 0.0001) return "< $0.0001";
  if (usd < 0.1) return `$${usd.toFixed(4)}`;
  if (usd < 1) return `$${usd.toFixed(3)}`;
  return `$${usd.toFixed(2).replaceAll(/\B(?=(?:\d{3})+\.)/g, ",")}`;
}
