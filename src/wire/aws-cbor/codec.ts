import { RequestError } from '../../kernel/errors.ts';
import type { AwsCodec } from '../aws-json/codec.ts';
import { decodeCbor, MalformedCbor } from './decode.ts';
import { cborPieces, encodeAwsCbor, encodeTexts } from './encode.ts';

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
  pieces: cborPieces,
  members: encodeTexts,
};
