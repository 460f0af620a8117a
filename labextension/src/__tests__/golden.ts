/** The golden messages that the Python tests read as well. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function golden(name: string): any {
  const path = join(process.cwd(), 'tests', 'golden', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf-8'));
}
