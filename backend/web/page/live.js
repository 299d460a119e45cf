// The event stream: what has changed, as it changes. Lost streams come back by themselves.

const AGAIN_MS = 3000;
// Kinds of events that only some views wait for.
const OTHER = ["sites", "connection", "alert", "automation", "schedule", "run", "scene", "picture", "rollout"];

export class Live {
  #source = null;
  #timer = null;

  // handlers: {open, command, board, reset, other, lost, refused}
  constructor(handlers) {
    this.handlers = handlers;
  }

  start() {
    this.stop();
    const source = new EventSource("/api/v1/events");
    this.#source = source;
    for (const kind of ["command", "board", "reset"]) {
      source.addEventListener(kind, (event) => this.handlers[kind](JSON.parse(event.data)));
    }
    for (const kind of OTHER) {
      source.addEventListener(kind, (event) => this.handlers.other(kind, JSON.parse(event.data)));
    }
    source.onopen = () => this.handlers.open();
    source.onerror = () => this.#failed(source);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  // A broken connection is tried again by the browser; an answer that refuses is not.
  #failed(source) {
    if (source !== this.#source) return;
    this.handlers.lost();
    if (source.readyState !== EventSource.CLOSED) return;
    this.#timer = setTimeout(() => this.start(), AGAIN_MS);
    this.handlers.refused();
  }
}
