import { ask, signed, type Answer, type NodeBench } from './harness.fixture.ts';

/** What the senders of these tests send. */
export const BODY = '{"hello":"world"}';

/** The log of requests, as it is asked for. */
export async function requests(bench: NodeBench, query: Readonly<Record<string, string>> = {}): Promise<Answer[]> {
  return (await bench.admin('GET', '/admin/requests', {}, query)).requests;
}

/** Sends a request of the log on again. */
export async function redeliver(
  bench: NodeBench,
  id: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return await bench.admin('POST', '/admin/requests/{id}/redeliver', { id }, query);
}

/** Sends a webhook; each has an id of its own, as a listener gives them. */
export async function sendAs(bench: NodeBench, id: string, delivery: string, headers: object = {}): Promise<Answer> {
  const given = { ...signed(delivery, BODY), ...headers };
  return await ask(bench, { id, path: '/hook', query: 'token=t0p&n=1', headers: given, body: BODY });
}
