/** More than any batch has bytes: what separates begin and length of an argument in one number. */
export const PLACE_STEP = 2 ** 26;

/**
 * What stands between the host and a script inside the engine. It has taken what it needs of the language before the
 * script could change it, and answers texts only: nothing that the host reads has a getter of the script's. The frame
 * of an answer is put together from texts, since a `toJSON` of the script's would be asked for objects and arrays.
 *
 * It is a function of what makes the script and of the bound of results, and gives the function that the host calls:
 * with the bytes of all calls of a batch and one to three arguments: texts that are JSON, or numbers that say where in
 * these bytes an argument lies (`PLACE_STEP` times its begin, and its length). The answer is the result's JSON, or `!`
 * and JSON of an object with `json`, `failure` and `printed`.
 */
export const GUEST = String.raw`(function () {
  'use strict';
  const { stringify, parse } = JSON;
  const { apply } = Reflect;
  const { fromCharCode } = String;
  const { toSpliced, slice } = Array.prototype;
  const { includes, slice: cut } = String.prototype;
  const { test } = RegExp.prototype, BEYOND_ASCII = /[^\x00-\x7f]/;
  const { isFinite } = Number;
  const Bytes = Uint8Array, Failure = Error, Later = Promise, Text = String;
  const LINES_MAX = 100, PRINTED_MAX = 16384, MESSAGE_MAX = 1000, STACK_MAX = 2000, PIECE = 8192;
  let printed = '', printedLines = 0, printedLength = 0;

  const short = (text, max) => (text.length > max ? apply(cut, text, [0, max]) + '…' : text);

  function shown(value) {
    try {
      if (typeof value === 'string') return value;
      const text = typeof value === 'object' && !(value instanceof Failure) ? stringify(value) : undefined;
      return text === undefined ? Text(value) : text;
    } catch {
      return 'what cannot be shown';
    }
  }

  function print(...values) {
    if (printedLines >= LINES_MAX || printedLength >= PRINTED_MAX) return;
    let line = '';
    for (let index = 0; index < values.length && line.length < PRINTED_MAX; index += 1)
      line += (index === 0 ? '' : ' ') + short(shown(values[index]), PRINTED_MAX);
    line = short(line, PRINTED_MAX - printedLength);
    printedLength += line.length + 1;
    printed += (printedLines === 0 ? '' : ',') + stringify(line);
    printedLines += 1;
  }
  const console = { log: print, info: print, warn: print, error: print, debug: print, trace: print };

  // UTF-8 as decoders of the web read it: U+FFFD for each longest beginning of a character that does not go on.
  function decodeUtf8(bytes) {
    let out = '', index = 0;
    while (index < bytes.length) {
      const first = bytes[index] & 255;
      index += 1;
      if (first < 128) { out += fromCharCode(first); continue; }
      let more = first < 194 || first > 244 ? 0 : first < 224 ? 1 : first < 240 ? 2 : 3;
      if (more === 0) { out += '�'; continue; }
      let low = first === 224 ? 160 : first === 240 ? 144 : 128, high = first === 237 ? 159 : first === 244 ? 143 : 191;
      let code = first & (63 >> more);
      while (more > 0) {
        const next = index < bytes.length ? bytes[index] & 255 : 0;
        if (next < low || next > high) break;
        code = (code << 6) | (next & 63);
        low = 128; high = 191; more -= 1; index += 1;
      }
      if (more > 0) out += '�';
      else if (code < 65536) out += fromCharCode(code);
      else out += fromCharCode(55296 + ((code - 65536) >> 10), 56320 + ((code - 65536) & 1023));
    }
    return out;
  }

  function decodeToString(bytes) {
    let out = '';
    if (bytes.length <= PIECE) out = apply(fromCharCode, Text, bytes);
    else
      for (let at = 0; at < bytes.length; at += PIECE)
        out += apply(fromCharCode, Text, apply(slice, bytes, [at, at + PIECE]));
    return apply(test, BEYOND_ASCII, [out]) ? decodeUtf8(bytes) : out;
  }
  const decodeToJson = (bytes) => parse(decodeToString(bytes));

  function described(error, kind) {
    const failure = { kind, message: '', stack: '' };
    try {
      if (error instanceof Failure) {
        failure.message = short(Text(error.name) + ': ' + Text(error.message), MESSAGE_MAX);
        failure.stack = short(Text(error.stack), STACK_MAX);
      } else failure.message = short('threw ' + shown(error), MESSAGE_MAX);
    } catch {
      failure.message = 'threw what cannot be shown';
    }
    if (failure.message === 'InternalError: out of memory') failure.kind = 'memory';
    return failure;
  }

  const answer = (name, json) => '!{' + stringify(name) + ':' + json + ',"printed":[' + printed + ']}';
  const failed = ({ kind, message, stack }) =>
    answer(
      'failure',
      '{"kind":' + stringify(kind) + ',"message":' + stringify(message) + ',"stack":' + stringify(stack) + '}',
    );
  const refused = (message) => failed({ kind: 'result', message, stack: '' });
  const finite = (name, value) => {
    if (typeof value === 'number' && !isFinite(value))
      throw new TypeError((name === '' ? 'it' : stringify(name)) + ' is ' + value + ', which JSON does not have');
    return value;
  };

  function finish(value, resultMax) {
    if (value === undefined) return refused('returned nothing');
    if (value instanceof Later) return refused('returned a promise; a script answers at once');
    let json;
    try {
      json = stringify(value);
      // A null may have been one, or a number that JSON does not have.
      if (json !== undefined && json.length <= resultMax && apply(includes, json, ['null']))
        json = stringify(value, finite);
    } catch (error) {
      const failure = described(error, 'result');
      failure.message = short('the result is no JSON: ' + failure.message, MESSAGE_MAX);
      return failed(failure);
    }
    if (json === undefined) return refused('returned a ' + typeof value + ', which JSON does not have');
    if (json.length > resultMax) return refused('the result is larger than ' + resultMax + ' bytes');
    return printedLines === 0 ? json : answer('json', stringify(json));
  }

  function argument(bytes, given) {
    if (typeof given === 'string') return parse(given);
    const length = given % ${PLACE_STEP};
    return apply(toSpliced, new Bytes(bytes, (given - length) / ${PLACE_STEP}, length), []);
  }

  return function (make, resultMax) {
    const script = make(decodeToString, decodeToJson, print, console);
    return function (bytes, first, second, third) {
      printed = '';
      printedLines = printedLength = 0;
      let value;
      try {
        const values = [argument(bytes, first)];
        if (second !== undefined) values[1] = argument(bytes, second);
        if (third !== undefined) values[2] = argument(bytes, third);
        value = apply(script, undefined, values);
      } catch (error) {
        return failed(described(error, 'error'));
      }
      try {
        return finish(value, resultMax);
      } catch (error) {
        // A script may have changed what a promise is.
        return failed(described(error, 'result'));
      }
    };
  };
})()`;
