// The page's parts beside the boards. Each is a module, loaded when it is first shown, with
// `show(node, context)`: it fills the node and keeps it fresh while the node is visible.
// context: {store, session}. The address says what is shown (#people), so that it can be linked to.

import { el } from "./dom.js";
import { isAdmin, looksAfterPeople } from "./rights.js";

// name (of its module, and in the address): {title, role: who is offered it}
const VIEWS = {
  sensors: { title: "Sensors", role: "viewer" },
  automations: { title: "Automations", role: "viewer" },
  schedules: { title: "Schedules", role: "viewer" },
  scenes: { title: "Scenes", role: "viewer" },
  pictures: { title: "Pictures", role: "viewer" },
  rollouts: { title: "Rollouts", role: "viewer" },
  health: { title: "Health", role: "viewer" },
  sites: { title: "Sites", role: "site admin" },
  connections: { title: "Connections", role: "site admin" },
  topics: { title: "Topics", role: "admin" },
  people: { title: "People", role: "site admin" },
  account: { title: "Account", role: "viewer" },
};

const OFFERED = { admin: isAdmin, "site admin": looksAfterPeople };

export class Views {
  #shown = new Map(); // name -> its node

  constructor(nav, home, place, context) {
    Object.assign(this, { nav, home, place, context });
    const offered = (name) => OFFERED[VIEWS[name].role]?.(context.session) ?? true;
    this.names = Object.keys(VIEWS).filter(offered);
    addEventListener("hashchange", () => this.#show());
    this.#show();
  }

  async #show() {
    const name = location.hash.slice(1).split("/")[0];
    const known = this.names.includes(name);
    this.#mark(known ? name : "");
    this.home.hidden = known;
    for (const [other, node] of this.#shown) node.hidden = other !== name;
    if (!known || this.#shown.has(name)) return;
    const node = el("section", { id: `view-${name}` });
    this.#shown.set(name, node);
    this.place.append(node);
    const view = await import(`./${name}.js`);
    await view.show(node, this.context);
  }

  #mark(current) {
    const link = (name, title) =>
      el("a", { href: `#${name}`, "aria-current": name === current ? "page" : null }, title);
    this.nav.replaceChildren(link("", "Boards"), ...this.names.map((n) => link(n, VIEWS[n].title)));
    this.nav.hidden = this.names.length === 0;
    const [here, all] = [this.nav.querySelector("[aria-current]"), this.nav];
    all.scrollLeft = here.offsetLeft - all.offsetLeft - (all.clientWidth - here.clientWidth) / 2;
  }
}
