import type { Environment } from '../../ports/environment.ts';
import { nodeClock } from './clock.ts';
import { createNodeCompute, type NodeCompute } from './compute.ts';
import { nodeFiles } from './files.ts';
import { createLog, type LogStyle } from './log.ts';
import { createMeter, type ExposedMeter } from './meter.ts';
import { nodeNetwork } from './network.ts';
import { nodeRandom } from './random.ts';

/** The machine's own time, chance, disk and network, with metrics that can be read. */
export interface NodeEnvironment extends Environment {
  readonly meter: ExposedMeter;
  readonly compute: NodeCompute;
}

/** How the process talks about itself. */
export interface NodeEnvironmentOptions {
  readonly log: LogStyle;
  /** Takes one line without its line end; stderr when absent. */
  readonly logTo?: (line: string) => void;
}

/** The real environment; one a process is enough. */
export function createNodeEnvironment(options: NodeEnvironmentOptions): NodeEnvironment {
  const write = options.logTo ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const colors = process.stderr.isTTY && process.env['NO_COLOR'] === undefined && options.logTo === undefined;
  const debug = process.env['MILLRACE_DEBUG'] !== undefined;
  const meter = createMeter();
  return {
    clock: nodeClock,
    random: nodeRandom,
    files: nodeFiles,
    network: nodeNetwork,
    compute: createNodeCompute(meter),
    log: createLog({ style: options.log, colors, debug, clock: nodeClock, write }),
    meter,
  };
}
