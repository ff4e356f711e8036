// Which fields of a file of vectors are read: whatever is not, nobody has compared.
import type { Json } from "./json.js";

/** Paths of fields, "batches[].header.number"; an entry of a list has the path of the list. */
export interface Watched {
  readonly file: Json;
  /** Those that are not read so far, without what is inside of them. */
  unread(): string[];
}

/** The same value, in which every object notes which of its fields are asked for. */
export function watch(value: Json): Watched {
  const all = new Set<string>();
  const read = new Set<string>();
  const handlers = new Map<string, ProxyHandler<object>>();

  function handlerOf(path: string): ProxyHandler<object> {
    const known = handlers.get(path);
    if (known !== undefined) return known;
    const handler: ProxyHandler<object> = {
      get(target, name) {
        if (typeof name === "string") read.add(path + name);
        return Reflect.get(target, name) as unknown;
      },
    };
    handlers.set(path, handler);
    return handler;
  }

  function wrap(part: Json, path: string): Json {
    if (typeof part !== "object" || part === null) return part;
    if (Array.isArray(part)) return (part as Json[]).map((entry) => wrap(entry, `${path}[]`));
    const inside = path === "" ? "" : `${path}.`;
    const fields = Object.entries(part).map(([name, field]) => {
      all.add(inside + name);
      return [name, wrap(field, inside + name)] as const;
    });
    return new Proxy(Object.fromEntries(fields), handlerOf(inside)) as Json;
  }

  const isInside = (path: string, other: string): boolean => path.startsWith(other) && /^[.[]/.test(path.slice(other.length));
  return {
    file: wrap(value, ""),
    unread() {
      const found = [...all].filter((path) => !read.has(path));
      return found.filter((path) => !found.some((other) => isInside(path, other))).sort();
    },
  };
}
