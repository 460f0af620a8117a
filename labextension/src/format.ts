/**
 * Numbers as a person reads them: `38 ms`, `5.1 µs`, `1.2 MB`; a dash where nothing is known. Durations and sizes read as
 * in %jitstats (`base/wording.py`).
 */

export const UNKNOWN = '–';

/** Two digits that mean something, or all before the point. */
function significant(value: number): string {
  return value.toFixed(value < 9.95 ? 1 : 0);
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return UNKNOWN;
  }
  if (seconds <= 0) {
    return '0 s';
  }
  if (seconds >= 59.95) {
    const whole = Math.round(seconds);
    const minutes = Math.floor(whole / 60);
    return minutes < 60
      ? `${minutes} min ${whole % 60} s`
      : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  if (seconds >= 0.9995) {
    return `${significant(seconds)} s`;
  }
  if (seconds >= 0.9995e-3) {
    return `${significant(seconds / 1e-3)} ms`;
  }
  if (seconds >= 0.9995e-6) {
    return `${significant(seconds / 1e-6)} µs`;
  }
  return `${significant(seconds / 1e-9)} ns`;
}

/** A range of durations; one where both read alike. */
export function durations(range: readonly [number, number] | null): string {
  if (range === null) {
    return UNKNOWN;
  }
  const [low, high] = [duration(range[0]), duration(range[1])];
  if (low === high) {
    return low;
  }
  const [number, unit] = low.split(' ');
  return high.endsWith(` ${unit}`) && low.split(' ').length === 2
    ? `${number}–${high}`
    : `${low} – ${high}`;
}

export function count(value: number): string {
  if (value < 10_000) {
    return String(value);
  }
  if (value < 999_500) {
    return `${significant(value / 1e3)}k`;
  }
  if (value < 999_500_000) {
    return `${significant(value / 1e6)}M`;
  }
  return `${significant(value / 1e9)}G`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return UNKNOWN;
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let index = 0;
  while (value >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${index === 0 ? value.toFixed(0) : significant(value)} ${units[index]}`;
}

/** A sum of what is known; `whole`: nothing is missing in it. */
export function bytesTogether(value: number | null, whole: boolean): string {
  return value === null || whole ? bytes(value) : `≥ ${bytes(value)}`;
}

/** Nearly all is not called all, and hardly any is not called none. */
export function percent(part: number | null): string {
  if (part === null || !Number.isFinite(part)) {
    return UNKNOWN;
  }
  const whole = Math.round(part * 100);
  if (part < 1 && whole >= 100) {
    return '>99 %';
  }
  return part > 0 && whole <= 0 ? '<1 %' : `${whole} %`;
}

/** The time of day of a Unix moment in seconds. */
export function clock(moment: number | null): string {
  return moment === null
    ? UNKNOWN
    : new Date(moment * 1000).toLocaleTimeString(undefined, {
        hour12: false
      });
}

/** A text for a place of one line: nobody sees more of it, and the browser need not lay it out. */
export function shortened(text: string, limit = 300): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`;
}
