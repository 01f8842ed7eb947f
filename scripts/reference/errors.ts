import { firehoseErrors } from '../../src/capabilities/firehose/errors.ts';
import { gatewayErrors, sentences } from '../../src/capabilities/gateway/errors.ts';
import { kinesisErrors } from '../../src/capabilities/kinesis/errors.ts';
import { functionsErrors } from '../../src/capabilities/functions/errors.ts';
import { restActions, servedActions } from './actions.ts';
import { code, head, table } from './markdown.ts';

const ABOUT = `Every code that an answer can carry, as closed lists. AWS actions answer
\`{"__type": CODE, "message": SENTENCE}\`; the gateway, \`/admin/\` and what is refused before it has a protocol answer
\`{"error": CODE, "message": SENTENCE}\`. Programs decide by the code; sentences may change. A malformed request never gets
a 500.
`;

/** A code with its HTTP status and when it is answered. */
export type Code = readonly [code: string, status: number, when: string];

/** Codes of AWS's JSON protocol, common to all actions. */
export const wireCodes: readonly Code[] = [
  ['AccessDeniedException', 400, 'The key pair may not do this, or not on this stream or delivery.'],
  ['IncompleteSignatureException', 400, 'The signature lacks a part, or names another algorithm.'],
  ['InternalFailure', 500, 'A bug of millrace, or its disk failed; the log names it by the request id.'],
  [
    'InternalFailureException',
    200,
    'As the last frame of an event stream: what `InternalFailure` and `ServiceUnavailableException` are elsewhere.',
  ],
  [
    'InvalidSignatureException',
    400,
    'Signed twice, in the query string and in a header; with `server.credentials` also what does not verify, or is stale.',
  ],
  ['MethodNotAllowed', 405, 'AWS actions are POST requests.'],
  ['MissingAuthenticationTokenException', 400, 'No signature.'],
  ['RequestEntityTooLarge', 413, 'The body is larger than any action takes.'],
  ['SerializationException', 400, 'The body is no JSON or CBOR, or a member is of the wrong type.'],
  ['ServiceUnavailableException', 503, 'The log, or the memory for requests, takes nothing now: try again.'],
  ['UnknownOperationException', 400, 'No such action, or one that is not served yet.'],
  ['UnrecognizedClientException', 400, 'The access key id is none of `server.credentials`, or a session token came.'],
  [
    'ValidationException',
    400,
    'Members break their constraints, in AWS’s sentences and order; or a member is not built yet.',
  ],
];

/** Codes of the listeners themselves. */
export const httpCodes: readonly Code[] = [
  ['BadRequest', 400, 'This is not HTTP/1.1.'],
  ['Forbidden', 403, 'The api listener does not answer to this Host, or to pages of this Origin.'],
  ['IncompleteBody', 400, 'The body ended early.'],
  ['InternalFailure', 500, 'A bug of millrace; the log names it by the request id.'],
  ['MethodNotAllowed', 405, 'No tunnels (CONNECT).'],
  ['RequestEntityTooLarge', 413, 'The body is larger than the path takes.'],
  ['RequestHeaderFieldsTooLarge', 431, 'The headers are larger than a listener takes.'],
  ['RequestTimeout', 408, 'Headers or body came too slowly.'],
  ['ServiceUnavailable', 503, 'Too many requests, or bytes of them, are under way: try again.'],
];

/** Codes under `/admin/` and of the listener's other paths. */
export const adminCodes: readonly Code[] = [
  ['BadRequest', 400, 'A parameter of the query is not what the path takes.'],
  ['BodyNotKept', 409, 'The body of the request was cut in the log: it cannot be sent on, or tried without another.'],
  ['InternalFailure', 500, 'A bug of millrace, or its disk failed; the log names it by the request id.'],
  ['MethodNotAllowed', 405, 'Another method; `allow` names those that are served.'],
  ['NoSecret', 409, 'Nothing is there to sign the request with.'],
  ['NotAccepted', 409, 'The request was refused when it came: only accepted ones are sent on again.'],
  ['NotFound', 404, 'Nothing is served there, or nothing has that name.'],
  ['NotInFile', 409, 'The source is not in the file any more: it cannot be resumed.'],
  ['ResourceNotFoundException', 400, 'No stream has that name.'],
  ['Unavailable', 503, 'What it needs, such as a bucket, does not answer now: try again.'],
];

/** Codes of the one action of the Security Token Service. */
export const stsCodes: readonly Code[] = [
  ['InvalidAction', 400, 'An action other than `GetCallerIdentity`, which Kinesis clients ask for.'],
];

const STS = 'As XML, beside the codes of signatures of the wire.';

const ADMIN =
  'JSON under `/admin/`, and `/healthz`, `/readyz`, `/metrics`; with `server.credentials` also the codes of signatures and ' +
  '`AccessDeniedException` of the wire.';

/** The closed lists of codes. */
export function errorsPage(): string {
  const routes = Object.entries(gatewayErrors).map(([name, status]): Code => [
    name,
    status,
    sentence(sentences[name as keyof typeof sentences]),
  ]);
  return [
    head('Errors', ABOUT),
    section('Kinesis', 'Beside those of the wire.', serviceCodes('Kinesis_20131202', kinesisErrors)),
    section('Firehose', 'Beside those of the wire.', serviceCodes('Firehose_20150804', firehoseErrors)),
    section('Lambda', LAMBDA, Object.entries(functionsErrors).map(lambdaCode)),
    section('Wire: every AWS action', 'Common to all actions.', wireCodes),
    section('Gateway', 'Webhook routes. A refused request leaves nothing behind.', routes),
    section('Security Token Service', STS, stsCodes),
    section('Admin', ADMIN, adminCodes),
    section('Listeners', 'Before a request has a protocol, on every listener.', httpCodes),
  ].join('\n');
}

const LAMBDA =
  'As `{"Type", "Message"}` with the code in `x-amzn-errortype`; beside the codes of signatures of the wire, which are ' +
  '403 here. A handler that fails is no error: the answer is 200 with `X-Amz-Function-Error`.';

function lambdaCode([name, status]: readonly [string, number]): Code {
  const raising = restActions.filter(({ errors }) => Object.hasOwn(errors, name)).map((action) => action.name);
  return [name, status, `Raised by ${raising.join(', ')}.`];
}

function serviceCodes(target: string, codes: readonly string[]): readonly Code[] {
  const actions = servedActions(target);
  return codes.map((name) => {
    const raisedBy = actions.filter(({ errors }) => errors.includes(name)).map((action) => action.name);
    const status = name === 'ServiceUnavailableException' ? 503 : 400;
    return [name, status, raisedBy.length === 0 ? 'Any action.' : `Raised by ${code(...raisedBy)}.`];
  });
}

function section(title: string, about: string, codes: readonly Code[]): string {
  const rows = codes.map(([name, status, when]) => [code(name), String(status), when]);
  return `## ${title}\n\n${about}\n\n${table(['code', 'status', 'when'], rows)}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Codes that `codes` names, for comparing with the sources. */
export function namesOf(codes: readonly Code[]): readonly string[] {
  return codes.map(([name]) => name);
}
