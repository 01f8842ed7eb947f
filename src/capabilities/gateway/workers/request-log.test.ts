import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestLogOptions } from '../config.ts';
import { GatewayEvents } from '../events.ts';
import { NodeBench, oneRoute, type Answer } from '../harness.fixture.ts';
import { requests } from '../requests.fixture.ts';
import { RequestLog, type AnsweredRequest } from './request-log.ts';

function answered(id: string): AnsweredRequest {
  const place = { shardId: undefined, sequenceNumber: undefined, deliveryId: undefined };
  return {
    route: { key: 'POST /hook', secrets: { headers: [], parameters: [] }, stream: 'hooks', quarantine: undefined },
    request: { id, method: 'POST', path: '/hook', query: '', headers: {}, remoteAddress: '' },
    verdict: { outcome: 'answered', status: 200, code: '', reason: '', bytes: 0, latencyMs: 0, ...place },
    body: undefined,
    answer: { status: 200, headers: {}, body: '' },
  };
}

test('what comes while a log that stops writes is written, too, and nothing later', async () => {
  const bench = await new NodeBench().open(oneRoute());
  const { environment } = bench.simulation;
  const log = new RequestLog(bench.node.records, environment, new GatewayEvents(environment));
  log.use(requestLogOptions(undefined));
  log.note(answered('r-1'));
  const stopping = log.stop();
  log.note(answered('r-2'));
  await bench.simulation.drive(stopping);
  log.note(answered('r-3'));
  const ids = async (): Promise<readonly string[]> => (await requests(bench)).map(({ id }: Answer) => id);
  assert.deepEqual(await ids(), ['r-2', 'r-1']);
  await bench.simulation.pass(1000);
  assert.deepEqual(await ids(), ['r-2', 'r-1']);
});
