import { expect, test } from "bun:test";
import { Glob } from "bun";
import { MIGRATIONS } from "../../drizzle/index.ts";

const FOLDER = `${import.meta.dir}/../../drizzle`;

test("every .sql file in drizzle/ is embedded, in order", () => {
  const names = [...new Glob("*.sql").scanSync(FOLDER)]
    .map((file) => file.replace(/\.sql$/, ""))
    .toSorted();
  expect(MIGRATIONS.map((migration) => migration.name)).toEqual(names);
});

test("no migration was changed after its digest was written down", () => {
  const digests = MIGRATIONS.map(({ sql }) =>
    new Bun.CryptoHasher("sha256").update(sql).digest("hex"),
  );
  expect(MIGRATIONS.map((migration) => migration.sha256)).toEqual(digests);
});

test("drizzle-kit knows every migration, and no other", async () => {
  const journal: { entries: { tag: string }[] } = await Bun.file(
    `${FOLDER}/meta/_journal.json`,
  ).json();
  expect(journal.entries.map((entry) => entry.tag)).toEqual(
    MIGRATIONS.map((migration) => migration.name),
  );
});
