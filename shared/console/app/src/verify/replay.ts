// The second verifier (`tests/second`, written from the protocol's document alone) over the batches that L1 has, one
// after the other: what each comes to, and any step of it again.
import type { Hex } from "viem";
import { batchHash, type Header } from "../second/batch/header.js";
import { dataRoot } from "../second/batch/data-root.js";
import { readRecords } from "../second/batch/read.js";
import { Setup } from "../second/batch/commitment.js";
import { toHex, word } from "../second/codec/bytes.js";
import { type Batch, copyOf, genesis, hashOfMachine, type Machine, runBatch } from "../second/machine/state.js";
import { reasonName } from "../second/reasons.js";
import { type Chain, cut, type PostedBatch } from "./chain";

/** The epoch that is being run: where it starts, and its batches so far. */
export interface Epoch {
  readonly number: number;
  readonly start: Machine;
  readonly batches: Batch[];
}

export interface Ran {
  readonly batch: Batch;
  readonly number: number;
  readonly end: Hex;
  readonly steps: number;
  /** Of each input, as the machine says it. */
  readonly outcomes: readonly string[];
  /** Milliseconds. */
  readonly took: number;
  readonly epoch: Epoch;
  /** Whether it is its epoch's last. */
  readonly isLast: boolean;
}

export class Replay {
  #machine: Machine;
  #epoch: Epoch;

  constructor(
    readonly chain: Chain,
    domain: Hex,
    backstopDelay: number,
    readonly setupUrl: string,
  ) {
    this.#machine = genesis(BigInt(domain), BigInt(backstopDelay));
    this.#epoch = { number: 0, start: copyOf(this.#machine), batches: [] };
  }

  get hash(): Hex {
    return toHex(hashOfMachine(this.#machine)) as Hex;
  }

  /** Run every batch. Throws where L1 holds something else than it should, or the data of one cannot be had. */
  async *run(): AsyncGenerator<Ran> {
    let number = 0;
    for await (const posted of this.chain.batches()) {
      const batch = await this.#read(posted, number);
      const began = performance.now();
      const outcomes: string[] = [];
      const { registers } = this.#machine;
      runBatch(this.#machine, batch, {
        after({ index }) {
          outcomes[index] = reasonName(registers.outcome);
        },
      });
      this.#epoch.batches.push(batch);
      const epoch = this.#epoch;
      const isLast = epoch.batches.length === this.chain.epochBatches;
      yield {
        batch,
        number,
        end: this.hash,
        steps: Number(registers.steps),
        outcomes,
        took: performance.now() - began,
        epoch,
        isLast,
      };
      if (isLast) this.#epoch = { number: epoch.number + 1, start: copyOf(this.#machine), batches: [] };
      number++;
    }
  }

  /** A batch, held against what the inbox has hashed and what its header commits to. */
  async #read(posted: PostedBatch, number: number): Promise<Batch> {
    const header = posted.header as Header;
    if (Number(header.number) !== number) throw new Error(`L1 shows batch ${header.number} where ${number} comes next`);
    if (toHex(batchHash(header)) !== posted.hash)
      throw new Error(`batch ${header.number}: its header has another hash`);
    if (!posted.isBlob) {
      const records = cut(posted.data);
      if (toHex(dataRoot(records)) !== toHex(word(header.data_root)))
        throw new Error(`batch ${header.number}: its transaction holds other records`);
      return { header, messages: posted.messages, records };
    }
    const records = readRecords(header, posted.data, await this.#loadSetup());
    if (!records) throw new Error(`batch ${header.number}: its blob is not what its header commits to`);
    return { header, messages: posted.messages, records };
  }

  #setup: Setup | undefined;

  /** 200 kB that only batches in blobs need. */
  async #loadSetup(): Promise<Setup> {
    if (!this.#setup) {
      const response = await fetch(this.setupUrl);
      if (!response.ok) throw new Error("the trusted set-up of EIP-4844 is not served here");
      this.#setup = new Setup(await response.text());
    }
    return this.#setup;
  }
}
