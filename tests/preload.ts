// Isolates every test from the developer's machine: no real keys, no settings of an installed product.
for (const name of Object.keys(process.env)) {
  const ours = name.startsWith("AGENTS_") && !/^AGENTS_(EXE|TEST_)/.test(name);
  if (ours || /_API_KEY$|_BASE_URL$/.test(name) || name === "SECRET_KEY" || name === "OLLAMA_HOST")
    delete process.env[name];
}
