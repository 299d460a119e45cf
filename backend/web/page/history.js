// The history: a table with filters that grows downwards by pages and upwards by itself; it drops
// the oldest rows where it has more than somebody asked for.

import { get } from "./api.js";
import { chip, el, options } from "./dom.js";
import { duration, ended, explain, labelOf, when } from "./words.js";

const ROWS_MAX = 200;

export class History {
  #rows = new Map(); // command id -> table row
  #next = null;
  #asked = 0;
  #limit = ROWS_MAX;

  constructor(table, form, older, empty, store, statuses) {
    Object.assign(this, { body: table.tBodies[0], form, older, empty, store });
    options(form.elements.status, "All", statuses.map((status) => [status, status]));
    form.addEventListener("change", () => this.load());
    form.addEventListener("reset", () => setTimeout(() => this.load()));
    older.addEventListener("click", () => this.#more());
    store.addEventListener("command", ({ detail }) => this.#changed(detail));
    store.addEventListener("boards", () => this.#boardNames());
  }

  // Everything anew, as the filters say.
  async load() {
    const asked = ++this.#asked;
    const page = await get(this.#address());
    if (asked !== this.#asked) return;
    this.#limit = ROWS_MAX;
    this.#rows.clear();
    this.body.replaceChildren();
    this.#append(page);
    this.#addNewer();
  }

  #address(more = []) {
    const chosen = [...new FormData(this.form)].filter(([, value]) => value);
    return `/commands?${new URLSearchParams([...chosen, ...more])}`;
  }

  // What the stream told of while the page was on its way.
  #addNewer() {
    const newer = [...this.store.commands.values()]
      .filter((command) => command.seq > this.#newest() && this.#fits(command))
      .sort((a, b) => a.seq - b.seq);
    for (const command of newer) this.#place(command, "prepend");
    this.#noteEmpty();
  }

  async #more() {
    this.older.disabled = true;
    const asked = this.#asked;
    const next = this.#next;
    const page = await get(next).finally(() => { this.older.disabled = false; });
    if (asked !== this.#asked || next !== this.#next) return; // other rows stand there now
    this.#append(page);
    this.#limit = Math.max(ROWS_MAX, this.#rows.size);
  }

  #append(page) {
    this.#next = page.next;
    this.older.hidden = page.next === null;
    for (const found of page.commands) this.#place(this.store.put(found), "append");
    this.#noteEmpty();
  }

  #place(command, how) {
    if (this.#rows.has(command.id)) return this.#draw(command);
    const row = el("tr", { "data-command": command.id, "data-seq": command.seq });
    this.#rows.set(command.id, row);
    this.body[how](row);
    return this.#draw(command);
  }

  #draw(command) {
    const row = this.#rows.get(command.id);
    const why = explain(command);
    const name = labelOf(command, this.store.verbsOf(command.board_id));
    row.replaceChildren(
      el("td", { class: "time" }, when(command.created_at)),
      el("td", { class: "what" },
        el("button", { type: "button", class: "link", "data-command": command.id }, name),
        why && el("span", { class: "quiet why" }, why)),
      el("td", { class: "where" }, command.board_id, command.target && el("span", { class: "quiet" }, ` ${command.target}`)),
      el("td", { class: "status" }, chip(command.status)),
      el("td", { class: "took" }, ended(command) ? duration(new Date(command.updated_at) - new Date(command.created_at)) : "…"),
      el("td", { class: "by" }, command.user),
    );
  }

  #changed(command) {
    if (this.#rows.has(command.id)) {
      if (this.#fits(command)) this.#draw(command);
      else this.#remove(command.id);
    } else if (this.#fits(command) && command.seq > this.#newest()) {
      this.#place(command, "prepend");
      this.#trim();
    }
    this.#noteEmpty();
  }

  #trim() {
    if (this.#rows.size <= this.#limit) return;
    while (this.#rows.size > this.#limit) this.#remove(this.#last().command);
    this.#next = this.#address([["before", this.#last().seq]]);
    this.older.hidden = false;
  }

  #last() {
    return this.body.lastElementChild.dataset;
  }

  #remove(id) {
    this.#rows.get(id).remove();
    this.#rows.delete(id);
  }

  #newest() {
    return Number(this.body.rows[0]?.dataset.seq ?? 0);
  }

  #fits(command) {
    return [...new FormData(this.form)].every(([name, value]) => !value || command[name] === value);
  }

  #noteEmpty() {
    this.empty.hidden = this.#rows.size > 0;
  }

  #boardNames() {
    options(this.form.elements.board_id, "All", [...this.store.boards.keys()].map((id) => [id, id]));
    const types = Object.keys(this.store.verbs).map((type) => [type, type.replaceAll("_", " ")]);
    options(this.form.elements.command_type, "All", types);
  }
}
