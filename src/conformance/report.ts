import type { ConformanceReport } from './index.ts';

/** The report for people: what failed and why, a table of the areas, and `N passed, N failed`. */
export function reportText({ results, left }: ConformanceReport): string {
  const failed = results.filter(({ failure }) => failure !== undefined);
  const lines = failed.map(({ area, name, failure }) => `FAILED ${area}: ${name}\n       ${failure}`);
  const titles = [...new Set(results.map(({ area }) => area))];
  const rows = titles.map((title) => {
    const of = results.filter(({ area }) => area === title);
    const passed = of.filter(({ failure }) => failure === undefined).length;
    return [title, `${passed}`, `${of.length - passed}`];
  });
  const table = aligned([['area', 'passed', 'failed'], ...rows]);
  const remains = left.map((name) => `not deleted: stream ${name}`);
  const total = `${results.length - failed.length} passed, ${failed.length} failed`;
  return [...lines, ...(lines.length > 0 ? [''] : []), ...table, '', ...remains, total, ''].join('\n');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
