/**
 * Made-up changes of wikis, in the shape and with the distributions of Wikimedia's recentchange 1.0.0: kinds of changes,
 * shares of wikis and bots, sizes, odd times. A change depends on the seed and its number alone, so that a feed can go back to any.
 */

const WIKIS = [
  [0.45, 'commonswiki', 'commons.wikimedia.org'],
  [0.6, 'wikidatawiki', 'www.wikidata.org'],
  [0.71, 'enwiki', 'en.wikipedia.org'],
  [0.77, 'dewiki', 'de.wikipedia.org'],
  [0.82, 'frwiki', 'fr.wikipedia.org'],
  [0.87, 'jawiki', 'ja.wikipedia.org'],
  [1, 'enwiktionary', 'en.wiktionary.org'],
];
const KINDS = [
  [0.48, 'edit'],
  [0.92, 'categorize'],
  [0.98, 'log'],
  [1, 'new'],
];
const NAMESPACES = { edit: [0, 0, 0, 1, 2, 6], categorize: [14], log: [0, 2, 6], new: [0, 6] };
const WORDS =
  'added image of the old river bridge file category uploaded by museum in spring restored source link fixed typo date ' +
  'Brücke Straße église 橋 川 map list new page redirect moved cleanup template infobox reference archive photograph';
const PARTS = WORDS.split(' ');

/** Chance in 0 to 1, the same for the same start. */
function chanceOf(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

function oneOf(table, chance) {
  const at = chance();
  return table.find(([share]) => at < share) ?? table.at(-1);
}

function words(chance, count) {
  return Array.from({ length: count }, () => PARTS[Math.floor(chance() * PARTS.length)]).join(' ');
}

function uuid(chance) {
  const digits = Array.from({ length: 32 }, () => Math.floor(chance() * 16).toString(16));
  digits[12] = '4';
  digits[16] = '89ab'[Math.floor(chance() * 4)];
  const text = digits.join('');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/** About as many words as comments have: few have many. */
function length(chance, usual) {
  return 1 + Math.floor(usual * Math.exp(1.5 * (chance() + chance() + chance() - 1.5)));
}

/**
 * When the change says it happened: `dt` is up to a second early in 1.3 of 100 changes, so that they are out of order,
 * and `timestamp` lies years back in 16 of 22,415. Its own chances, so that all else is the same with and without.
 */
function timesOf(start, atMs) {
  const chance = chanceOf(start ^ 0x5bd1_e995);
  const dtMs = chance() < 0.013 ? atMs - 1 - Math.floor(chance() * 999) : atMs;
  const isOld = chance() < 16 / 22_415;
  return { dt: new Date(dtMs).toISOString(), timestamp: Math.floor(atMs / 1000) - (isOld ? yearsBack(chance) : 0) };
}

/** In seconds. */
function yearsBack(chance) {
  return Math.floor((1 + chance() * 15) * 365.25 * 86_400);
}

/** The change of that number, as an object; `atMs` is when it happened. */
export function recentchange(seed, number, atMs) {
  const start = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b);
  const chance = chanceOf(start);
  const { dt, timestamp } = timesOf(start, atMs);
  const [, wiki, domain] = oneOf(WIKIS, chance);
  const [, type] = oneOf(KINDS, chance);
  const spaces = NAMESPACES[type];
  const namespace = spaces[Math.floor(chance() * spaces.length)];
  const name = words(chance, 2 + Math.floor(chance() * 5));
  const title = namespace === 0 ? name : `${{ 1: 'Talk', 2: 'User', 6: 'File', 14: 'Category' }[namespace]}:${name}`;
  const url = `https://${domain}/wiki/${encodeURIComponent(title.replaceAll(' ', '_'))}`;
  const comment = words(chance, length(chance, type === 'categorize' ? 26 : 21));
  const revision = 2_000_000_000 + number;
  const isChange = type === 'edit' || type === 'new';
  return {
    $schema: '/mediawiki/recentchange/1.0.0',
    meta: {
      uri: url,
      request_id: uuid(chance),
      id: uuid(chance),
      dt,
      domain,
      stream: 'mediawiki.recentchange',
      topic: 'eqiad.mediawiki.recentchange',
      partition: 0,
      offset: 5_000_000_000 + number,
    },
    ...(type === 'log' && chance() < 0.3 ? {} : { id: 1_500_000_000 + number }),
    type,
    namespace,
    title,
    title_url: url,
    comment,
    timestamp,
    user: words(chance, 2),
    bot: chance() < 0.36,
    ...(chance() < 0.95 && { notify_url: `https://${domain}/w/index.php?diff=${revision}&oldid=${revision - 7}` }),
    ...(isChange && {
      minor: chance() < 0.3,
      ...(chance() < 0.8 && { patrolled: chance() < 0.7 }),
      length: { old: type === 'new' ? null : Math.floor(chance() * 50_000), new: Math.floor(chance() * 50_000) },
      revision: { old: type === 'new' ? null : revision - 7, new: revision },
    }),
    ...(type === 'log' && logParts(chance, number)),
    server_url: `https://${domain}`,
    server_name: domain,
    server_script_path: '/w',
    wiki,
    parsedcomment: comment.replace(/^(\S+ \S+)/, `<a href="${url}" title="$1">$1</a>`),
  };
}

/** The parameters of a log entry are an object, a list when there are none, or a text. */
function logParts(chance, number) {
  const kind = chance();
  const params = kind < 0.6 ? { img_sha1: uuid(chance).replaceAll('-', ''), img_timestamp: '20261001000000' } : [];
  return {
    log_id: 160_000_000 + number,
    log_type: 'upload',
    log_action: 'upload',
    log_params: kind > 0.9 ? words(chance, 3) : params,
    log_action_comment: words(chance, 10),
  };
}

/** What the feed sends every hour to be seen to live: no change of any wiki. */
export function canary(seed, number, atMs) {
  const change = recentchange(seed, number, atMs);
  return { ...change, meta: { ...change.meta, domain: 'canary' } };
}

/** The id that the feed gives an event: a place in each of two topics, in any order. */
export function placesAt(number, atMs) {
  const busy = { topic: 'eqiad.mediawiki.recentchange', partition: 0, timestamp: atMs };
  const idle = { topic: 'codfw.mediawiki.recentchange', partition: 0, offset: -1 };
  return JSON.stringify(number % 3 === 0 ? [idle, busy] : [busy, idle]);
}
