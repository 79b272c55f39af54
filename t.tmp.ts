import { seedHistory } from "./scripts/bench/history/seed.ts";
import { KINDS } from "./scripts/bench/history/templates.ts";
import { Database } from "bun:sqlite";
import { mkdirSync, rmSync } from "node:fs";
const made = new Database("/tmp/proof-templates.db");
const ids = made.query("SELECT id FROM runs ORDER BY id").all() as {id:string}[];
const templates = KINDS.map((k, i) => ({ kind: k.kind, runId: ids[i]!.id, eventCount: 0 }));
for (const n of process.argv.slice(2).map(Number)) {
  const f = `/tmp/proof-history-${n}`; rmSync(f, {recursive:true, force:true}); mkdirSync(f);
  const t = performance.now();
  const h = await seedHistory(f, templates, { templatePath: "/tmp/proof-templates.db", runCount: n });
  console.log(n, Math.round(performance.now()-t), "ms", h.eventCount, h.bytes/2**20, [...h.samples].map(([k,v])=>k+":"+v.length).join(" "));
}
process.exit();
