import { RequestError } from '../kernel/errors.ts';
import type { Identity } from '../ports/capability.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../ports/http.ts';
import type { Gate } from '../wire/sigv4/gate.ts';
import { checkSignatureShape } from '../wire/sigv4/signature-shape.ts';

const FORM = 'application/x-www-form-urlencoded';
const SCOPE = '/sts/aws4_request';
const ACTION = 'GetCallerIdentity';
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const BODY_BYTES_MAX = 64 * 1024;
/** Of an action's name in an error. */
const NAME_CHARACTERS_MAX = 128;

/** Whether a request is for AWS's Security Token Service: a form, signed for it. */
export function isForSts({ method, headers }: HttpRequest): boolean {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return method === 'POST' && type === FORM && headers['authorization']?.includes(SCOPE) === true;
}

/**
 * The one action of the Security Token Service that a Kinesis client calls: the Kinesis Producer Library learns the
 * account from GetCallerIdentity and ends when it cannot. Others answer InvalidAction. Never rejects but for bugs.
 */
export function createCallerIdentity(gate: Gate, identity: Identity): HttpHandler {
  return async (request) => {
    try {
      const presented = gate.begin(request, 'sts');
      const body = await request.readBody(BODY_BYTES_MAX, presented?.see);
      const caller = gate.finish(presented);
      if (caller === undefined) checkSignatureShape(request);
      const form = new URLSearchParams(Buffer.from(body).toString());
      const action = form.get('Action') ?? '';
      if (action !== ACTION) throw unknownAction(action, form.get('Version') ?? '');
      return identityOf(identity, caller?.accessKeyId, request.id);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return refusal(error, request.id);
    }
  };
}

/** Without verification everybody is the account itself. */
function identityOf({ account }: Identity, accessKeyId: string | undefined, requestId: string): HttpAnswer {
  const name = accessKeyId === undefined ? 'root' : `user/${accessKeyId}`;
  const members = {
    Arn: `arn:aws:iam::${account}:${name}`,
    UserId: accessKeyId ?? account,
    Account: account,
  };
  const result = element(`${ACTION}Result`, elements(members));
  const metadata = element('ResponseMetadata', elements({ RequestId: requestId }));
  return xml(200, `${ACTION}Response`, result + metadata);
}

function unknownAction(action: string, version: string): RequestError {
  const [name, of] = [action, version].map((text) => text.slice(0, NAME_CHARACTERS_MAX));
  return new RequestError('InvalidAction', `Could not find operation ${name} for version ${of}`);
}

function refusal({ status, code, message }: RequestError, requestId: string): HttpAnswer {
  const error = elements({ Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message });
  return xml(status, 'ErrorResponse', element('Error', error) + elements({ RequestId: requestId }));
}

function xml(status: number, root: string, content: string): HttpAnswer {
  const body = `<${root} xmlns="${NAMESPACE}">${content}</${root}>\n`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function elements(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => element(name, escaped(value)))
    .join('');
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/** Text of others in XML 1.0, which has no room for control characters. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ufffd]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
