// The bell: how many boards fail again and again just now. The health view tells more.

import { get } from "./api.js";

export class Bell {
  #open = new Set(); // ids of alerts
  #told = 0; // how many events there were

  constructor(node, store) {
    this.node = node;
    store.addEventListener("alert", ({ detail }) => {
      this.#told += 1;
      if (detail.until_at === null) this.#open.add(detail.id);
      else this.#open.delete(detail.id);
      this.#draw();
    });
  }

  // Everything anew: what the stream told of while it was lost.
  async load() {
    const told = this.#told;
    const { alerts } = await get("/alerts?limit=200");
    if (told !== this.#told) return this.load(); // the stream has told of something newer
    this.#open = new Set(alerts.filter((one) => one.until_at === null).map((one) => one.id));
    return this.#draw();
  }

  #draw() {
    const count = this.#open.size;
    this.node.hidden = count === 0;
    this.node.textContent = count === 1 ? "1 alert" : `${count} alerts`;
  }
}
