// To go through what happened again, event by event; while it still happens, the latest is shown as it comes.
interface Props {
  shown: number;
  last: number;
  isLive: boolean;
  isPlaying: boolean;
  toggle: () => void;
  show: (event: number) => void;
}

export function Replay({ shown, last, isLive, isPlaying, toggle, show }: Props) {
  return (
    <div class="replay" role="group" aria-label="Replay">
      <button type="button" onClick={toggle}>
        {isPlaying ? "Pause" : "Replay"}
      </button>
      <input
        type="range"
        min={1}
        max={last}
        value={shown}
        aria-label="Event"
        onInput={(event) => show(Number(event.currentTarget.value))}
      />
      <span class="num count-of">
        {isLive && (
          <span class="live good">
            <i aria-hidden="true" /> live ·{" "}
          </span>
        )}
        {shown} of {last}
      </span>
    </div>
  );
}
