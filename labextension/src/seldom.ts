/** Something that is done after it was asked for, once for all who asked, and at most once a second. */
import type { IDisposable } from '@lumino/disposable';

const PAUSE_MS = 1000;
const AFTER_MS = 100;

export class Seldom implements IDisposable {
  /** What `_act` cannot do is not worth a word: it is asked for again. */
  constructor(
    private readonly _act: () => Promise<void>,
    private readonly _clock: () => number = () => performance.now()
  ) {}

  get isDisposed(): boolean {
    return this._disposed;
  }

  ask(): void {
    if (this._timer === undefined && !this._disposed) {
      const wait = Math.max(AFTER_MS, this._last + PAUSE_MS - this._clock());
      this._timer = setTimeout(() => {
        this._timer = undefined;
        this._last = this._clock();
        this._act().catch(() => {});
      }, wait);
    }
  }

  dispose(): void {
    this._disposed = true;
    clearTimeout(this._timer);
    this._timer = undefined;
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _last = -Infinity;
  private _disposed = false;
}
