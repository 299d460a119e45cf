// Small pictures, and the newest one of each board.

import { get } from "./api.js";
import { el } from "./dom.js";
import { when } from "./words.js";

const AGAIN_MS = 3000;

export const hasCamera = (store, board) => (store.dialects[board.dialect]
  ? "capture_image" in store.dialects[board.dialect].verbs : board.has.includes("camera"));

// The thumbnail of a picture; where there is none, words. It may be that too many are being made
// just now, so it is asked for twice.
export function thumbnail(one) {
  const image = el("img", { loading: "lazy", src: one.thumbnail, alt: `Picture of ${one.board_id}, ${when(one.at)}` });
  let tries = 0;
  image.addEventListener("error", () => {
    tries += 1;
    if (tries === 1) setTimeout(() => { image.src = one.thumbnail; }, AGAIN_MS);
    else image.replaceWith(el("span", { class: "none quiet" }, "No preview"));
  });
  return image;
}

// Knows the newest picture of each board; `changed(board id)` is called where there is another.
export class Newest {
  #of = new Map(); // board id -> picture

  constructor(store, changed) {
    this.changed = changed;
    store.addEventListener("opened", () => this.load());
    store.addEventListener("picture", ({ detail }) => this.#told(detail));
  }

  get(boardId) {
    return this.#of.get(boardId);
  }

  async load() {
    const { pictures } = await get("/pictures").catch(() => ({ pictures: [] }));
    const before = [...this.#of.keys()];
    this.#of = new Map(pictures.map((one) => [one.board_id, one]));
    for (const id of new Set([...before, ...this.#of.keys()])) this.changed(id);
  }

  #told(picture) {
    const known = this.#of.get(picture.board_id);
    if (picture.gone) {
      if (known?.image_id === picture.image_id) this.load();
    } else if (!(known?.at > picture.at)) {
      this.#of.set(picture.board_id, picture);
      this.changed(picture.board_id);
    }
  }
}
