import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKind, type AddressKind } from './address-kind.ts';
import { ownWord, parseConfigUrl, serverOf } from './config-url.ts';
import { isInRange, parseAddress, parseRange } from './ip-address.ts';
import { allowProblem, OutgoingRules, urlTarget, type OutgoingOptions } from './outgoing-rules.ts';
import { parseUrl } from './parse-url.ts';

test('texts of addresses, and what is none', () => {
  const table: readonly (readonly [text: string, hex: string | undefined])[] = [
    ['127.0.0.1', '7f000001'],
    ['255.255.255.255', 'ffffffff'],
    ['::1', '00000000000000000000000000000001'],
    ['[::1]', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:DB8::a:b', '20010db80000000000000000000a000b'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['::ffff:10.1.2.3', '0a010203'],
    ['::ffff:a01:203', '0a010203'],
    ['0:0:0:0:0:ffff:a01:203', '0a010203'],
    ['', undefined],
    ['1.2.3', undefined],
    ['1.2.3.4.5', undefined],
    ['1.2.3.256', undefined],
    ['01.2.3.4', undefined],
    ['0x7f.0.0.1', undefined],
    ['2130706433', undefined],
    ['1.2.3.4 ', undefined],
    ['1.2.3.-4', undefined],
    [':', undefined],
    [':::', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['12345::', undefined],
    ['g::', undefined],
    ['::1.2.3', undefined],
    ['1.2.3.4::', undefined],
    ['example.com', undefined],
  ];
  for (const [text, hex] of table) {
    const bytes = parseAddress(text);
    assert.equal(bytes === undefined ? undefined : Buffer.from(bytes).toString('hex'), hex, text);
  }
});

test('ranges, and what lies in them', () => {
  const table: readonly (readonly [range: string, inside: readonly string[], outside: readonly string[]])[] = [
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.1.1'], ['9.255.255.255', '11.0.0.0', '::a00:1']],
    ['10.1.2.3/15', ['10.0.0.0', '10.1.255.255'], ['10.2.0.0', '10.128.0.0']],
    ['1.2.3.4', ['1.2.3.4'], ['1.2.3.5']],
    ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['::1']],
    ['::/0', ['::1', 'ffff::'], ['1.2.3.4', '::ffff:1.2.3.4']],
    ['fd00::/8', ['fd12::1'], ['fc00::1', 'fe00::']],
    ['::ffff:10.0.0.0/104', ['10.1.1.1'], ['11.0.0.0']],
  ];
  for (const [text, inside, outside] of table) {
    const range = parseRange(text);
    assert.ok(range !== undefined, text);
    const lies = (address: string): boolean => isInRange(parseAddress(address) ?? new Uint8Array(), range);
    for (const address of inside) assert.ok(lies(address), `${address} in ${text}`);
    for (const address of outside) assert.ok(!lies(address), `${address} not in ${text}`);
  }
  for (const text of [
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'x/8',
    '::ffff:1.2.3.4/95',
  ]) {
    assert.equal(parseRange(text), undefined, text);
  }
});

test('what an address stands for', () => {
  const table: Readonly<Record<AddressKind, readonly string[]>> = {
    public: [
      '1.1.1.1',
      '9.255.255.255',
      '172.15.0.1',
      '172.32.0.1',
      '100.63.0.1',
      '223.255.255.255',
      '2606:4700::1111',
    ],
    loopback: [
      '127.0.0.1',
      '127.255.0.9',
      '::1',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '2002:7f00:1::',
      '64:ff9b::7f00:1',
    ],
    private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1', 'fec0::1'],
    'link-local': ['169.254.1.1', 'fe80::1', 'febf::1', '64:ff9b::169.254.9.9'],
    metadata: ['169.254.169.254', '::ffff:169.254.169.254', 'fd00:ec2::254', '168.63.129.16', '100.100.100.200'],
    unspecified: ['0.0.0.0', '0.1.2.3', '::', '::ffff:0:0.0.0.0'],
    multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
    reserved: ['240.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '2001:db8::1', '2001::1', '64:ff9b:1::a00:1'],
  };
  for (const [kind, addresses] of Object.entries(table)) {
    for (const address of addresses) {
      assert.equal(addressKind(parseAddress(address) ?? new Uint8Array()), kind, address);
    }
  }
  assert.equal(addressKind(parseAddress('64:ff9b::1.1.1.1') ?? new Uint8Array()), 'public', 'behind a NAT64');
  assert.equal(addressKind(parseAddress('4000::1') ?? new Uint8Array()), 'reserved', 'given to nobody');
});

test('where URLs lead, in whatever form', () => {
  const loopback = [
    '127.0.0.1',
    '127.0.0.1.',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '127.1',
    '0X7F000001',
    '%31%32%37.1',
  ];
  for (const host of [...loopback, '１２７.0.0.1']) {
    assert.deepEqual(urlTarget(`http://${host}:81/a?b`), { isSecure: false, host: '127.0.0.1', port: 81 }, host);
  }
  const table: readonly (readonly [url: string, target: unknown])[] = [
    ['https://Example.COM./', { isSecure: true, host: 'example.com', port: 443 }],
    ['http://[::FFFF:7f00:1]/', { isSecure: false, host: '::ffff:7f00:1', port: 80 }],
    ['https://bücher.example/', { isSecure: true, host: 'xn--bcher-kva.example', port: 443 }],
    ['https://a@b.example/', 'holds a user name or a password, which belong into headers'],
    ['https://:b@b.example/', 'holds a user name or a password, which belong into headers'],
    ['ftp://b.example/', 'is neither https nor http'],
    ['file:///etc/passwd', 'is neither https nor http'],
    ['/path', 'is not an absolute URL'],
    ['https://', 'is not an absolute URL'],
    ['https://1.2.3.400/', 'is not an absolute URL'],
    ['https://a..b/', 'names no host'],
    ['https://./', 'names no host'],
  ];
  for (const [url, target] of table) assert.deepEqual(urlTarget(url), target, url);
});

const STRICT: OutgoingOptions = { mode: 'start', allow: [], own: [{ name: 'gateway', url: 'http://10.0.0.9:4568' }] };
const LISTED = ['Collector.Internal.', '10.1.0.0/16', '::1'];

test('which URLs and addresses are asked, by mode and list', () => {
  const hint = 'outgoing.allow can list it';
  const rows: readonly (readonly [
    options: Partial<OutgoingOptions>,
    url: string,
    address: string,
    asUrl: string | undefined,
    asAddress: string | undefined,
  ])[] = [
    [{}, 'https://a.example/', '1.1.1.1', undefined, undefined],
    [
      {},
      'http://a.example/',
      '1.1.1.1',
      `http://a.example is not https; ${hint}`,
      `a.example is asked without https; ${hint}`,
    ],
    [{}, 'https://a.example/', '10.0.0.1', undefined, `a.example has the address 10.0.0.1, which is private; ${hint}`],
    [{}, 'https://10.0.0.1/', '10.0.0.1', `10.0.0.1 is private; ${hint}`, `10.0.0.1 is private; ${hint}`],
    [
      {},
      'https://[::ffff:7f00:1]/',
      '::1',
      `::ffff:7f00:1 is loopback; ${hint}`,
      `::ffff:7f00:1 has the address ::1, which is loopback; ${hint}`,
    ],
    [
      {},
      'https://localhost/',
      '127.0.0.1',
      `localhost has the address 127.0.0.1, which is loopback; ${hint}`,
      `localhost has the address 127.0.0.1, which is loopback; ${hint}`,
    ],
    [
      {},
      'https://a.example/',
      '169.254.169.254',
      undefined,
      `a.example has the address 169.254.169.254, which is where a cloud answers with credentials; ${hint}`,
    ],
    [{}, 'https://a.example/', '0.0.0.0', undefined, `a.example has the address 0.0.0.0, which is nobody's; ${hint}`],
    [
      {},
      'https://a.example/',
      'fe80::1%eth0',
      undefined,
      `a.example has the address fe80::1%eth0, which is link-local; ${hint}`,
    ],
    [{}, 'https://a.example/', 'nonsense', undefined, 'a.example has an address that is none: nonsense'],
    [{}, 'http://10.0.0.9:4568/x', '10.0.0.9', undefined, undefined],
    [{}, 'http://localhost:4568/x', '127.0.0.1', undefined, undefined],
    [{}, 'http://10.0.0.9:4569/', '10.0.0.9', `10.0.0.9 is private; ${hint}`, `10.0.0.9 is private; ${hint}`],
    [{ mode: 'dev' }, 'http://a.example/', '1.1.1.1', undefined, undefined],
    [{ mode: 'dev' }, 'http://127.0.0.1:1/', '127.0.0.1', undefined, undefined],
    [{ mode: 'dev' }, 'http://a.example/', '127.0.0.1', undefined, undefined],
    [
      { mode: 'dev' },
      'https://a.example/',
      '192.168.0.1',
      undefined,
      `a.example has the address 192.168.0.1, which is private; ${hint}`,
    ],
    [{ allow: LISTED }, 'http://collector.internal/', '192.168.0.1', undefined, undefined],
    [{ allow: LISTED }, 'http://COLLECTOR.internal./', '127.0.0.1', undefined, undefined],
    [
      { allow: LISTED },
      'http://collector.internal/',
      '169.254.169.254',
      undefined,
      `collector.internal has the address 169.254.169.254, which is where a cloud answers with credentials; ${hint}`,
    ],
    [
      { allow: LISTED },
      'http://x.collector.internal/',
      '192.168.0.1',
      undefined,
      `x.collector.internal has the address 192.168.0.1, which is private; ${hint}`,
    ],
    [{ allow: LISTED }, 'http://a.example/', '10.1.255.1', undefined, undefined],
    [
      { allow: LISTED },
      'http://a.example/',
      '10.2.0.1',
      undefined,
      `a.example has the address 10.2.0.1, which is private; ${hint}`,
    ],
    [{ allow: LISTED }, 'http://[::1]:9/', '::1', undefined, undefined],
    [
      { allow: LISTED },
      'https://localhost:9/',
      '127.0.0.1',
      `localhost has the address 127.0.0.1, which is loopback; ${hint}`,
      `localhost has the address 127.0.0.1, which is loopback; ${hint}`,
    ],
    [{ allow: ['169.254.169.254'] }, 'http://169.254.169.254/', '169.254.169.254', undefined, undefined],
  ];
  for (const [options, url, address, asUrl, asAddress] of rows) {
    const rules = new OutgoingRules({ ...STRICT, ...options });
    const target = urlTarget(url);
    assert.ok(typeof target !== 'string');
    assert.equal(rules.urlProblem(url), asUrl, url);
    assert.equal(rules.addressProblem(target, address), asAddress, `${url} ${address}`);
  }
  const strict = new OutgoingRules(STRICT);
  assert.equal(strict.resolved('${gateway}/a?b'), 'http://10.0.0.9:4568/a?b');
  assert.equal(strict.urlProblem('${gateway}/a?b'), undefined);
  assert.equal(strict.urlProblem('${api}/a'), 'the URL is not an absolute URL');
  const secret = new OutgoingRules(STRICT).urlProblem('https://user:secret@a.example/?key=secret');
  assert.equal(secret, 'https://a.example holds a user name or a password, which belong into headers');
});

test('entries of the list', () => {
  for (const entry of ['a', 'a.example', 'a.example.', 'A_b-c.example', '10.0.0.0/8', '::1', 'fd00::/8', '1.2.3.4']) {
    assert.equal(allowProblem(entry), undefined, entry);
  }
  for (const entry of [
    '',
    '*',
    '*.a',
    'a/8',
    'http://a',
    'a:80',
    '10.0.0',
    '10.0.0.0/64',
    '0x7f',
    '1',
    '[::1]:80',
    'a b',
  ]) {
    assert.ok(allowProblem(entry)?.startsWith('is neither'), entry);
  }
});

test('a URL beyond ASCII is one however often it is asked for', () => {
  for (let times = 0; times < 100_000; times += 1) {
    const url = parseUrl('https://b\u00fccher.example/');
    if (url?.host !== 'xn--bcher-kva.example') assert.fail(`after ${times} times: ${url?.host}`);
  }
  assert.equal(parseUrl('/a', 'https://a.example/b')?.href, 'https://a.example/a');
  assert.equal(parseUrl('/a'), undefined);
});

test('a URL of the config may name a listener of the node: at its start it is the server, elsewhere it is told', () => {
  const table: readonly (readonly [url: string, host: string | undefined, server: string, own: string | undefined])[] =
    [
      ['${api}/hook', 'localhost', '${api}', '${api}'],
      ['${gateway}', 'localhost', '${gateway}', '${gateway}'],
      ['https://a.example:8443/${gateway}', 'a.example:8443', 'https://a.example:8443', '${gateway}'],
      ['https://a.example:443/x', 'a.example', 'https://a.example', undefined],
      ['${apis}/hook', undefined, '${apis}/hook', undefined],
      ['no URL', undefined, 'no URL', undefined],
    ];
  for (const [url, host, server, own] of table) {
    assert.deepEqual([parseConfigUrl(url)?.host, serverOf(url), ownWord(url)], [host, server, own], url);
  }
});
