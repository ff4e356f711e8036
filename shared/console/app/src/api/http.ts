// Requests to the service that served this page. What is refused is an error with the server's own words.
import type { Refusal } from "./types";

export class Refused extends Error {
  readonly reason: string;
  constructor(
    refusal: Refusal,
    readonly status: number,
  ) {
    super(refusal.detail);
    this.reason = refusal.reason;
  }
}

export async function get<T>(path: string): Promise<T> {
  return ask<T>(path, { headers: { accept: "application/json" } });
}

/** `patience`: milliseconds, behind which there is no answer. */
export async function post<T>(path: string, body: unknown, patience: number): Promise<T> {
  return ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(patience),
  });
}

/** Undefined where there is none. */
export async function find<T>(path: string): Promise<T | undefined> {
  try {
    return await get<T>(path);
  } catch (error) {
    if (error instanceof Refused && error.reason === "not_found") return undefined;
    throw error;
  }
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Refused({ reason: "not_ready", detail: "the service does not answer" }, 0);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (answer === undefined && response.ok)
    throw new Refused({ reason: "not_ready", detail: "the service's answer broke off" }, 0);
  if (!response.ok) {
    throw new Refused(
      isRefusal(answer) ? answer : { reason: "not_ready", detail: `the service answers ${response.status}` },
      response.status,
    );
  }
  return answer as T;
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "reason" in answer && "detail" in answer;
}

/** An error's words, for people. */
export function tell(error: unknown): string {
  if (error instanceof Refused) return `${error.message} (${error.reason})`;
  return error instanceof Error ? error.message : String(error);
}
