// What a family of vectors comes to: cases by part, and the first failures in words.
export interface Report {
  passed: number;
  total: number;
  readonly parts: Record<string, { passed: number; total: number }>;
  readonly failures: string[];
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
    report.failures.push(`${part} ${name}: ${wrong}`);
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
