import { RequestError } from '../../kernel/errors.ts';
import { isMapping, parseJson } from '../../kernel/json.ts';
import { flagValue } from '../../kernel/query-values.ts';
import type { AdminRequest, AdminRoute } from '../../ports/capability.ts';
import { firehoseLimits } from './limits.ts';
import type { DeliveryStream, FirehoseState } from './model.ts';
import { replayCounts, type Replays } from './replays.ts';

/** The admin routes that deliver records once more. */
export function replayRoutes(state: FirehoseState, replays: Replays): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: '/admin/deliveries/{name}/replay',
      doc:
        'Delivers records once more: those that arrived in `from`..`to` (of `stream` in place of its own), those of ' +
        'the body, `{"sequenceNumbers": [NUMBER]}`, up to 1000, or with `errors=true` those of its error objects; to ' +
        '`toDelivery`; `dryRun=true` only counts. The same request does the same.',
      query: {
        from: 'A time, as ISO 8601 or in seconds.',
        to: 'A time: those before it.',
        stream: 'In place of the stream of the delivery.',
        errors: 'true or false: the records of the error objects.',
        toDelivery: 'In place of the delivery itself.',
        dryRun: 'true or false: only counts.',
      },
      handle: async ({ name = '' }, query, request) =>
        await replay(state, replays, { name, query, numbers: await numbersOf(request) }),
    },
    {
      method: 'GET',
      path: '/admin/deliveries/{name}/replays',
      doc: 'Replays to a delivery.',
      handle: async ({ name = '' }) => ({ replays: replays.list(known(state, name).name) }),
    },
    {
      method: 'GET',
      path: '/admin/deliveries/{name}/replays/{id}',
      doc: 'How far a replay is; waits up to two seconds for its end.',
      handle: async ({ name = '', id = '' }, _query, { signal }) => await replays.status(name, id, signal),
    },
    {
      method: 'DELETE',
      path: '/admin/deliveries/{name}/replays/{id}',
      doc: 'Ends a replay, which is told of as cancelled; what was delivered stays.',
      handle: async ({ name = '', id = '' }) => await replays.cancel(name, id),
    },
  ];
}

interface Asked {
  readonly name: string;
  readonly query: URLSearchParams;
  readonly numbers: readonly string[] | undefined;
}

async function replay(state: FirehoseState, replays: Replays, { name, query, numbers }: Asked): Promise<object> {
  const delivery = known(state, name);
  const isErrors = flagValue(query, 'errors');
  const stream = query.get('stream') ?? undefined;
  const [from, until] = [time(query, 'from'), time(query, 'to')];
  if (numbers !== undefined && (isErrors || from !== undefined || until !== undefined)) {
    throw new RequestError(
      'BadRequest',
      'sequenceNumbers say which records are meant: no from, to or errors beside them',
    );
  }
  if (!isErrors && from === undefined && numbers === undefined) {
    throw new RequestError('BadRequest', 'say from when: from=TIME, or errors=true');
  }
  if (isErrors && stream !== undefined) throw new RequestError('BadRequest', 'a stream has no error output');
  const to = known(state, query.get('toDelivery') ?? name);
  const request = { delivery, to, stream, isErrors, from, until, numbers };
  const planned = await replays.plan(request);
  const left = await replays.unprocessedObjects(request);
  const isDry = flagValue(query, 'dryRun');
  if (!isDry) await replays.start(planned);
  return { ...replayCounts(planned), ...(left > 0 && { unprocessedObjects: left }), dryRun: isDry };
}

/** Undefined: the body names no records. */
async function numbersOf(request: AdminRequest): Promise<readonly string[] | undefined> {
  const body = await request.readBody(firehoseLimits.replayBodyBytesMax);
  if (body.length === 0) return undefined;
  const given = parseJson(body);
  const numbers = isMapping(given) ? given['sequenceNumbers'] : undefined;
  const isList = Array.isArray(numbers) && numbers.every((number) => typeof number === 'string');
  if (isList && numbers.length > 0 && numbers.length <= firehoseLimits.replayRecordsMax) return numbers;
  const bounds = `1 to ${firehoseLimits.replayRecordsMax} sequence numbers`;
  throw new RequestError('BadRequest', `the body is {"sequenceNumbers": [NUMBER, ...]} with ${bounds}`);
}

function known(state: FirehoseState, name: string): DeliveryStream {
  const delivery = state.deliveries.get(name);
  if (delivery === undefined) throw new RequestError('NotFound', `no delivery ${name}`, 404);
  return delivery;
}

/** In ms; given as seconds since the Unix epoch or by ISO 8601. */
function time(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(given) ? Number(given) * 1000 : Date.parse(given);
  if (!Number.isSafeInteger(Math.round(ms))) {
    throw new RequestError('BadRequest', `${name} is a time of ISO 8601, or seconds since 1970`);
  }
  return Math.round(ms);
}
