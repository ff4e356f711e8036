// Requests one after the other, each in the shape of a case of the vectors, with a machine that goes on between them.
import { toHex } from "../codec/bytes.js";
import { Revert } from "../errors.js";
import { copyOf, genesis, hashOfMachine, joinPosition, type Machine, runBatch } from "../machine/state.js";
import { integer, type Json, type JsonObject, list, object, small, text, writeRegisters } from "./json.js";
import { answerBatch, leavesOf, readBatch } from "./runs.js";
import { answerStep } from "./steps.js";

/** The requests, and what they get, are described in README.md. */
export class Session {
  #machine: Machine | null = null;

  answer(request: Json): Json {
    return this.#guarded(() => {
      const c = object(request);
      if ("pre" in c) return this.#step(c, c);
      if ("steps" in c) return { steps: list(c["steps"]).map((step) => this.#guarded(() => this.#step(object(step), c))) };
      if ("genesis" in c) return this.#begin(object(c["genesis"]));
      if ("header" in c) return this.#batch(c);
      if ("leaves" in c) return this.#leaves();
      return { error: "no such request" };
    });
  }

  /** Whatever fails becomes an answer. */
  #guarded(run: () => Json): Json {
    try {
      return run();
    } catch (error) {
      if (error instanceof Revert) return { error: error.reason, detail: error.message };
      return { error: "fault", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  /** A case of steps.json; the request says what it wants to know. */
  #step(c: JsonObject, request: JsonObject): Json {
    const batchCount = c["batch_count"] ?? request["batch_count"];
    const wanted = request["want"] === undefined ? undefined : list(request["want"]).map(text);
    return answerStep(c, batchCount === undefined ? 1 : small(batchCount), {}, wanted);
  }

  #running(): Machine {
    this.#machine ??= genesis(0n, 0n);
    return this.#machine;
  }

  #begin(c: JsonObject): Json {
    this.#machine = genesis(integer(c["domain"]), c["backstop_delay"] === undefined ? 0n : integer(c["backstop_delay"]));
    return { machine_hash: toHex(hashOfMachine(this.#machine)) };
  }

  #batch(c: JsonObject): Json {
    const machine = copyOf(this.#running());
    const batch = readBatch(c);
    const extra: Record<string, Json> = {};
    if (c["trace"] === true) {
      const traced = copyOf(machine);
      const hashes: Json[] = [];
      runBatch(traced, batch, {
        after({ index, micro }) {
          hashes.push([joinPosition({ batch: 0, index, micro }), toHex(hashOfMachine(traced))]);
        },
      });
      extra["trace"] = hashes;
    }
    const answer = answerBatch(machine, batch);
    this.#machine = machine;
    return { ...answer, ...extra };
  }

  #leaves(): Json {
    const machine = this.#running();
    return { leaves: leavesOf(machine.tree), registers: writeRegisters(machine.registers) };
  }
}
