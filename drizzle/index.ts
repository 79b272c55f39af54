/**
 * Embeds every migration into the executable. Order is the order of application.
 *
 * Migrations never change: `tests/tidy/migrations.test.ts` fails when a `.sql` file is missing here or
 * its text is not the one whose SHA-256 stands here.
 */
import m0000 from "./0000_init.sql" with { type: "text" };
import m0001 from "./0001_add_conversations.sql" with { type: "text" };
import m0002 from "./0002_extend_runs.sql" with { type: "text" };
import m0003 from "./0003_add_dashboard.sql" with { type: "text" };
import m0004 from "./0004_add_schedules.sql" with { type: "text" };
import m0005 from "./0005_add_run_words.sql" with { type: "text" };
import m0006 from "./0006_index_memory_words.sql" with { type: "text" };
import m0007 from "./0007_add_bulk_jobs.sql" with { type: "text" };
import m0008 from "./0008_keep_days.sql" with { type: "text" };
import m0009 from "./0009_extend_conversations.sql" with { type: "text" };
import m0010 from "./0010_add_conversation_runs.sql" with { type: "text" };

export const MIGRATIONS: readonly { name: string; sha256: string; sql: string }[] = [
  {
    name: "0000_init",
    sha256: "745c877de4f9aa1c0b22fbf770da218feeb656e5d1eb90f0495bc9e10edee74a",
    sql: m0000,
  },
  {
    name: "0001_add_conversations",
    sha256: "e9c32c37c5604986774a9f2454304bfd4a8247a98ddceaf0509a02e4d85f8ff2",
    sql: m0001,
  },
  {
    name: "0002_extend_runs",
    sha256: "42ddad23a55deb7f46a33abd7e34a7408ffb9670e80ae67fececd9a32ebf7e0f",
    sql: m0002,
  },
  {
    name: "0003_add_dashboard",
    sha256: "3555e03c83fb6f607c6e8d2c10cd50358ce2d88593e034a0a8565db36d178798",
    sql: m0003,
  },
  {
    name: "0004_add_schedules",
    sha256: "a7f331e910c61bf2386e16e2a7a0b3df10b658ca2b180fe20ecd324542310e2b",
    sql: m0004,
  },
  {
    name: "0005_add_run_words",
    sha256: "18edafc4d47c72756a3021c21303240307c16dae2c754f5b68e604babc677290",
    sql: m0005,
  },
  {
    name: "0006_index_memory_words",
    sha256: "c34790f8263285db31e1939b63e63fd06caadecc196c0182d15d5cb6816e3afb",
    sql: m0006,
  },
  {
    name: "0007_add_bulk_jobs",
    sha256: "d5b32793b21fb491d564aee1ef807ca93c8b913ffc1d2570e6b1b8b358ffa107",
    sql: m0007,
  },
  {
    name: "0008_keep_days",
    sha256: "4cf70ec8caad7e986b28fde6785ee44992357af529d611cd0856b3300033d80e",
    sql: m0008,
  },
  {
    name: "0009_extend_conversations",
    sha256: "281d40733f99d1a72f0db79784502dc5f166095c60100947b3e972a2825aa156",
    sql: m0009,
  },
  {
    name: "0010_add_conversation_runs",
    sha256: "c59b076ba9e08980e8a7e4e5d6fd72b8f127d415e3d208a827ea1ea05efd4c41",
    sql: m0010,
  },
];
