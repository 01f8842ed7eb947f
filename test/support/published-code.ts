import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where published documents lie whose code must run as it is; they are not part of the package. */
const DOCUMENTS = resolve(process.env['MILLRACE_SEEDS'] ?? '../shared/seeds');

/** Why a test that needs the documents is skipped; false when they are there. */
export const documentsMissing: string | false = documents().length === 0 ? `no documents in ${DOCUMENTS}` : false;

/** The document that holds these words; undefined when none does. */
export function documentWith(words: string): string | undefined {
  return documents().find((one) => one.includes(words));
}

/** The pieces of highlighted code in that language of the document with that title, in their order. */
export function highlighted(title: string, language: string): readonly string[] {
  const text = documentWith(title) ?? '';
  const piece = new RegExp(`\\{% highlight ${language} %\\}\\n([\\s\\S]*?)\\{% endhighlight %\\}`, 'g');
  return [...text.matchAll(piece)].map(([, code = '']) => code);
}

/** The indented blocks of code in that language of the document with that title, in their order, without the indent. */
export function codeBlocks(title: string, language: string): readonly string[] {
  const text = documentWith(title) ?? '';
  const block = new RegExp(`^( *)\\.\\. code-block:: ${language}\\n\\s*\\n((?:\\1 +.*\\n|\\s*\\n)+)`, 'gm');
  return [...text.matchAll(block)].map(([, , code = '']) => {
    const indent = /^ */.exec(code)?.[0] ?? '';
    return code.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim();
  });
}

function documents(): readonly string[] {
  try {
    return readdirSync(DOCUMENTS).map((name) => readFileSync(join(DOCUMENTS, name), 'utf8'));
  } catch {
    return [];
  }
}
