import { Defect, RequestError } from '../../kernel/errors.ts';
import type { RawJson } from '../../ports/operation.ts';
import type { AwsCodec } from '../aws-json/codec.ts';
import { decodeCbor, MalformedCbor } from './decode.ts';
import { encodeAwsCbor, encodeFromJson, encodeTexts } from './encode.ts';

/** AWS's CBOR: the same members as its JSON, bytes as byte strings, times as integer epoch ms under tag 1. */
export const cborCodec: AwsCodec = {
  contentType: 'application/x-amz-cbor-1.1',
  form: 'binary',
  parse: (body) => {
    try {
      return decodeCbor(body);
    } catch (error) {
      if (error instanceof MalformedCbor) throw new RequestError('SerializationException', '');
      throw error;
    }
  },
  value: encodeAwsCbor,
  raw: (schema, json) => {
    if (schema === undefined) throw new Defect('what is answered as it is has a declared shape');
    return encodeFromJson(schema, JSON.parse(textOf(json)));
  },
  members: encodeTexts,
};

function textOf(json: RawJson): string {
  if (typeof json === 'string') return json;
  return (
    json instanceof Uint8Array ? Buffer.from(json.buffer, json.byteOffset, json.length) : Buffer.concat(json)
  ).toString();
}
