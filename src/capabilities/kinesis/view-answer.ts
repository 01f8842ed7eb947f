import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { RawAnswer } from '../../ports/operation.ts';
import type { Page, ViewedRecord } from './viewing.ts';

/** Text that is written before the loop turns; data goes in pieces of a multiple of three bytes, which fit together. */
const TURN_CHARACTERS = 128 * 1024;
const DATA_BYTES = 96 * 1024;

/** A page as the viewer answers it, in JSON with data in base64, written in turns of the loop. */
export async function viewAnswer(page: Page, turn: () => Promise<void>): Promise<RawAnswer> {
  const { records, ...rest } = page;
  const pieces: Buffer[] = [];
  let text = '{"records":[';
  for (const [index, record] of records.entries()) {
    if (index > 0) text += ',';
    for (const part of recordTexts(record)) {
      text += part;
      if (text.length < TURN_CHARACTERS) continue;
      pieces.push(Buffer.from(text));
      text = '';
      await turn();
    }
  }
  pieces.push(Buffer.from(`${text}],${JSON.stringify(rest).slice(1)}\n`));
  return new RawAnswer(pieces);
}

function* recordTexts({ data, ...said }: ViewedRecord): Generator<string> {
  yield `${JSON.stringify(said).slice(0, -1)},"data":"`;
  for (let from = 0; from < data.length; from += DATA_BYTES) {
    yield asBuffer(data).toString('base64', from, Math.min(data.length, from + DATA_BYTES));
  }
  yield '"}';
}
