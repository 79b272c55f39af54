/** Files that are embedded as text: `import text from "./launcher.py" with { type: "text" }`. */
declare module "*.py" {
  const text: string;
  export default text;
}
declare module "*.lock.txt" {
  const text: string;
  export default text;
}
