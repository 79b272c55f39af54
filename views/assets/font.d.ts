// Imported `with { type: "file" }`: Bun gives the path, inside the executable its own file system.
declare module "*.woff2" {
  const path: string;
  export default path;
}

declare module "*.gz" {
  const path: string;
  export default path;
}
