import assert from 'node:assert/strict';

/** What a function answered, and the end of its log. */
export interface Invoked {
  readonly error: string | null;
  readonly value: Record<string, unknown>;
  readonly log: string;
}

const SIGNED = {
  authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  'x-amz-date': '20260101T000000Z',
  'x-amz-log-type': 'Tail',
};

/** Runs a function and waits for its answer. */
export async function invoke(api: string, name: string, event: unknown): Promise<Invoked> {
  const url = `${api}/2015-03-31/functions/${name}/invocations`;
  const answer = await fetch(url, { method: 'POST', headers: SIGNED, body: JSON.stringify(event) });
  assert.equal(answer.status, 200, name);
  return {
    error: answer.headers.get('x-amz-function-error'),
    value: (await answer.json()) as Record<string, unknown>,
    log: Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString(),
  };
}
