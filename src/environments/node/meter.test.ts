import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeter } from './meter.ts';

test('counters, gauges and histograms print as Prometheus reads them', () => {
  const meter = createMeter();
  meter.count('puts_total', { stream: 'a"b' });
  meter.count('puts_total', { stream: 'a"b' }, 2);
  meter.gauge('waiting_bytes', {}, 7);
  meter.observe('append_ms', {}, 3);
  meter.observe('append_ms', {}, 9000);
  const text = meter.exposition();
  assert.match(text, /# TYPE puts_total counter\nputs_total\{stream="a\\"b"\} 3\n/);
  assert.match(text, /# TYPE waiting_bytes gauge\nwaiting_bytes 7\n/);
  assert.match(text, /append_ms_bucket\{le="2"\} 0\nappend_ms_bucket\{le="5"\} 1\n/);
  assert.match(text, /append_ms_bucket\{le="\+Inf"\} 2\nappend_ms_sum 9003\nappend_ms_count 2\n/);
});

test('label sets are bounded', () => {
  const meter = createMeter();
  for (let index = 0; index < 5000; index += 1) meter.count('x_total', { id: String(index) });
  assert.equal(meter.exposition().split('\n').length, 1002);
});

test('what is forgotten is printed no more, and leaves room; what only looks alike stays', () => {
  const meter = createMeter();
  for (const stream of ['a', 'ab', 'b']) {
    meter.count('puts_total', { stream });
    meter.gauge('waiting', { stream, z: '1', about: 'x' }, 1);
    meter.observe('put_ms', { stream }, 1);
  }
  meter.count('odd_total', { route: ',stream="a",' });
  meter.count('only_total', { stream: 'a' });
  meter.forget({ stream: 'a' });
  const text = meter.exposition();
  const left = text.split('\n').filter((line) => /^(puts_total|waiting|put_ms_count|odd_total|# TYPE only)/.test(line));
  assert.deepEqual(left, [
    'puts_total{stream="ab"} 1',
    'puts_total{stream="b"} 1',
    'waiting{about="x",stream="ab",z="1"} 1',
    'waiting{about="x",stream="b",z="1"} 1',
    'put_ms_count{stream="ab"} 1',
    'put_ms_count{stream="b"} 1',
    String.raw`odd_total{route=",stream=\"a\","} 1`,
  ]);
  assert.doesNotMatch(text, /only_total|stream="a"/);
});
