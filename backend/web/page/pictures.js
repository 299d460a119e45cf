// The pictures of one board, newest first, as they come; one of them large, with its facts.

import { plainButton } from "./actions.js";
import { call, get, newKey, post } from "./api.js";
import { chip, el, fill } from "./dom.js";
import { onItsWay } from "./groups.js";
import { may } from "./rights.js";
import { hasCamera, thumbnail } from "./thumbnails.js";
import { clock, explain, told, when } from "./words.js";

const PAGE = 60;
const REFRESH_MS = 30000;
const ZIP = { bytes: 16e6, pictures: 100 }; // what one file may hold

const newestFirst = (a, b) => b.at.localeCompare(a.at) || b.id - a.id;
const day = (one) => new Date(one.at).toLocaleDateString(undefined,
  { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const place = (one) => `/boards/${one.board_id}/pictures/${one.image_id}`;
const address = (board, image = "") => `#pictures/${board}${image && `/${image}`}`;

export function show(node, context) {
  return new Pictures(node, context).start();
}

class Pictures {
  #shown = new Map(); // image id -> picture
  #nodes = new Map(); // "id version" -> its button
  #asked = 0;
  #heard = 0; // events of pictures
  #large = null; // the one in the dialog
  #sure = false; // that it is to be deleted

  constructor(node, { store, session }) {
    Object.assign(this, { node, store, session, board: null, next: null });
    this.select = el("select", { "aria-label": "Board", onchange: () => { location.hash = address(this.select.value); } });
    this.take = plainButton("capture_image", () => this.#take(), "primary");
    this.state = el("div", { class: "result", "aria-live": "polite" });
    this.error = el("p", { class: "error", role: "alert" });
    this.coming = el("div", { class: "coming", "aria-live": "polite" });
    this.days = el("div", { class: "days" });
    this.older = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#load(this.next) }, "Older");
    this.dialog = el("dialog", { class: "large", "aria-labelledby": "picture-title" });
    node.append(el("div", { class: "view-head" }, el("h2", {}, "Pictures"), this.select, this.take),
      this.state, this.error, this.coming, this.days, el("p", { class: "more" }, this.older), this.dialog);
  }

  async start() {
    this.newest = await get("/pictures").then(({ pictures }) => pictures, () => []);
    this.store.addEventListener("boards", () => this.#boards());
    this.store.addEventListener("command", ({ detail }) => { if (detail.board_id === this.board) this.#taken(); });
    this.store.addEventListener("picture", ({ detail }) => this.#told(detail));
    this.store.addEventListener("opened", () => this.#load());
    addEventListener("hashchange", () => this.#go());
    this.dialog.addEventListener("close", () => this.#closed());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    addEventListener("keydown", (event) => {
      const step = this.dialog.open && { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) this.#turn(step);
    });
    setInterval(() => { if (!document.hidden && !this.node.hidden) this.#load(); }, REFRESH_MS);
    this.#boards();
    await this.#go();
  }

  // The boards that have a camera, or pictures.
  #cameras() {
    const seen = new Set(this.newest.map((one) => one.board_id));
    return [...this.store.boards.values()].filter((one) => seen.has(one.id) || hasCamera(this.store, one))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  #boards() {
    const boards = this.#cameras();
    const first = boards[0];
    const names = JSON.stringify(boards.map((one) => [one.id, one.name]));
    this.select.hidden = !first;
    if (this.listed !== names) this.select.replaceChildren(...boards.map((one) => el("option", { value: one.id }, one.name)));
    this.listed = names;
    if (this.board) this.select.value = this.board;
    const board = this.store.boards.get(this.board);
    const commands = board && board.state === "active" && hasCamera(this.store, board);
    this.take.hidden = !(commands && may(this.session, "operator", board.site));
    fill(this.coming, Object.entries(board?.pictures ?? {}).sort().map(onItsWay));
    if (!this.board && first && location.hash === "#pictures") this.#go();
    if (!first) this.#empty("No board has a camera yet. One with a camera.json on its flash shows what it takes here.");
  }

  // The address says which board, and which of its pictures is shown large.
  async #go() {
    const [view, board, image] = location.hash.slice(1).split("/");
    if (view !== "pictures") return this.dialog.close();
    const wanted = board || this.board || this.#cameras()[0]?.id;
    if (!wanted) return null;
    if (wanted !== this.board) {
      Object.assign(this, { board: wanted, next: null, paged: false });
      this.#shown.clear();
      this.#nodes.clear();
      this.days.replaceChildren();
      this.#boards();
      this.#taken();
      await this.#load();
    }
    if (!image) return this.dialog.close();
    const found = this.#shown.get(image) ?? await get(place({ board_id: this.board, image_id: image })).catch(() => null);
    if (found) return this.#open(found);
    this.error.textContent = "This picture is not here: it has not come yet, or was deleted.";
    return null;
  }

  async #load(page = null) {
    if (!this.board) return null;
    const [asked, heard] = [++this.#asked, this.#heard];
    try {
      const { pictures, next } = await get(page ?? `/boards/${this.board}/pictures?limit=${PAGE}`);
      if (asked !== this.#asked) return null;
      if (heard !== this.#heard) return this.#load(page); // the stream has told of something newer
      if (!page) this.#forget(pictures, next);
      if (page || !this.paged) this.next = next;
      this.paged ||= !!page;
      for (const one of pictures) this.#shown.set(one.image_id, one);
      this.error.textContent = "";
      this.#draw();
    } catch (why) {
      this.error.textContent = told(why);
    }
    return null;
  }

  // What the newest page would show if it were still there.
  #forget(pictures, next) {
    const here = new Set(pictures.map((one) => one.image_id));
    for (const one of this.#shown.values()) {
      const older = next && newestFirst(one, pictures.at(-1)) > 0;
      if (!older && !here.has(one.image_id)) this.#shown.delete(one.image_id);
    }
  }

  #told(picture) {
    this.#heard += 1;
    if (!this.newest.some((one) => one.board_id === picture.board_id)) this.newest.push(picture);
    if (picture.board_id !== this.board) return this.#boards();
    if (picture.gone) this.#shown.delete(picture.image_id);
    else this.#shown.set(picture.image_id, picture);
    if (picture.gone && this.#large?.image_id === picture.image_id) this.dialog.close();
    return this.#draw();
  }

  #sorted() {
    return [...this.#shown.values()].sort(newestFirst);
  }

  #draw() {
    const days = new Map();
    for (const one of this.#sorted()) days.set(day(one), [...(days.get(day(one)) ?? []), one]);
    this.days.replaceChildren(...[...days].map(([title, list]) => this.#day(title, list)));
    this.older.hidden = !this.next;
    if (!days.size) this.#empty(this.take.hidden ? "This board has sent no picture yet." : "This board has sent no picture yet. Take one.");
  }

  #empty(text) {
    this.days.replaceChildren(el("p", { class: "quiet empty" }, text));
  }

  #day(title, list) {
    const bytes = list.reduce((sum, one) => sum + one.bytes, 0);
    const fits = bytes <= ZIP.bytes && list.length <= ZIP.pictures;
    const ids = list.map((one) => one.image_id).join(",");
    return el("section", { "aria-label": title },
      el("div", { class: "view-head" }, el("h3", {}, title), el("span", { class: "quiet" }, `${list.length} shown`),
        el("span", { class: "space" }),
        fits && el("a", { class: "plain", href: `/api/v1/boards/${this.board}/pictures.zip?ids=${ids}`, download: "" }, "Download")),
      el("div", { class: "shots" }, list.map((one) => this.#shot(one))));
  }

  #shot(one) {
    const key = `${one.id} ${one.thumbnail} ${one.whole}`;
    if (!this.#nodes.has(key)) {
      this.#nodes.set(key, el("a", { class: "shot", href: address(one.board_id, one.image_id), "data-picture": one.image_id },
        thumbnail(one), el("span", {}, clock(one.at), one.taken_at ? null : el("span", { class: "quiet" }, " (arrived)")),
        one.whole ? null : el("span", { class: "partial" }, incomplete(one))));
    }
    return this.#nodes.get(key);
  }

  // One picture large.
  #open(one) {
    if (this.dialog.open && this.#large?.image_id === one.image_id) return;
    [this.#large, this.#sure] = [one, false];
    this.#fill();
    if (!this.dialog.open) this.dialog.showModal();
  }

  #fill() {
    const one = this.#large;
    const list = this.#sorted();
    const at = list.findIndex((other) => other.image_id === one.image_id);
    const step = (by, text) => el("button", { type: "button", class: "plain", disabled: !list[at + by] || at < 0,
      onclick: () => this.#turn(by) }, text);
    const admin = may(this.session, "admin", this.store.boards.get(one.board_id)?.site);
    this.dialog.replaceChildren(
      el("header", { class: "dialog-head" }, el("h2", { id: "picture-title" }, when(one.at)), el("span", { class: "space" }),
        el("button", { type: "button", class: "plain", autofocus: true, onclick: () => this.dialog.close() }, "Close")),
      el("img", { src: one.url, alt: `Picture ${one.image_id} of ${one.board_id}`, width: one.width, height: one.height }),
      el("div", { class: "buttons" }, step(-1, "← Newer"), step(1, "Older →"), el("span", { class: "space" }),
        el("a", { class: "plain", href: one.url, download: `${one.board_id}_${one.image_id}.jpg` }, "Download"),
        admin && el("button", { type: "button", class: this.#sure ? "emergency" : "stop", onclick: () => this.#delete() },
          this.#sure ? "Delete it for good" : "Delete")),
      facts(one));
  }

  #turn(by) {
    const list = this.#sorted();
    const at = list.findIndex((other) => other.image_id === this.#large?.image_id);
    const other = at < 0 ? null : list[at + by];
    if (!other) return;
    this.#open(other); // at once: the next key may come before the address has changed
    location.replace(address(other.board_id, other.image_id));
  }

  #closed() {
    this.#large = null;
    if (location.hash.split("/")[2]) location.replace(address(this.board));
  }

  async #delete() {
    if (!this.#sure) {
      this.#sure = true;
      return this.#fill();
    }
    const one = this.#large;
    try {
      await call("DELETE", place(one), {});
      this.#told({ ...one, gone: true });
    } catch (why) {
      this.dialog.append(el("p", { class: "error", role: "alert" }, told(why)));
    }
    return null;
  }

  async #take() {
    const command = { board_id: this.board, command_type: "capture_image", target: "", parameters: {} };
    this.take.disabled = true;
    try {
      this.store.put(await post(command, newKey(), () => { this.error.textContent = "No answer yet; asking again."; }));
      this.error.textContent = "";
    } catch (why) {
      this.error.textContent = told(why);
    }
    this.take.disabled = false;
  }

  // How the newest capture stands.
  #taken() {
    const command = this.store.newestOf(this.board, ["capture_image"]);
    if (!command) return fill(this.state);
    const why = explain(command);
    return fill(this.state, el("p", { class: "newest" }, chip(command.status),
      el("button", { type: "button", class: "link", "data-command": command.id }, "Take a picture"),
      el("span", { class: "quiet" }, when(command.created_at))), why && el("p", { class: `why ${command.status.toLowerCase()}` }, why));
  }
}

const incomplete = (one) => (one.of ? `incomplete: ${one.parts} of ${one.of} parts` : "incomplete");

function facts(one) {
  const readings = Object.entries(one.readings).map(([name, { value, unit }]) => `${name.replaceAll("_", " ")} ${value} ${unit}`);
  const size = one.width ? `${one.width} × ${one.height} pixels, ` : "";
  const rows = [
    ["Taken", one.taken_at ? when(one.taken_at) : "The board did not know the time; shown is when it came"],
    ["Arrived", when(one.received_at)],
    ["Size", `${size}${Math.ceil(one.bytes / 1024)} KB`],
    ["Measured", readings.join(", ")],
    ["Parts", one.whole ? "" : `${incomplete(one)}; the rest did not come`],
    ["Command", one.command_id && el("button", { type: "button", class: "link", "data-command": one.command_id }, "What took it")],
    ["SHA-256", el("code", {}, one.sha256)],
  ];
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
