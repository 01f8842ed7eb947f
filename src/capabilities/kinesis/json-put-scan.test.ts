import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from '../../wire/aws-json/codec.ts';
import { jsonPutScan } from './json-put-scan.ts';
import { BODIES, compareAll, comparison, Maker } from './put-scan.fixture.ts';

const compare = comparison(jsonCodec('application/x-amz-json-1.1'));

test('plain bodies are scanned, whatever their order and blanks', () => {
  const bodies = [
    '{"Records":[{"Data":"YQ==","PartitionKey":"k"}],"StreamName":"s"}',
    ' {\n"StreamName" : "s.-_9" ,\t"Records":[ {"PartitionKey":"~ k","Data":"","ExplicitHashKey":"0"} , {"Data":"AAAA","PartitionKey":"1"} ] }\r\n',
  ];
  for (const body of bodies) assert.equal(compare.many(Buffer.from(body)), 'scanned');
  const one =
    '{"StreamName":"s","Data":"YWI=","PartitionKey":"k","ExplicitHashKey":"340282366920938463463374607431768211455"}';
  assert.equal(compare.one(Buffer.from(one)), 'scanned');
  const record = `{"Data":"","PartitionKey":"${'k'.repeat(256)}"}`;
  const most = `{"Records":[${Array.from({ length: 500 }, () => record).join()}],"StreamName":"s"}`;
  assert.equal(compare.many(Buffer.from(most)), 'scanned');
});

test('everything unusual is left to the full parse', () => {
  const record = '{"Data":"YQ==","PartitionKey":"k"}';
  const bodies = [
    '',
    '{}',
    '[]',
    `{"Records":[],"StreamName":"s"}`,
    `{"Records":[${record}]}`,
    `{"Records":[${record}],"StreamName":"s"}x`,
    `{"Records":[${record}],"StreamName":"s",}`,
    `{"Records":[${record},],"StreamName":"s"}`,
    `{"Records":[${record}],"StreamName":"s","StreamName":"t"}`,
    `{"Records":[${record}],"StreamName":"s","StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}`,
    `{"Records":[${record}],"StreamName":"s","Other":1}`,
    `{"Records":[${record}],"StreamName":"\\u0073"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k\\n"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"\\ud800"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"ü"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":""}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"${'k'.repeat(257)}"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YR==","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"Y-==","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ=","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==YQ==","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"AA A","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"AA\\"","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"AAA\\","PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":null,"PartitionKey":"k"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":"01"}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":null}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":""}],"StreamName":"s"}`,
    `{"Records":[{"Data":"YQ==","PartitionKey":"k","ExplicitHashKey":"1${'0'.repeat(39)}"}],"StreamName":"s"}`,
    `{"`,
    `{"Records":[{"`,
    `{"Records":[{"PartitionKey":"`,
    `{"Records":[{"PartitionKey":"k`,
    `{"Records":[{"ExplicitHashKey":"1`,
    `{"StreamName":"s`,
    `{"Records":[${Array.from({ length: 501 }, () => record).join()}],"StreamName":"s"}`,
  ];
  for (const body of bodies) {
    assert.equal(compare.many(Buffer.from(body)), 'left', body.slice(0, 100));
  }
});

test('a batch stays as it is while others are scanned, and its data may be read in pieces', () => {
  const body = (text: string): Buffer => {
    const record = `{"Data":"${Buffer.from(text).toString('base64')}","PartitionKey":"${text[0]}"}`;
    return Buffer.from(`{"StreamName":"s","Records":[${record},${record}]}`);
  };
  const first = jsonPutScan.many(body('abcdefghijkl'))?.batch;
  const second = jsonPutScan.many(body('mno'))?.batch;
  assert.ok(first !== undefined && second !== undefined);
  const into = Buffer.alloc(40);
  for (const [from, to] of [[0, 3], [3, 9], [9, 12]] as const) {
    assert.ok(first.writeData(1, into, from, from, to));
  } // prettier-ignore
  assert.equal(into.toString('latin1', 0, 12), 'abcdefghijkl');
  assert.deepEqual([first.dataBytes(0), second.dataBytes(0)], [12, 3]);
});

class JsonMaker extends Maker {
  text(): string {
    if (this.below(4) > 0) return this.pick(['k', 'key 1', '~']);
    const parts = ['a', 'Z9', ' ', '~', '\\n', '\\u0061', '\\"', '"', 'ü', '\u0001', '😀', '\\', '', '\x7f'];
    return Array.from({ length: this.below(3) }, () => this.pick(parts)).join('') + this.pick(['k', 'key', '']);
  }

  data(): string {
    const plainText = Buffer.from(Array.from({ length: this.below(20) }, () => this.below(256))).toString('base64');
    return this.below(6) > 0 ? plainText : plainText + this.pick(['=', '-', ' ', 'A', '\\/', '\\u0041', 'é']);
  }

  value(quoted: string): string {
    return this.below(25) > 0 ? `"${quoted}"` : this.pick(['null', '1', '[]', '{}', 'true', `"${quoted}`, '""']);
  }

  record(): string {
    const members = [`"Data":${this.value(this.data())}`, `"PartitionKey":${this.value(this.text())}`];
    if (this.below(4) === 0)
      members.push(`"ExplicitHashKey":${this.value(this.pick(['0', '7', '01', '-1', '1e3', '9'.repeat(39)]))}`);
    return this.object(members);
  }

  object(members: string[]): string {
    if (this.below(25) === 0) members.push(this.pick(['"Data":"AA=="', '"x":1', '"__proto__":{}', '"StreamName":"t"']));
    if (this.below(3) === 0) members.reverse();
    const blank = this.below(20) === 0 ? '\u00a0' : this.pick(['', '', ' ', '\n\t']);
    const separator = this.below(30) === 0 ? this.pick([';', ',,', '']) : `${blank},`;
    return `{${blank}${members.join(separator)}${blank}}`;
  }

  batch(): string {
    const records = Array.from({ length: this.below(4) }, () => this.record()).join(',');
    return this.object([
      `"Records":[${records}]`,
      `"StreamName":${this.value(this.pick(['s', 's.t', 'a-_.9', 's', 'ü', '']))}`,
    ]);
  }

  single(): string {
    const inner = this.record().trim().slice(1, -1);
    return this.object([inner, `"StreamName":${this.value('s')}`]);
  }
}

test(`the scanner and the full parse agree on ${BODIES} made-up bodies in JSON`, () => {
  const maker = new JsonMaker(20_260_131);
  compareAll(compare, (kind) => maker.damaged(Buffer.from(kind === 'many' ? maker.batch() : maker.single())));
});
