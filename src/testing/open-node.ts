import type { AwsForm } from '../kernel/schema/aws-types.ts';
import { compose, type ComposedNode, type Drivers, type NodeOptions, type Sections } from '../compose/index.ts';
import { claimDataDirectory } from '../environments/data-directory.ts';
import { checkAws } from '../kernel/schema/check-aws.ts';
import type { Environment } from '../ports/environment.ts';
import { EventAnswer, RawAnswer, type Operation } from '../ports/operation.ts';
import { encodeAwsJson } from '../wire/aws-json/encode.ts';
import { fakeDrivers } from './fake-drivers.ts';
import { fakeSurroundings } from './fake-function-runtime.ts';
import { textOf } from './text-of.ts';

/** The data directory of nodes on simulated machines. */
export const SIMULATED_DATA = '/data';

/** A whole node on any environment, without listeners. */
export interface OpenNode {
  readonly node: ComposedNode;
  /** Drains for a second, closes, and gives the data directory up. */
  close(): Promise<void>;
}

/** Claims the data directory and brings the node up; `onFailure`: the log can no longer promise durability. */
export async function openNode(
  environment: Environment,
  sections: Sections,
  onFailure: (error: Error) => void,
  sizes: Pick<NodeOptions, 'log' | 'catalog' | 'functions' | 'destinations'> = {},
  drivers: Partial<Drivers> = {},
): Promise<OpenNode> {
  const claim = await claimDataDirectory(environment, SIMULATED_DATA);
  const node = await compose({
    environment,
    dataDirectory: SIMULATED_DATA,
    epoch: claim.epoch,
    sections,
    drivers: fakeDrivers(environment.clock, drivers),
    surroundings: fakeSurroundings,
    configFolder: '/config',
    identity: { region: 'us-east-1', account: '000000000000' },
    mode: 'dev',
    onFailure,
    // A reserve of the usual size would be most of what a simulated disk holds.
    ...sizes,
    log: { reserveBytes: 0, ...sizes.log },
  });
  return {
    node,
    async close() {
      await node.drain(1000);
      await node.close();
      await claim.release();
    },
  };
}

/**
 * Calls an operation as the wire does: input checked against the shape, the answer as JSON, or undefined. Who wants
 * events may want them in another form.
 */
export async function callOperation<S>(
  operation: Operation<S>,
  state: S,
  input: unknown,
  signal: AbortSignal = new AbortController().signal,
  form: AwsForm = 'text',
): Promise<unknown> {
  const call = { requestId: 'test', form, signal, state, hold: async () => undefined };
  const answer = await operation.handle(checkAws(operation.input, input), call);
  // Who asked for events iterates over them.
  if (answer instanceof EventAnswer) return answer;
  if (answer instanceof RawAnswer) {
    const text = textOf(answer.body);
    answer.sent?.();
    return JSON.parse(text);
  }
  if (operation.output === undefined) return undefined;
  return JSON.parse(JSON.stringify(encodeAwsJson(operation.output, answer)));
}

/** Calls an action of a node by its target, such as `Kinesis_20131202.PutRecord`. */
export async function callAction(
  node: ComposedNode,
  target: string,
  input: unknown,
  signal?: AbortSignal,
  form?: AwsForm,
): Promise<unknown> {
  const bound = node.operations.find(({ operation }) => `${operation.target}.${operation.name}` === target);
  if (bound === undefined) throw new Error(`no action ${target}`);
  return await callOperation(bound.operation, bound.state, input, signal, form);
}
