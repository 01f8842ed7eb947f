/** Texts of paths with `/`. */

/** The folder above; `/` above what stands in it. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

/**
 * The name of a file or folder that stands for any text. What a file system would not keep as it is (`..`, an empty
 * text, control characters, a leading dot, `%`) is written as `%XX`: none leaves its folder, none is mistaken for
 * another. `textOfFileName` reads it back.
 */
export function fileName(text: string): string {
  if (text === '') return '%';
  const escaped = text.replaceAll(/[\p{Cc}%\\:*?"<>|]/gu, (character) => percent(character.charCodeAt(0)));
  return escaped.startsWith('.') ? percent(46) + escaped.slice(1) : escaped;
}

/** The text that a name of `fileName` stands for. */
export function textOfFileName(name: string): string {
  if (name === '%') return '';
  return name.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function percent(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}
