import { goProgram } from '../tools.ts';

/** The release that is built. */
export const TELEGRAF_VERSION = 'v1.37.2';

const INPUTS = ['inputs.tail', 'inputs.kinesis_consumer', 'inputs.firehose'];
const FORMATS = ['parsers.influx', 'serializers.influx', 'parsers.value'];
const TAGS = ['custom', ...INPUTS, 'outputs.kinesis', 'outputs.file', ...FORMATS];

/** Telegraf with the plugins that groups need, built from its Go module; resolves with its path. */
export async function telegrafProgram(): Promise<string> {
  return await goProgram(`github.com/influxdata/telegraf@${TELEGRAF_VERSION}`, './cmd/telegraf', TAGS);
}
