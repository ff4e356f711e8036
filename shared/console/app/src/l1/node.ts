// An L1 node that is asked: by its address over HTTP, or through a wallet that brings one.
export type Ask = <T>(method: string, ...params: readonly unknown[]) => Promise<T>;

export interface Node {
  /** Which it is, for people, and where what it said is kept: nobody else's answers are taken for its own. */
  readonly name: string;
  readonly ask: Ask;
}

/** Nothing has answered, or nothing that tells what becomes of a question. */
class Silent extends Error {}

export function isSilent(error: unknown): boolean {
  return error instanceof Silent;
}

export function nodeAt(url: string): Node {
  return {
    name: url,
    async ask<T>(method: string, ...params: readonly unknown[]): Promise<T> {
      let response: Response;
      try {
        response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        });
      } catch {
        throw new Silent("the L1 node does not answer");
      }
      const answer = (await response.json().catch(() => undefined)) as
        { result?: T; error?: { message: string } } | undefined;
      if (!answer) throw new Silent(`the L1 node answers ${response.status}`);
      if (answer.error) throw new Error(answer.error.message.replace(/^execution reverted: /, ""));
      return answer.result as T;
    },
  };
}
