import type { Meter, MeterLabels } from '../../ports/environment.ts';

/** Upper bounds of a histogram's buckets, in ms. */
const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000];
/** A name with more label sets than this keeps the first ones only: labels must not grow with the data. */
const SERIES_PER_NAME_MAX = 1000;
const ESCAPED = /[\\"\n]/;

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

type Kind = 'counter' | 'gauge' | 'histogram';

interface Family {
  readonly kind: Kind;
  readonly values: Map<string, number>;
  readonly histograms: Map<string, Histogram>;
}

/** A meter that can print itself as Prometheus text. */
export interface ExposedMeter extends Meter {
  exposition(): string;
}

/** Counts in memory; names and label sets are bounded. */
export function createMeter(): ExposedMeter {
  const families = new Map<string, Family>();
  return {
    count(name, labels = {}, by = 1) {
      const { values } = family(families, name, 'counter');
      const key = labelText(labels);
      if (room(values, key)) values.set(key, (values.get(key) ?? 0) + by);
    },
    gauge(name, labels, value) {
      const { values } = family(families, name, 'gauge');
      const key = labelText(labels);
      if (room(values, key)) values.set(key, value);
    },
    observe(name, labels, valueMs) {
      const { histograms } = family(families, name, 'histogram');
      const key = labelText(labels);
      if (room(histograms, key)) observe(histograms, key, valueMs);
    },
    forget(labels) {
      const wanted = `,${labelText(labels)},`;
      for (const [name, { values, histograms }] of families) {
        for (const series of [values, histograms]) forget(series, wanted);
        if (values.size + histograms.size === 0) families.delete(name);
      }
    },
    exposition: () => [...families].map(([name, values]) => print(name, values)).join(''),
  };
}

function family(families: Map<string, Family>, name: string, kind: Kind): Family {
  let found = families.get(name);
  if (found === undefined) {
    found = { kind, values: new Map(), histograms: new Map() };
    families.set(name, found);
  }
  return found;
}

function room(series: ReadonlyMap<string, unknown>, key: string): boolean {
  return series.has(key) || series.size < SERIES_PER_NAME_MAX;
}

/** Quotes inside a value are escaped: the text of a label is found nowhere else. */
function forget(series: Map<string, unknown>, wanted: string): void {
  for (const labels of series.keys()) if (`,${labels},`.includes(wanted)) series.delete(labels);
}

function observe(histograms: Map<string, Histogram>, key: string, valueMs: number): void {
  let histogram = histograms.get(key);
  if (histogram === undefined) {
    histogram = { counts: BUCKETS_MS.map(() => 0), sum: 0, count: 0 };
    histograms.set(key, histogram);
  }
  const bucket = BUCKETS_MS.findIndex((bound) => valueMs <= bound);
  if (bucket >= 0) histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sum += valueMs;
  histogram.count += 1;
}

/** `a="x",b="y"` with names sorted. */
function labelText(labels: MeterLabels): string {
  const names = Object.keys(labels);
  if (!areSorted(names)) names.sort();
  let text = '';
  for (const name of names) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`;
  return text;
}

/** Mostly they are, and a sort would copy them all the same. */
function areSorted(names: readonly string[]): boolean {
  for (let at = 1; at < names.length; at += 1) if ((names[at] ?? '') < (names[at - 1] ?? '')) return false;
  return true;
}

/** With Prometheus' escapes; hardly any value needs one. */
function escaped(value: string): string {
  if (!ESCAPED.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function print(name: string, { kind, values, histograms }: Family): string {
  const plain = [...values].map(([labels, value]) => `${name}${braces(labels)} ${value}`);
  const buckets = [...histograms].flatMap(([labels, histogram]) => printHistogram(name, labels, histogram));
  return `# TYPE ${name} ${kind}\n${[...plain, ...buckets].join('\n')}\n`;
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function printHistogram(name: string, labels: string, { counts, sum, count }: Histogram): string[] {
  let below = 0;
  const prefix = labels === '' ? '' : `${labels},`;
  const lines = BUCKETS_MS.map((bound, index) => {
    below += counts[index] ?? 0;
    return `${name}_bucket{${prefix}le="${bound}"} ${below}`;
  });
  lines.push(`${name}_bucket{${prefix}le="+Inf"} ${count}`);
  return [...lines, `${name}_sum${braces(labels)} ${sum}`, `${name}_count${braces(labels)} ${count}`];
}
