// tree.json: sets of leaves with their root, paths of present and absent keys, updates.
import { toHex } from "../codec/bytes.js";
import { EMPTY_TREE, emptyHash, fold, get, pathOf, rootOf, set, type Tree } from "../state/tree.js";
import { bytes, hashes, integer, type Json, type JsonObject, list, object, small } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

function apply(tree: Tree, changes: Json | undefined): Tree {
  let result = tree;
  for (const change of list(changes)) {
    const [key, value] = list(change);
    result = set(result, small(key), bytes(value));
  }
  return result;
}

export function runTree(file: JsonObject): Report {
  const report = newReport();
  list(file["empty"]).forEach((hash, h) => {
    check(report, "empty", `${h}`, () => differs({ hash: [toHex(emptyHash(h)), hash] }));
  });
  list(file["trees"]).forEach((entry, i) => {
    const c = object(entry);
    const tree = apply(EMPTY_TREE, c["leaves"]);
    check(report, "trees", `${i}`, () => differs({ root: [toHex(rootOf(tree)), c["root"]] }));
    list(c["paths"]).forEach((pathEntry, k) => {
      const p = object(pathEntry);
      check(report, "paths", `${i}.${k}`, () => {
        const key = small(p["key"]);
        const path = pathOf(tree, key);
        const given = { bitmap: integer(p["bitmap"]), siblings: hashes(p["siblings"]) };
        const folded = fold(key, bytes(p["value"]), given);
        return differs({
          value: [toHex(get(tree, key)), p["value"]], bitmap: [`${path.bitmap}`, `${given.bitmap}`],
          siblings: [path.siblings.map(toHex), p["siblings"]], folded: [folded && toHex(folded), c["root"]],
        });
      });
    });
  });
  let tree: Tree = EMPTY_TREE;
  list(file["updates"]).forEach((entry, i) => {
    const c = object(entry);
    check(report, "updates", `${i}`, () => {
      tree = apply(tree, c["changes"]);
      return differs({ root: [toHex(rootOf(tree)), c["root"]] });
    });
  });
  return report;
}
