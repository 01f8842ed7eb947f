import { eventSentences, metricSentences } from './event-sentences.ts';
import { code, head, table } from './markdown.ts';
import { usedNames, type UsedName } from './used-names.ts';

const ABOUT = `Names are fixed; programs may rely on them. Log lines go to stderr, one JSON object each with
\`start\` or \`--log json\`: \`time\`, \`level\`, \`event\` and the fields of the event. No line holds a secret, a body or a header's
value. \`GET /metrics\` on the api listener answers the metrics in Prometheus' text format; histograms are in milliseconds.
`;

/** Every metric and log line. */
export function eventsPage(): string {
  const used = usedNames(process.cwd());
  return [
    head('Metrics and log lines', ABOUT),
    `## Metrics\n\n${rows(['metric', 'kind', 'what it counts'], used.metrics, metricSentences)}`,
    `## Log lines\n\n${rows(['event', 'level', 'what happened'], used.events, eventSentences)}`,
  ].join('\n');
}

function rows(
  columns: readonly string[],
  used: readonly UsedName[],
  sentences: Readonly<Record<string, string>>,
): string {
  const known = used.map(({ name, kind }) => {
    const sentence = sentences[name];
    if (sentence === undefined) throw new Error(`scripts/reference/event-sentences.ts says nothing about ${name}`);
    return [code(name), kind, sentence];
  });
  return table(columns, known);
}
