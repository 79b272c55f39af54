/** True for an address that only this machine can reach: `localhost`, `127.x.x.x`, `::1`, `[::1]`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return (
    name === "localhost" || name === "::1" || name === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}
