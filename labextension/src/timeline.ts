/** A timeline's figures: where on a picture a moment is, and which part of the time is shown. */
import type { ITimeline } from './protocol';

/** From when to when, Unix time in seconds. */
export type Range = readonly [from: number, to: number];

/** The shortest stretch of time that is shown. */
const SHORTEST = 1e-4;

/** Where in a picture of this width a moment is, in pixels. */
export function toX(moment: number, range: Range, width: number): number {
  return ((moment - range[0]) / (range[1] - range[0])) * width;
}

export function toMoment(x: number, range: Range, width: number): number {
  return range[0] + (x / width) * (range[1] - range[0]);
}

/** A part of the time with its ends in order, inside the whole, and not too short to be shown. */
export function within(range: Range, whole: Range): Range {
  const [from, to] = range[0] <= range[1] ? range : [range[1], range[0]];
  const length = Math.min(Math.max(to - from, SHORTEST), whole[1] - whole[0]);
  const start = Math.min(Math.max(from, whole[0]), whole[1] - length);
  return [start, start + length];
}

/** Nearer or further around the middle, or earlier or later by a part of what is shown. */
export function moved(
  range: Range,
  whole: Range,
  by: { zoom?: number; shift?: number }
): Range {
  const length = (range[1] - range[0]) * (by.zoom ?? 1);
  const middle =
    (range[0] + range[1]) / 2 + (by.shift ?? 0) * (range[1] - range[0]);
  return within([middle - length / 2, middle + length / 2], whole);
}

/** What a lane comes to in what is shown: seconds of each phase, hits and misses. */
export function laneTotals(lane: ITimeline['lanes'][number]): {
  seconds: Record<string, number>;
  hits: number;
  misses: number;
} {
  const sum = (values: readonly number[]): number =>
    values.reduce((total, value) => total + value, 0);
  return {
    seconds: Object.fromEntries(
      Object.entries(lane.phases).map(([phase, values]) => [phase, sum(values)])
    ),
    hits: sum(lane.hits),
    misses: sum(lane.misses)
  };
}
