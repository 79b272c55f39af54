/** Unique among the living: the supervisor releases what a dead process held by this name. */
export function workerId(service: string, pid: number): string {
  return `${service}/${pid}`;
}
