import { Int32, type Document } from 'bson';
import { PeerError, unsupported } from '../errors.ts';
import { BY_SCRIPT } from '../fail-points.ts';
import { projected, sorted } from '../shape.ts';
import { changed, hasOperators, upserted, type Change } from '../update.ts';
import { isOn, wholeNumber } from '../values.ts';
import { checkFields, collectionOf, documentIn, documentsIn, type Call, type Command } from './command.ts';

const STATEMENTS_MAX = 100_000;
/** An answer is one message: errors beyond this number are as good as those before. */
const ERRORS_MAX = 1000;

/** Documents, each with an _id that is not there yet. */
export const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  isRetryable: true,
  run(call) {
    const name = collectionOf(call, 'insert');
    let n = 0;
    const errors = eachStatement(call, documentsIn(call.body, 'documents'), (document) => {
      call.state.store.insert(call.database, name, document);
      n += 1;
    });
    return { n: new Int32(n), ...errors };
  },
};

/** Changes by operators or new documents, of one or all that fit, or of a new one when none does. */
export const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation'],
  isRetryable: true,
  run(call) {
    const name = collectionOf(call, 'update');
    let [n, nModified] = [0, 0];
    const added: Document[] = [];
    const errors = eachStatement(call, documentsIn(call.body, 'updates'), (statement, index) => {
      const result = updateOf(call, name, statement);
      n += result.n;
      nModified += result.nModified;
      if (result.id !== undefined) added.push({ index: new Int32(index), _id: result.id });
    });
    return {
      n: new Int32(n),
      nModified: new Int32(nModified),
      ...(added.length > 0 && { upserted: added }),
      ...errors,
    };
  },
};

/** One or all that fit go. */
export const remove: Command = {
  fields: ['deletes', 'ordered'],
  isRetryable: true,
  run(call) {
    const { database, state } = call;
    const name = collectionOf(call, 'delete');
    let n = 0;
    const errors = eachStatement(call, documentsIn(call.body, 'deletes'), (statement) => {
      checkFields(statement, ['q', 'limit'], 'delete.deletes');
      const limit = wholeNumber(statement['limit'], 'limit');
      const found = state.store.find(database, name, documentIn(statement, 'q'));
      for (const document of limit === 0 ? found : found.slice(0, 1)) {
        state.store.remove(database, name, document);
        n += 1;
      }
    });
    return { n: new Int32(n), ...errors };
  },
};

/** One document that is changed, inserted or removed, and given back as it was, or is then. */
export const findAndModify: Command = {
  fields: ['query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'bypassDocumentValidation'],
  isRetryable: true,
  run(call) {
    const { body, database, state } = call;
    const name = collectionOf(call, 'findAndModify');
    const filter = documentIn(body, 'query');
    const [old] = sorted(state.store.find(database, name, filter), body['sort']);
    if (isOn(body['remove'] ?? false)) {
      if (old !== undefined) state.store.remove(database, name, old);
      return modified(old === undefined ? 0 : 1, undefined, old);
    }
    const change = changeOf(call, body['update'], old === undefined);
    if (old === undefined && !isOn(body['upsert'] ?? false)) return modified(0, { updatedExisting: false }, undefined);
    if (old === undefined) {
      const inserted = state.store.insert(database, name, upserted(filter, change));
      const value = isOn(body['new'] ?? false) ? inserted : undefined;
      return modified(1, { updatedExisting: false, upserted: inserted['_id'] as unknown }, value);
    }
    const after = changed(old, change);
    state.store.replace(database, name, old, after, !hasOperators(change.update));
    return modified(1, { updatedExisting: true }, isOn(body['new'] ?? false) ? after : old);

    function modified(n: number, more: Document | undefined, value: Document | undefined): Document {
      const shown = value === undefined ? null : projected(value, body['fields']);
      return { lastErrorObject: { n: new Int32(n), ...more }, value: shown };
    }
  },
};

function updateOf(call: Call, name: string, statement: Document): { n: number; nModified: number; id?: unknown } {
  checkFields(statement, ['q', 'u', 'upsert', 'multi'], 'update.updates');
  const { database, state } = call;
  const filter = documentIn(statement, 'q');
  const isMany = isOn(statement['multi'] ?? false);
  const isReplacement = !hasOperators(statement['u']);
  if (isMany && isReplacement) {
    throw new PeerError('FailedToParse', 'multi update is not supported for replacement-style update');
  }
  const found = state.store.find(database, name, filter);
  if (found.length === 0 && isOn(statement['upsert'] ?? false)) {
    const document = state.store.insert(database, name, upserted(filter, changeOf(call, statement['u'], true)));
    return { n: 1, nModified: 0, id: document['_id'] };
  }
  const targets = isMany ? found : found.slice(0, 1);
  const change = changeOf(call, statement['u'], false);
  const hits = targets.filter((old) => state.store.replace(database, name, old, changed(old, change), isReplacement));
  return { n: targets.length, nModified: hits.length };
}

function changeOf({ state }: Call, update: unknown, isInsert: boolean): Change {
  return { update, isInsert, now: state.now() };
}

/** Runs the statements one by one; what is refused is told by its place, and ends an ordered command. */
function eachStatement(
  { body, failure }: Call,
  statements: readonly Document[],
  run: (statement: Document, index: number) => void,
): { writeErrors?: Document[] } {
  if (statements.length === 0 || statements.length > STATEMENTS_MAX) {
    throw new PeerError(
      'BadValue',
      `Write batch sizes must be between 1 and ${STATEMENTS_MAX}. Got ${statements.length}`,
    );
  }
  const isOrdered = isOn(body['ordered'] ?? true);
  const errors: Document[] = [];
  for (const [index, statement] of statements.entries()) {
    if (failure?.writeErrorAt === index) {
      const { errorCode = 0, errorMessage = BY_SCRIPT } = failure;
      errors.push({ index: new Int32(index), code: new Int32(errorCode), errmsg: errorMessage });
      if (isOrdered) break;
      continue;
    }
    try {
      run(statement, index);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      if (errors.length >= ERRORS_MAX) throw unsupported(`more than ${ERRORS_MAX} errors of one command`);
      const { code, message, details } = error;
      errors.push({ index: new Int32(index), code: new Int32(code), ...details, errmsg: message });
      if (isOrdered) break;
    }
  }
  return errors.length > 0 ? { writeErrors: errors } : {};
}
