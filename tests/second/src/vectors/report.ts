// What a family of vectors comes to: cases by part, and the first failures in words.
export interface Report {
  passed: number;
  total: number;
  readonly parts: Record<string, { passed: number; total: number }>;
  readonly failures: string[];
}

/** `check` throws it where only the first failure is asked for; it holds the failure in words. */
export class FirstFailure extends Error {}

let isQuick = false;

/** From now on the first failure ends the family. */
export function stopAtFirst(): void {
  isQuick = true;
}

export const newReport = (): Report => ({ passed: 0, total: 0, parts: {}, failures: [] });

/** One case: `run` gives back what is wrong, null where nothing is. */
export function check(report: Report, part: string, name: string, run: () => string | null): void {
  const counts = (report.parts[part] ??= { passed: 0, total: 0 });
  counts.total++;
  report.total++;
  let wrong: string | null;
  try {
    wrong = run();
  } catch (error) {
    wrong = error instanceof Error ? error.message : String(error);
  }
  if (wrong === null) {
    counts.passed++;
    report.passed++;
  } else {
    const failure = `${part} ${name}: ${wrong}`;
    if (isQuick) throw new FirstFailure(failure);
    report.failures.push(failure);
  }
}

/** Compares named values as text; the first that differs is what is wrong. */
export function differs(pairs: Record<string, readonly [got: unknown, want: unknown]>): string | null {
  for (const [name, [got, want]] of Object.entries(pairs)) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
    if (a !== b) return `${name} is ${a?.slice(0, 200)}, should be ${b?.slice(0, 200)}`;
  }
  return null;
}
