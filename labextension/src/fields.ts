/** What arrives, read field by field: of the right type, or refused. */
import type { IPlace } from './protocol';

/** A message that is not one of ours; `newer` where only the version is the matter. */
export class ProtocolError extends Error {
  constructor(
    message: string,
    readonly newer = false
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}

export type Fields = Record<string, unknown>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(value: unknown, what: string): Fields {
  if (!isObject(value)) {
    throw new ProtocolError(`${what} is not an object`);
  }
  return value;
}

export function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') {
    throw new ProtocolError(`${key} is not a text`);
  }
  return value;
}

export function number(fields: Fields, key: string): number {
  const value = fields[key];
  if (!isNumber(value)) {
    throw new ProtocolError(`${key} is not a number`);
  }
  return value;
}

export function maybeNumber(fields: Fields, key: string): number | null {
  const value = fields[key];
  return isNumber(value) ? value : null;
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function maybeText(fields: Fields, key: string): string | null {
  const value = fields[key];
  return typeof value === 'string' ? value : null;
}

export function flag(fields: Fields, key: string): boolean {
  return fields[key] === true;
}

export function list(fields: Fields, key: string): unknown[] {
  const value = fields[key] ?? [];
  if (!Array.isArray(value)) {
    throw new ProtocolError(`${key} is not a list`);
  }
  return value;
}

export function ids(fields: Fields, key: string): number[] {
  return list(fields, key).filter((id): id is number => typeof id === 'number');
}

export function numbers(fields: Fields, key: string): number[] {
  return list(fields, key).map(value => (isNumber(value) ? value : 0));
}

export function texts(fields: Fields, key: string): string[] {
  return list(fields, key).map(String);
}

export function place(fields: Fields): IPlace {
  return {
    cell: maybeNumber(fields, 'cell'),
    file: text(fields, 'file'),
    line: number(fields, 'line')
  };
}
