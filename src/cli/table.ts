/** Rows as aligned columns, the first row being the heads; each on one line, whatever its cells hold. */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(onOneLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Characters that would move what stands behind them, or do something to a terminal, as JSON escapes them. */
function onOneLine(cell: string): string {
  return cell.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
}
