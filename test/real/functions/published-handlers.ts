import assert from 'node:assert/strict';
import { request } from 'node:http';
import { documentWith } from '../../support/published-code.ts';
import { indented, plainListings } from './python-listing.ts';

/** What the author of the document has in place of a name of one's own. */
const TABLE_OF_AUTHOR = 'YourDynamoDBTable';

/** Both handlers of the document about WebSockets, by the names of their modules: one keeps connections, one sends. */
export function socketCode(table: string): Readonly<Record<'connected' | 'broadcast', string>> {
  const document = documentWith('post_to_connection') ?? assert.fail('no document with post_to_connection');
  const [connected, broadcast] = plainListings(document, 'Explanation').map(indented);
  return {
    connected: connected?.replace(TABLE_OF_AUTHOR, table) ?? assert.fail('no listing that keeps connections'),
    broadcast: broadcast ?? assert.fail('no listing that sends'),
  };
}

/** Shows the event of its route. */
export const SHOWS_CODE = `import json
def handler(event, context):
    return {'statusCode': 200, 'body': json.dumps(event)}
`;

/** Routes of these handlers, as a REST API has them, and the delivery that sends what stands in the stream. */
export const socketSections = {
  gateway: {
    routes: {
      'GET /connect': { verify: 'none', function: 'connected', event: 'proxy1' },
      'GET /shows': { verify: 'none', function: 'shows', event: 'proxy1' },
    },
  },
  deliveries: { broadcast: { from: 'telemetry', function: { name: 'broadcast', event: 'sqs' } } },
} as const;

/** An answer of the gateway. */
export interface Asked {
  readonly status: number;
  readonly body: string;
}

/** Asks with a header in the spelling in which the handler looks for it, which fetch would not keep. */
export async function askAsSocket(url: string, token?: string): Promise<Asked> {
  return await new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { 'Sec-WebSocket-Protocol': token };
    const asking = request(url, { headers }, (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => (body += piece.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asking.on('error', reject).end();
  });
}

/**
 * The event of a connection that opens: that of the route, with what only API Gateway's WebSocket APIs add. REST APIs
 * have no connections, and the handler ends with what it finds missing, there as here.
 */
export async function connectEvent(gateway: string, token: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await askAsSocket(`${gateway}/shows`, token);
  assert.equal(status, 200, body);
  const event = JSON.parse(body) as { readonly requestContext: object };
  const added = { connectionId: 'abc=', eventType: 'CONNECT', routeKey: '$connect', messageDirection: 'IN' };
  return { ...event, requestContext: { ...event.requestContext, ...added } };
}
