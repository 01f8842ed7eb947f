/**
 * The same bytes to a listener that reads usual requests itself and to one that leaves all to the platform's parser:
 * both handlers must see the same requests, and both senders the same answers. `HTTP_CASES` (1000), `HTTP_SEED` (1).
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SeededRandom } from '../../environments/simulated/chance.ts';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { HttpAnswer, HttpRequest } from '../../ports/http.ts';
import { hostileScript, type HostileScript } from './differential.fixture.ts';
import { httpLimits } from './limits.ts';
import { ok, serve, type Peer, type Served } from './sockets.fixture.ts';

const CASES = Number(process.env['HTTP_CASES'] ?? 1000);
const SEED = Number(process.env['HTTP_SEED'] ?? 1);
const AT_ONCE = 48;
const BEFORE = 'POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}';
const BYE = 'GET /bye HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Enough of them to end any body that announced a little too much. */
const LEAVING = BYE.repeat(10);
/** A server that waits for more than it was sent says nothing for ever; so long is waited to tell. */
const SILENCE_MS = 60;
const END_MS = 5000;

/** What one connection came to. */
interface Outcome {
  /** The requests that the handler saw, up to the one that said goodbye. */
  readonly seen: readonly string[];
  /** Everything that came back, without dates and ids. */
  readonly heard: string;
}

/** A listener for one connection at a time, and what its handler saw. */
interface Side {
  readonly parser: string;
  readonly served: Served;
  seen: string[];
  /** Resolves once all bytes of the odd request came. */
  sent: Promise<void>;
}

async function open(context: TestContext, parser: 'own' | 'platform'): Promise<Side> {
  const access = { hosts: [], origins: ['https://page.example'] };
  const handler = async (request: HttpRequest): Promise<HttpAnswer> => await handle(side, request);
  const side: Side = {
    parser,
    served: await serve(context, { handler, private: access, parser }),
    seen: [],
    sent: Promise.resolve(),
  };
  return side;
}

async function handle({ seen, sent }: Side, request: HttpRequest): Promise<HttpAnswer> {
  const { method, path, query, headers } = request;
  const asked = [method, path, query, JSON.stringify(headers, Object.keys(headers).sort())].join(' ');
  const at = seen.push(asked) - 1;
  // Who answers without reading answers differently where not all has come; when it comes is nobody's merit.
  if (path === '/unread' || path === '/refuse') await sent;
  if (path === '/unread') return ok('unread');
  if (path === '/refuse') throw new RequestError('Unauthorized', 'no', 401);
  try {
    const body = Buffer.from(await request.readBody(60_000));
    seen[at] = `${asked} ${body.length} ${body.toString('hex', 0, 20)}`;
  } catch (error) {
    assert.ok(error instanceof RequestError || error instanceof ThrottleError);
    seen[at] = `${asked} ${error.code}`;
    throw error;
  }
  return answerRead(path);
}

function answerRead(path: string): HttpAnswer {
  if (path === '/bytes') return ok(Buffer.from('fe00ff', 'hex'));
  if (path === '/text') return ok('\u00fc');
  if (path === '/empty') return { status: 204, headers: {}, body: '' };
  if (path === '/bye' || path === '/closes') return { status: 200, headers: { connection: 'close' }, body: path };
  return ok('read');
}

async function run(side: Side, script: HostileScript): Promise<Outcome> {
  side.seen = [];
  const { seen } = side;
  const { connect, timers, fire } = side.served;
  const peer = await connect();
  peer.socket.setNoDelay(true);
  for (let index = 0; index < script.before; index += 1) {
    peer.send(BEFORE);
    await peer.answer();
  }
  side.sent = sendPieces(peer, script);
  await side.sent;
  await until(peer, SILENCE_MS, () => peer.rest() !== '');
  // What is sent to a connection that is about to close may or may not be looked at.
  if (/\nconnection: close/i.test(peer.rest())) await until(peer, SILENCE_MS, () => false);
  peer.send(LEAVING);
  const sentAt = performance.now();
  await until(peer, END_MS, () => {
    // Everything was looked at by now: who still waits, waits for what does not come.
    if (performance.now() < sentAt + SILENCE_MS) return false;
    for (const ms of [httpLimits.lingerMs, httpLimits.bodyIdleMs]) if (timers(ms) > 0) void fire(ms);
    return false;
  });
  assert.ok(
    peer.socket.closed,
    `${side.parser} never closed: ${JSON.stringify(script.pieces.map(String))} ${peer.rest()}`,
  );
  const heard = await peer.end();
  const bye = seen.findIndex((line) => line.startsWith('GET /bye '));
  return { seen: bye < 0 ? seen : seen.slice(0, bye + 1), heard: plain(heard) };
}

async function sendPieces(peer: Peer, { pieces }: HostileScript): Promise<void> {
  for (const piece of pieces) {
    peer.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // The server reads in the same loop: a few turns, and all has come.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until it is so, or the connection closed, or so long. */
async function until(peer: Peer, ms: number, isSo: () => boolean): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo() && !peer.socket.closed && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What came up to the answer that said it was the last; nothing behind it means anything. */
function plain(text: string): string {
  const last = /\nconnection: close\r\n/i.exec(text)?.index ?? text.length;
  const end = text.indexOf('HTTP/1.1 ', last);
  const heard = end < 0 ? text : text.slice(0, end);
  return heard
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\r\nDate: [^\r]*/g, '\r\nDate');
}

/** Both leave these to the platform. Whether it keeps the connection depends on what of the body it had looked at. */
const ODD_BODY = /transfer-encoding|expect/i;

/** An outcome without what says whether the connection was kept. */
function loosened({ seen, heard }: Outcome): Outcome {
  return {
    seen: seen.filter((line) => !line.startsWith('GET /bye ')),
    heard: heard
      .replaceAll(/\r\n(connection|keep-alive): [^\r]*/gi, '')
      .replace(/HTTP\/1\.1 200 OK\r\nx-amzn-RequestId: ID\r\ncontent-length: 4\r\n[^]*?\/bye$/, ''),
  };
}

/** The last words to a sender whose bytes could not be read. */
const LAST_WORDS =
  /HTTP\/1\.1 4\d\d [\w ]+\r\ncontent-type: application\/json\r\n(connection: close\r\n)?content-length: [^]*$/;
/** The system took answers with it that were not fetched: bytes came to a connection that was closed. */
const RESET = /<[^>]*>$/;

/**
 * The platform's parser reads ahead: where what stands behind a good request is broken, it may end the connection at
 * once, and the answer to the good one is lost though its handler was called. Ours answers first. True when nothing was
 * lost.
 */
function assertSame(own: Outcome, platform: Outcome, what: string): boolean {
  assert.deepEqual(own.seen, platform.seen, what);
  if (own.heard === platform.heard) return true;
  if (RESET.test(own.heard) || RESET.test(platform.heard)) return false;
  const both = `${what}\n${own.heard}\n${platform.heard}`;
  const [ours, theirs] = [own.heard.replace(LAST_WORDS, ''), platform.heard.replace(LAST_WORDS, '')];
  assert.ok(ours.startsWith(theirs) || theirs.startsWith(ours), both);
  return false;
}

test(`${CASES} hostile connections mean the same to both parsers`, { timeout: 600_000 }, async (context) => {
  let next = SEED;
  let [same, kept] = [0, 0];
  const workers = Array.from({ length: AT_ONCE }, async () => {
    const [own, platform] = [await open(context, 'own'), await open(context, 'platform')];
    while (next < SEED + CASES) {
      const seed = next;
      next += 1;
      const script = hostileScript(new SeededRandom(seed));
      const sent = Buffer.concat(script.pieces).toString('latin1').slice(0, 1000);
      const both = await Promise.all([run(own, script), run(platform, script)]);
      const outcomes = ODD_BODY.test(sent) ? ([loosened(both[0]), loosened(both[1])] as const) : both;
      if (assertSame(...outcomes, `seed ${seed}: ${JSON.stringify(sent)}`)) same += 1;
      if (outcomes[0].seen.length > script.before + 1) kept += 1;
    }
  });
  await Promise.all(workers);
  context.diagnostic(`${same} of ${CASES} the same to the byte, ${kept} connections kept`);
  assert.ok(same > CASES * 0.8, 'hardly any may differ in what the platform loses');
});
