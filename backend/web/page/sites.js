// Sites: what boards are where, those that wait to be mapped, and those that were retired.

import { call, get } from "./api.js";
import { el, fill } from "./dom.js";
import { state, time } from "./presence.js";
import { boardForm, labelsForm, siteForm } from "./site_forms.js";
import { told } from "./words.js";

const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);
const path = (board) => `/boards/${encodeURIComponent(board.id)}`;

export function show(node, context) {
  return new Sites(node, context).load();
}

class Sites {
  constructor(node, { store }) {
    this.store = store;
    this.error = el("p", { class: "error", role: "alert" });
    this.body = el("div", { class: "sites" });
    this.dialog = el("dialog", { "aria-label": "Change" });
    node.append(el("div", { class: "view-head" }, el("h2", {}, "Sites"), el("span", { class: "space" }),
      button("Add a site", () => this.#edit({}), "primary")), this.error, this.body, this.dialog);
    for (const kind of ["boards", "site-list"]) store.addEventListener(kind, () => this.#draw());
    setInterval(() => { if (!document.hidden && !node.hidden) this.#draw(); }, 5000);
  }

  async load() {
    this.store.setSites((await get("/sites")).sites);
  }

  #draw() {
    const boards = [...this.store.boards.values()];
    const pending = boards.filter((board) => board.state === "pending_mapping");
    const retired = boards.filter((board) => board.state === "retired");
    const at = (site) => boards.filter((board) => board.state === "active" && board.site === site);
    const sites = [...this.store.sites.values()];
    fill(this.body,
      pending.length ? this.#group("Waiting to be mapped", "pending", pending, (b) => this.#pending(b)) : "",
      sites.map((site) => this.#site(site, at(site.id))),
      sites.length ? "" : el("p", { class: "quiet" }, "There are no sites yet. Boards work without one, too."),
      at(null).length ? this.#group("Without a site", "none", at(null), (b) => this.#board(b)) : "",
      retired.length ? this.#group("Retired", "retired", retired, (b) => this.#retired(b)) : "");
  }

  #group(title, name, boards, row) {
    return el("section", { class: "card site", "data-site": name, "aria-label": title },
      el("h3", {}, title), el("ul", {}, boards.map(row)));
  }

  #site(site, boards) {
    const wakes = site.wake_cron && `wakes ${site.wake_cron} (${site.timezone})`;
    const facts = [site.id !== site.name && site.id, !site.wake_cron && site.timezone, site.owner, site.programme, wakes, site.private && "private"];
    return el("section", { class: "card site", "data-site": site.id, "aria-label": site.name },
      el("div", { class: "view-head" }, el("h3", {}, site.name), el("span", { class: "space" }),
        button("Edit", () => this.#edit(site)),
        boards.length ? el("a", { class: "plain", href: `/api/v1/sites/${site.id}/labels`, target: "_blank" }, "QR codes")
          : button("Delete", () => this.#ask(`Delete the site ${site.name}?`, "DELETE", `/sites/${site.id}`))),
      el("p", { class: "quiet" }, facts.filter(Boolean).join(" · ")),
      el("ul", {}, boards.map((board) => this.#board(board))));
  }

  #row(board, about, ...buttons) {
    const [kind, words] = state(board);
    return el("li", { "data-board-row": board.id },
      el("span", { class: `dot ${kind}`, "aria-hidden": "true" }), el("b", {}, board.name),
      el("span", { class: "quiet" }, [board.name !== board.id && board.id, words, about].filter(Boolean).join(" · ")),
      el("div", { class: "buttons" }, buttons));
  }

  #board(board) {
    const next = board.online && board.sleeps && new Date(board.next_wake_at) > new Date() && `next wake ${time(board.next_wake_at)}`;
    const about = [board.labels.map((label) => `#${label}`).join(" "), next].filter(Boolean).join(" · ");
    return this.#row(board, about,
      button(board.site ? "Move" : "Map", () => this.#map(board)),
      button("Labels", () => this.#open(labelsForm(board), (asked) => call("PATCH", path(board), asked))),
      el("a", { class: "plain", href: `/api/v1${path(board)}/label.svg`, target: "_blank" }, "QR code"),
      button("Retire", () => this.#ask(`Retire ${board.name}? Its commands that wait are called off. It can be brought back.`, "POST", `${path(board)}/retire`)));
  }

  #pending(board) {
    const claims = Object.entries(board.claims).filter(([name, value]) => name !== "status" && value)
      .map(([name, value]) => `${name} ${value}`).join(", ");
    return this.#row(board, claims && `says: ${claims}`, button("Map", () => this.#map(board), "primary"));
  }

  #retired(board) {
    return this.#row(board, board.site, button("Bring back", () => this.#do("POST", `${path(board)}/restore`)));
  }

  #map(board) {
    const sites = [...this.store.sites.values()];
    if (!sites.length) return this.#say("Add a site first.");
    return this.#open(boardForm(board, sites), (asked) => call("POST", `${path(board)}/map`, asked));
  }

  #edit(site) {
    const made = (asked) => (site.id ? call("PATCH", `/sites/${site.id}`, asked) : call("POST", "/sites", asked));
    this.#open(siteForm(site), made);
  }

  #ask(question, method, address) {
    this.#open({ title: question, fields: [], read: () => undefined, word: question.split(" ")[0] },
      () => call(method, address, {}));
  }

  // A form in the dialog; what it asks for is sent, and what is wrong with it is said there.
  #open({ title, fields, read, word }, ask) {
    const error = el("p", { class: "error", role: "alert" });
    const form = el("form", { class: "stack" }, el("h2", {}, title), fields, error,
      el("div", { class: "buttons" }, el("button", { class: "primary", type: "submit" }, word),
        button("Cancel", () => this.dialog.close())));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await ask(read(form));
        await this.load();
        this.#say("");
        this.dialog.close();
      } catch (why) {
        error.textContent = told(why);
      }
    });
    this.dialog.replaceChildren(form);
    this.dialog.showModal();
  }

  async #do(method, address) {
    await call(method, address, {}).then(() => this.#say(""), (why) => this.#say(told(why)));
  }

  #say(text) {
    this.error.textContent = text;
  }
}
