// A hash or an address by its ends; a click copies all of it.
import { useSignal } from "@preact/signals";
import { shorten } from "../lib/format";

export function Hash({ text }: { text: string }) {
  const isCopied = useSignal(false);
  return (
    <button
      type="button"
      class="hash mono"
      title={text}
      onClick={() => {
        void navigator.clipboard?.writeText(text).then(() => {
          isCopied.value = true;
          setTimeout(() => (isCopied.value = false), 1_200);
        });
      }}
    >
      <span class="sr">Copy </span>
      {isCopied.value ? "copied" : shorten(text)}
    </button>
  );
}
