// Packed structures as data: a layout is a list of fields, and reading and writing follow from it, so that the tables
// of sections 4 and 5 are written down once and cannot disagree with themselves.
import { fromSigned, readUint, toSigned, writeUint } from "./bytes.js";

/** A field's name, its bytes, and "i" if it is signed. The name "_" is padding. */
export type Field = readonly [name: string, bytes: number, sign?: "i"];

/** The value of a layout: a number a field. */
export type Fields<F extends readonly Field[]> = { [K in Exclude<F[number][0], "_">]: bigint };

export interface Layout<F extends readonly Field[]> {
  readonly fields: F;
  readonly size: number;
  read(bytes: Uint8Array, at?: number): Fields<F>;
  write(value: Fields<F>, bytes: Uint8Array, at?: number): void;
  zero(): Fields<F>;
}

export function layout<const F extends readonly Field[]>(fields: F): Layout<F> {
  const size = fields.reduce((sum, [, bytes]) => sum + bytes, 0);
  return {
    fields,
    size,
    read(bytes, at = 0) {
      const value: Record<string, bigint> = {};
      let offset = at;
      for (const [name, length, sign] of fields) {
        if (name !== "_") {
          const raw = readUint(bytes, offset, length);
          value[name] = sign === "i" ? toSigned(raw, length) : raw;
        }
        offset += length;
      }
      return value as Fields<F>;
    },
    write(value, bytes, at = 0) {
      const source: Record<string, bigint> = value;
      let offset = at;
      for (const [name, length, sign] of fields) {
        const number = name === "_" ? 0n : (source[name] ?? 0n);
        writeUint(bytes, offset, length, sign === "i" ? fromSigned(number, length) : number);
        offset += length;
      }
    },
    zero() {
      const value: Record<string, bigint> = {};
      for (const [name] of fields) if (name !== "_") value[name] = 0n;
      return value as Fields<F>;
    },
  };
}
