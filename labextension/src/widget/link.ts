/**
 * The panel's conversation with the kernel over a widget's own comm. Every view of the widget hears every message; one that is
 * meant for a single view names it.
 */
import type { AnyModel } from '@anywidget/types';

import { Conversation } from '../conversation';
import type { PanelModel } from '../model';
import { type IReply, type IRequest, VERSION } from '../protocol';

/** After so many milliseconds without an answer "waits for the running cell" is told; and the question is put again. */
const PATIENCE = [600, 2500, 10_000, 30_000];
/** So often a kernel that says nothing is asked whether it is there. */
const BEAT_MS = 15_000;

export class WidgetLink {
  constructor(
    private readonly _widget: AnyModel,
    private readonly _model: PanelModel,
    private readonly _beat = BEAT_MS
  ) {
    this._talk = new Conversation(_model, this._send);
    this._widget.on('msg:custom', this._onMessage);
    // told where the front end knows that the kernel is gone or another one; no part of the interface that every host has: where it is
    // never told, the kernel's silence is found out
    this._widget.on('comm_live_update', this._onLost);
    this._timer = setInterval(() => this._isThere(), this._beat);
    this._open(0);
  }

  dispose(): void {
    if (!this._disposed) {
      this._send('close');
      this._disposed = true;
      clearInterval(this._timer);
      clearTimeout(this._again);
      this._talk.end('the panel was closed');
      this._widget.off('msg:custom', this._onMessage);
      this._widget.off('comm_live_update', this._onLost);
    }
  }

  /** Ask the kernel for something; rejects with its one plain line, or when the link ends. */
  request = (
    op: string,
    args: IRequest['args'] = {}
  ): Promise<IReply['data']> => this._talk.ask(op, args);

  /** Ask for everything, again and again until it comes: a kernel that is at work on a cell may hear of it only at the cell's end. */
  private _open(times: number): void {
    if (times === 0) {
      this._model.setLink('connecting');
    }
    this._send('open', { subshell: null, counts: false });
    clearTimeout(this._again);
    this._again = setTimeout(
      () => {
        this._model.setLink('waiting');
        this._open(times + 1);
      },
      PATIENCE[Math.min(times, PATIENCE.length - 1)]
    );
  }

  private readonly _send = (
    op: string,
    args: IRequest['args'] = {},
    id = ''
  ): void => {
    const request: IRequest = { v: VERSION, op, id, panel: this._panel, args };
    try {
      this._widget.send(request);
    } catch {
      this._model.setLink('lost'); // the front end has no comm any more
    }
  };

  private readonly _onMessage = (content: {
    panel?: unknown;
    message?: unknown;
  }): void => {
    if (content.panel !== '' && content.panel !== this._panel) {
      return;
    }
    const heard = this._talk.hear(content.message);
    if (heard) {
      this._heard = performance.now();
    }
    if (heard?.t === 'snapshot') {
      clearTimeout(this._again);
    } else if (heard?.t === 'unloaded') {
      this._talk.end('jupyter_jitmagic was unloaded');
      this._model.clear('unloaded');
    }
  };

  private readonly _onLost = (): void => {
    clearTimeout(this._again);
    this._talk.end('the connection to the kernel ended');
    this._model.setLink('lost');
  };

  /** No front end tells every end of a kernel: what has been silent is asked, and what does not answer is not called live. */
  private _isThere(): void {
    const silent = performance.now() - this._heard;
    if (!this._talk.isLive || document.hidden || silent < this._beat) {
      return;
    }
    if (this._asked > this._heard) {
      this._model.setLink('waiting');
      return;
    }
    this._asked = performance.now();
    this.request('here').then(
      () => this._model.state.link !== 'live' && this._open(0),
      () => {
        // the link ended, and says so itself
      }
    );
  }

  private readonly _panel = `jitmagic-widget-${Math.random().toString(36).slice(2)}`;
  private readonly _timer: ReturnType<typeof setInterval>;
  private _again: ReturnType<typeof setTimeout> | undefined;
  private _disposed = false;
  private _heard = performance.now();
  /** When it was last asked whether the kernel is there. */
  private _asked = 0;
  private readonly _talk: Conversation;
}
