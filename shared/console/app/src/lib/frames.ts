// Work that is done once a frame, however often it is asked for: a thousand updates a second draw sixty pictures.
const waiting = new Set<() => void>();
let isAsked = false;

export function nextFrame(work: () => void): void {
  waiting.add(work);
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    const all = [...waiting];
    waiting.clear();
    for (const each of all) each();
  });
}
