import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  casing: "snake_case",
  schema: [
    "./src/store/schema.ts",
    "./src/store/bulk-job-schema.ts",
    "./src/store/conversation-schema.ts",
  ],
  out: "./drizzle",
});
