/** Prints the files that `npm run bench -- --json FILE` wrote as one markdown table: `npm run bench:table -- FILE ...`. */
import { readFileSync } from 'node:fs';
import { FIGURES, type FigureKind, type FigureName, type Measurement, type Results } from './figures.ts';
import { median } from './statistics.ts';

/** The results as markdown: machine line, and a table with a column for each contender and a ratio for each peer. */
export function markdown(results: readonly Results[]): string {
  const machines = [...new Set(results.map(({ machine }) => machine))];
  const all = results.flatMap(({ measurements }) => measurements);
  const contenders = [...new Set(all.map(({ contender }) => contender))];
  const mine = contenders.filter((name) => all.some(({ contender, isMillrace }) => isMillrace && contender === name));
  const others = contenders.filter((name) => !mine.includes(name));
  const columns = [...mine, ...others];
  const head = ['scenario', 'figure', ...columns, ...others.map((name) => `better than ${name.split(' ')[0]}`)];
  const scenarios = [...new Set(all.map(({ scenario }) => scenario))];
  const rows = scenarios.flatMap((scenario) => {
    const measured = all.filter((measurement) => measurement.scenario === scenario);
    return scenarioRows(scenario, measured, mine, others);
  });
  return [...machines, '', line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function scenarioRows(
  scenario: string,
  measured: readonly Measurement[],
  mine: readonly string[],
  others: readonly string[],
): readonly (readonly string[])[] {
  const columns = [...mine, ...others];
  const by = (contender: string): readonly Measurement[] => measured.filter((one) => one.contender === contender);
  const figures = (Object.keys(FIGURES) as FigureName[]).filter((name) =>
    measured.some((one) => one.figures[name] !== undefined),
  );
  const rows = figures.map((name) => {
    const kind: FigureKind = FIGURES[name];
    const values = new Map(columns.map((contender) => [contender, valuesOf(by(contender), name)]));
    const ratios = others.map((other) =>
      mine.map((own) => ratio(kind, values.get(own), values.get(other))).join(' / '),
    );
    return ['', kind.label, ...columns.map((contender) => cell(kind, values.get(contender) ?? [])), ...ratios];
  });
  const verdicts = ['', 'verdict', ...columns.map((contender) => verdict(by(contender))), ...others.map(() => '')];
  return [...rows, verdicts].map((row, index) => (index === 0 ? [scenario, ...row.slice(1)] : row));
}

/** Only rounds with the verdict `ok` count. */
function valuesOf(measured: readonly Measurement[], name: FigureName): readonly number[] {
  return measured.flatMap(({ figures, verdict: said }) => {
    const value = figures[name];
    return said === 'ok' && value !== undefined ? [value] : [];
  });
}

function cell({ digits }: FigureKind, values: readonly number[]): string {
  if (values.length === 0) return '';
  const text = (value: number): string =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (values.length === 1) return text(median(values));
  return `${text(median(values))} [${text(Math.min(...values))}..${text(Math.max(...values))}]`;
}

function ratio({ better }: FigureKind, own: readonly number[] = [], other: readonly number[] = []): string {
  if (better === undefined || own.length === 0 || other.length === 0) return '';
  const [ours, theirs] = [median(own), median(other)];
  return `${(better === 'more' ? ours / theirs : theirs / ours).toFixed(2)} x`;
}

function verdict(measured: readonly Measurement[]): string {
  const counts = new Map<string, number>();
  for (const { verdict: said } of measured) counts.set(said, (counts.get(said) ?? 0) + 1);
  return [...counts].map(([said, count]) => (count === 1 ? said : `${said}, ${count} rounds`)).join('; ');
}

if (process.argv[1]?.endsWith('table.js')) {
  const files = process.argv.slice(2);
  process.stdout.write(markdown(files.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Results)));
}
