// The contracts' ABIs as TypeScript constants, whose types viem reads: `node interfaces.mjs FOLDER FILE`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, file] = process.argv.slice(2);
const parts = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name) => {
    const abi = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return `export const ${name.replace(".json", "").toUpperCase()} = ${JSON.stringify(abi)} as const;`;
  });
writeFileSync(file, ["// Made from shared/l1/interfaces when the console is built.", ...parts, ""].join("\n"));
