// A component's data, asked for again and again while it is shown.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { tell } from "../api/http";

export interface Polled<T> {
  data: T | undefined;
  error: string;
}

/** What `ask` says, now and each so many milliseconds; anew when one of `inputs` changes. */
export function usePolled<T>(
  ask: () => Promise<T>,
  milliseconds: number,
  inputs: readonly unknown[],
): Signal<Polled<T>> {
  const found = useSignal<Polled<T>>({ data: undefined, error: "" });
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const turn = async (): Promise<void> => {
      try {
        const data = document.hidden && found.peek().data ? found.peek().data : await ask();
        if (!isOver) found.value = { data, error: "" };
      } catch (error) {
        if (!isOver) found.value = { data: found.peek().data, error: tell(error) };
      }
      if (!isOver && milliseconds) timer = window.setTimeout(() => void turn(), milliseconds);
    };
    found.value = { data: undefined, error: "" };
    void turn();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, inputs);
  return found;
}
