import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import type { WholeBody } from '../../ports/http.ts';
import type { Call } from '../../ports/operation.ts';
import { cborForm } from './cbor-form.ts';
import { jsonForm } from './json-form.ts';
import type { RecordWords } from './outgoing.ts';
import type { PutWords } from './put-answer.ts';
import type { PutScan } from './put-scan.ts';

/**
 * A form of the protocol as far as Kinesis reads and writes it itself, byte by byte: what moves records. All other
 * answers are values that the protocol writes.
 */
export interface KinesisForm {
  readonly name: AwsForm;
  /** Of puts. */
  readonly scan: PutScan;
  /** Of PutRecords' answer. */
  readonly put: PutWords;
  /** Of records that are read. */
  readonly record: RecordWords;
  /** PutRecord's answer. */
  stored(shardId: string, sequenceNumber: string, isEncrypted: boolean): WholeBody;
  /** What stands in front of `count` records, 65,535 at most, that an answer begins with; as long for any count. */
  before(count: number): Uint8Array;
  /** What stands behind them: two more members. */
  after(members: Readonly<Record<string, unknown>>): Uint8Array;
}

const FORMS: Readonly<Record<AwsForm, KinesisForm>> = { text: jsonForm, binary: cborForm };

/** The form that a call is answered in. */
export function formOf({ form }: Pick<Call<unknown>, 'form'>): KinesisForm {
  return FORMS[form];
}
