import { RequestError } from '../../../kernel/errors.ts';
import { isMapping, parseJson } from '../../../kernel/json.ts';
import { gatewayErrors } from '../errors.ts';
import type { Headers } from '../kinds/verifier.ts';
import { limits } from '../limits.ts';

/** Header with the id of a request, the same in every attempt (AWS's request specification 1.0). */
export const REQUEST_ID_HEADER = 'x-amz-firehose-request-id';
const ATTRIBUTES_HEADER = 'x-amz-firehose-common-attributes';
const VERSION_HEADER = 'x-amz-firehose-protocol-version';

/** A request of Firehose, its records still as they came. */
export interface DeliveryRequest {
  readonly requestId: string;
  /** When Firehose made it, in ms; undefined when it does not say. */
  readonly timestamp: number | undefined;
  readonly records: readonly unknown[];
  readonly commonAttributes: Readonly<Record<string, string>>;
}

/** Reads a body by AWS's request specification 1.0. RequestError InvalidBody, with what is wrong, for any other. */
export function readDeliveryRequest(headers: Headers, body: unknown): DeliveryRequest {
  const version = headers[VERSION_HEADER];
  if (version !== undefined && version !== '1.0') throw invalid(`${VERSION_HEADER}: only 1.0 is known`);
  if (!isMapping(body)) throw invalid('the body is no JSON object');
  const { requestId, timestamp, records } = body;
  const id = headers[REQUEST_ID_HEADER];
  if (typeof requestId !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(requestId)) {
    throw invalid('requestId: expected a text of 1 to 256 characters');
  }
  if (id !== undefined && id !== requestId) throw invalid(`requestId: is not what ${REQUEST_ID_HEADER} says`);
  if (!Array.isArray(records) || records.length === 0) throw invalid('records: expected a list that is not empty');
  if (records.length > limits.receivedRecordsMax) {
    throw invalid(`records: expected at most ${limits.receivedRecordsMax}`);
  }
  return {
    requestId,
    timestamp: typeof timestamp === 'number' && Number.isFinite(timestamp) ? timestamp : undefined,
    records,
    commonAttributes: readAttributes(headers[ATTRIBUTES_HEADER]),
  };
}

function readAttributes(header: string | undefined): Readonly<Record<string, string>> {
  if (header === undefined) return {};
  const value = parseJson(header);
  const attributes = isMapping(value) ? value['commonAttributes'] : undefined;
  if (!isMapping(attributes)) throw invalid(`${ATTRIBUTES_HEADER}: expected {"commonAttributes":{...}}`);
  const entries = Object.entries(attributes);
  if (entries.length > limits.commonAttributesMax || !entries.every(([, text]) => typeof text === 'string')) {
    throw invalid(`${ATTRIBUTES_HEADER}: expected at most ${limits.commonAttributesMax} texts by name`);
  }
  return attributes as Readonly<Record<string, string>>;
}

function invalid(message: string): RequestError {
  return new RequestError('InvalidBody', message, gatewayErrors.InvalidBody);
}
