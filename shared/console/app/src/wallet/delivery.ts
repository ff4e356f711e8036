// A signed record on its way to the exchange: the same bytes again while nobody answers, for they count once.
import { post, Refused } from "../api/http";
import type { Result } from "../api/types";
import { Pending } from "./errors";

/** As the exchange's own client has it. */
const PATIENCE_MS = 15_000;
const AGAIN_MS = 500;
const ANSWER_MS = 8_000;
/** Answers that do not tell whether a record was taken. */
const UNKNOWN = new Set(["not_ready", "pending"]);
/** Refusals that a record meets which was taken before, until the history tells what became of it, if one is kept. */
const USED = new Set(["nonce_used", "nonce_too_old"]);

/** What became of it. Throws what the exchange says; Pending where nobody has answered for too long. */
export async function deliver(body: unknown): Promise<Result> {
  const until = Date.now() + PATIENCE_MS;
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await post<Result>("/v1/records", body, ANSWER_MS);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const isUsed = isAgain && USED.has(error.reason);
      if (!isUsed && !UNKNOWN.has(error.reason)) throw error;
      if (Date.now() >= until)
        throw new Pending(
          isUsed
            ? "it was taken, as it seems, and the exchange does not say yet what became of it"
            : `${error.message}: whether it was taken is not known, and this page goes on asking`,
        );
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}
