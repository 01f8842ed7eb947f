import { didYouMean } from './did-you-mean.ts';

/** What to say of a name that stands in no section of the file, in a sentence; undefined when it does. */
export function unknownName(what: 'stream' | 'function', name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const hint = didYouMean(name, known);
  const otherwise = what === 'stream' ? 'it has to be made through the API' : 'nothing can run it';
  return `the file has no ${what} ${name}: ${hint === '' ? otherwise : hint}`;
}
