/** What stands on top of every page. */
export function head(title: string, about: string): string {
  return `# ${title}\n\n<!-- Written by \`npm run reference\` from the sources; changes by hand are lost. -->\n\n${about.trim()}\n`;
}

/** A table; cells may hold any text. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(line), ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}

/** As code, several with commas between them. */
export function code(...names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
