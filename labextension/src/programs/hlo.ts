/** What XLA writes into a program's text beside the program: where its instructions came from. */

const TABLES = /^(?:FileNames|FunctionNames|FileLocations|StackFrames)$/;

/** The line (from 0) with which the first computation begins: the tables of places stand before it. */
export function afterTables(text: string): number {
  const lines = text.split('\n');
  return lines.some(line => TABLES.test(line))
    ? lines.findIndex(line => /^(?:%|ENTRY)/.test(line))
    : 0;
}

/** The program alone: of two calls from different lines the tables differ, and with them the numbers that lead into them. */
export function withoutPlaces(text: string): string {
  const lines = text.split('\n');
  const first = afterTables(text);
  const head = lines.findIndex(line => TABLES.test(line));
  const kept =
    head < 0 ? lines : [...lines.slice(0, head), ...lines.slice(first)];
  return kept
    .join('\n')
    .replace(/ ?stack_frame_id=\d+/g, '')
    .replace(/, metadata=\{\}/g, '');
}
