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
