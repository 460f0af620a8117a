import { describe, expect, it } from 'vitest';

import { bytes, count, duration, durations, percent } from '../format';
import { golden } from './golden';

const AMOUNTS = golden('amounts');

describe('numbers as a person reads them', () => {
  it('durations and sizes read as those of %jitstats', () => {
    for (const { value, text } of AMOUNTS.durations) {
      expect(duration(value)).toBe(text);
    }
    for (const { value, text } of AMOUNTS.sizes) {
      expect(bytes(value)).toBe(text);
    }
    for (const { value, text } of AMOUNTS.percents) {
      expect(percent(value)).toBe(text);
    }
    expect(duration(NaN)).toBe('–');
  });

  it('a range names its unit once', () => {
    expect(durations([7.9e-6, 8.1e-6])).toBe('7.9–8.1 µs');
    expect(durations([7.9e-6, 1e-3])).toBe('7.9 µs – 1.0 ms');
    expect(durations([7.9e-6, 7.91e-6])).toBe('7.9 µs');
    expect(durations(null)).toBe('–');
  });

  it.each([
    [0, '0'],
    [9999, '9999'],
    [120_032, '120k'],
    [12_345, '12k'],
    [1_500_000, '1.5M']
  ])('count %s is %s', (value, text) => {
    expect(count(value)).toBe(text);
  });
});
