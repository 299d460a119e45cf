// Releases of the firmware, and rollouts: how each stands, board by board, as it goes on.

import { call, get, upload } from "./api.js";
import { el, fill } from "./dom.js";
import { isAdmin, looksAfterPeople, may } from "./rights.js";
import { rolloutForm } from "./rollout_form.js";
import { slotInWords, told, when } from "./words.js";

const REFRESH_MS = 10000; // what the stream told of while it was lost
const SETTLE_MS = 250; // what comes in a burst is asked for once
const UPLOAD_MAX = 2 * 1024 * 1024;

// state of a board: [in words, what it is like]
const STATES = {
  running: ["running it", "good"], trial: ["on trial", "going"], downloading: ["downloading", "going"],
  sent: ["sent", "going"], waiting: ["waiting", ""], untouched: ["untouched", ""], cancelled: ["called off", ""],
  rolled_back: ["rolled back", "bad"], failed: ["failed", "bad"], refused: ["refused", "bad"],
  no_answer: ["no answer", "bad"],
};
const RANKS = ["bad", "going", "good", ""]; // what is shown first
const CHIPS = { active: "sent", paused: "unknown", stopped: "failed", aborted: "", done: "completed" };
const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);

export const kilobytes = (bytes) => `${Math.round(bytes / 1024)} KB`;

// Where a rollout goes, in words.
export function target({ selection }, sites) {
  const { site, label, boards } = selection;
  const who = boards ? `${boards.length} chosen board${boards.length === 1 ? "" : "s"}` : label ? `boards labelled ${label}` : "all boards";
  return site ? `${who} of ${sites.get(site)?.name ?? site}` : who;
}

export function show(node, context) {
  return new Rollouts(node, context).load();
}

class Rollouts {
  #cards = new Map(); // id -> Card
  #timer = null;

  constructor(node, { store, session }) {
    Object.assign(this, { store, session });
    this.error = el("p", { class: "error", role: "alert" });
    this.begin = button("New rollout", () => this.#begin(), "primary");
    this.begin.hidden = !looksAfterPeople(session);
    this.list = el("div", { class: "rollouts" });
    this.releases = el("section", { class: "card releases", "aria-label": "Releases" });
    this.dialog = el("dialog", { "aria-label": "New rollout" });
    node.append(el("div", { class: "view-head" }, el("h2", {}, "Rollouts"), el("span", { class: "space" }),
      this.begin), this.error, this.list, this.releases, this.dialog);
    store.addEventListener("rollout", () => this.#soon());
    setInterval(() => { if (!document.hidden && !node.hidden) this.load(); }, REFRESH_MS);
  }

  async load() {
    await this.say(async () => {
      const [found, known] = await Promise.all([get("/rollouts"), get("/releases")]);
      Object.assign(this, { address: found.address, known: known.releases });
      this.#draw(found.rollouts);
      this.#drawReleases();
      await Promise.all([...this.#cards.values()].map((card) => card.load()));
    });
  }

  // Do something; what is wrong with it is said.
  async say(what, place = this.error) {
    try {
      const answer = await what();
      place.textContent = "";
      return answer ?? true;
    } catch (why) {
      place.textContent = told(why);
      return null;
    }
  }

  #soon() {
    this.#timer ??= setTimeout(() => { this.#timer = null; this.load(); }, SETTLE_MS);
  }

  #draw(rollouts) {
    for (const [id, card] of this.#cards) {
      if (rollouts.some((one) => one.id === id)) continue;
      card.node.remove();
      this.#cards.delete(id);
    }
    for (const one of rollouts) {
      if (!this.#cards.has(one.id)) this.#cards.set(one.id, new Card(this));
      this.#cards.get(one.id).show(one);
    }
    const nodes = rollouts.map((one) => this.#cards.get(one.id).node);
    const empty = el("p", { class: "quiet" }, this.known.length
      ? "Nothing was rolled out yet. A rollout brings a release to a few boards first, and stops by itself where it does harm."
      : "There is nothing to roll out yet: add a release below.");
    const same = nodes.length && nodes.length === this.list.children.length
      && nodes.every((node, index) => node === this.list.children[index]);
    if (!same) this.list.replaceChildren(...(nodes.length ? nodes : [empty]));
    this.begin.disabled = !this.known.length;
  }

  #drawReleases() {
    const admin = isAdmin(this.session);
    const rows = this.known.map((one) => el("tr", { "data-release": one.version },
      el("th", { scope: "row" }, one.version), el("td", {}, one.board),
      el("td", { class: "quiet" }, `${one.files} files, ${kilobytes(one.size)}`), el("td", { class: "time" }, when(one.created_at)),
      el("td", {}, one.notes), el("td", {}, admin && button("Delete", () => this.#delete(one)))));
    const titles = ["Version", "For", "Size", "Added", "Notes", ""];
    if (!this.upload) this.upload = admin ? this.#uploadForm() : "";
    this.releases.replaceChildren(el("h3", {}, "Releases"),
      rows.length ? el("div", { class: "table-card" }, el("table", {}, el("thead", {}, el("tr", {},
        titles.map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, rows)))
        : el("p", { class: "quiet" }, "There are none yet."), this.upload);
  }

  #uploadForm() {
    const file = el("input", { type: "file", name: "file", accept: ".zip", required: true });
    const notes = el("input", { name: "notes", maxlength: 200, placeholder: "What is new" });
    const error = el("p", { class: "error", role: "alert" });
    const form = el("form", { class: "upload", "aria-label": "Add a release" },
      el("label", {}, "Zip of a release ", file), el("label", {}, "Notes ", notes),
      el("button", { type: "submit", class: "plain" }, "Add"), error,
      el("p", { class: "quiet" }, "Made by ", el("code", {}, 'make release BOARD=ESP32_GENERIC OUT=new.zip ARGS="--version 0.2.0"'),
        " (emulated boards are UNIX); at the keyboard ", el("code", {}, "python -m backend release add FOLDER"), " adds one, too."));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (file.files[0].size > UPLOAD_MAX) return void (error.textContent = "That is no release: it has more than 2 MB.");
      const path = `/releases?notes=${encodeURIComponent(notes.value)}`;
      if (!await this.say(() => upload(path, "application/zip", file.files[0]), error)) return;
      form.reset();
      await this.load();
    });
    return form;
  }

  async #delete(one) {
    if (!confirm(`Delete the release ${one.version} for ${one.board}?`)) return;
    if (await this.say(() => call("DELETE", `/releases/${one.id}`))) await this.load();
  }

  #begin() {
    const error = el("p", { class: "error", role: "alert" });
    const { node, read } = rolloutForm({ store: this.store, session: this.session, releases: this.known, address: this.address });
    node.append(error, el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Begin"),
      button("Cancel", () => this.dialog.close())));
    node.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!await this.say(() => call("POST", "/rollouts", read()), error)) return;
      this.dialog.close();
      await this.load();
    });
    this.dialog.replaceChildren(node);
    this.dialog.showModal();
  }
}

class Card {
  constructor(view) {
    this.view = view;
    this.head = el("div", { class: "view-head" });
    this.bar = el("div", { class: "share", role: "img" });
    this.facts = el("div");
    this.buttons = el("div", { class: "buttons" });
    this.body = el("tbody");
    this.table = el("details", {}, el("summary", {}, "Boards"), el("div", { class: "table-card" },
      el("table", {}, el("thead", {}, el("tr", {}, ["Board", "State", "Runs", "Since", "Tries"]
        .map((text) => el("th", { scope: "col" }, text)))), this.body)));
    this.table.addEventListener("toggle", () => this.load());
    this.node = el("article", { class: "card rollout" }, this.head, this.bar, this.facts, this.buttons, this.table);
  }

  show(one) {
    if (!this.one) this.table.open = one.ended_at === null;
    this.one = one;
    this.node.dataset.rollout = one.id;
    const counts = Object.entries(STATES).map(([state, [words, kind]]) => ({ words, kind, state, count: one.states[state] }))
      .filter(({ count }) => count);
    const sum = counts.map(({ words, count }) => `${count} ${words}`).join(", ");
    fill(this.head, el("h3", {}, `${one.version} to ${target(one, this.view.store.sites)}`),
      el("span", { class: `chip ${CHIPS[one.state]}` }, word(one)),
      el("span", { class: "quiet" }, `number ${one.id}, by ${one.user}, ${when(one.created_at)}`));
    this.bar.setAttribute("aria-label", sum);
    fill(this.bar, counts.map(part));
    fill(this.facts, el("p", { class: "counts" }, sum),
      one.why && el("p", { class: one.state === "stopped" ? "why failed" : "why" }, reason(one)),
      el("p", { class: "quiet" }, plan(one)));
    this.#drawButtons();
  }

  async load() {
    if (!this.table.open) return;
    const found = await get(`/rollouts/${this.one.id}`);
    const rank = ({ state }) => RANKS.indexOf(STATES[state][1]);
    fill(this.body, found.boards.sort((a, b) => rank(a) - rank(b)).map((board) => this.#row(board)));
  }

  #row(board) {
    const [words, kind] = STATES[board.state];
    const name = this.view.store.boards.get(board.board_id)?.name ?? board.board_id;
    const runs = board.firmware && `${board.firmware}${board.slot ? `, slot ${board.slot}` : ""}`;
    return el("tr", { "data-board-row": board.board_id }, el("th", { scope: "row" }, name),
      el("td", {}, el("span", { class: `state ${kind}` }, words), board.why && el("span", { class: "why" }, board.why)),
      el("td", {}, runs, board.slot_state && el("span", { class: "why" }, slotInWords(board.slot_state))),
      el("td", { class: "time" }, when(board.updated_at)),
      el("td", {}, board.command_id ? el("button", { type: "button", class: "link", "data-command": board.command_id },
        String(board.attempt)) : "–"));
  }

  #drawButtons() {
    const { state, site } = this.one;
    const going = ["active", "paused"].includes(state) && may(this.view.session, "operator", site);
    const now = going ? state : "";
    if (now === this.drawn) return; // who is about to press one presses it
    this.drawn = now;
    fill(this.buttons, "");
    if (going) this.buttons.replaceChildren(
      state === "active" ? button("Pause", () => this.#wish("pause")) : button("Resume", () => this.#wish("resume"), "primary"),
      button("Abort", () => this.#wish("abort", "Abort this rollout? Nothing more is sent; boards that are on trial decide for themselves."), "stop"));
  }

  async #wish(wish, question) {
    if (question && !confirm(question)) return;
    await this.view.say(async () => this.show(await call("POST", `/rollouts/${this.one.id}/${wish}`, {})));
  }
}

function part({ kind, state, count }) {
  const node = el("span", { class: `${kind} ${state}` });
  node.style.flexGrow = count;
  return node;
}

const word = ({ state, ended_at, proved }) => {
  if (state === "active") return proved ? "Going on" : "First boards";
  const words = { paused: "Paused", stopped: "Stopped", aborted: "Aborted", done: "Done" }[state];
  return ended_at || state === "paused" ? words : `${words}, waiting for boards`;
};

const reason = ({ state, why }) => (state === "stopped" ? `Stopped by itself: ${why}.` : `Aborted ${why}.`);

function plan(one) {
  const skipped = Object.keys(one.skipped).length;
  return [one.canary && `${one.canary} first, then ${one.at_once} at once`, !one.canary && `${one.at_once} at once`,
    one.per_minute && `${one.per_minute} a minute`, `stops above ${one.error_share} % errors`,
    one.allow_downgrade && "also to boards with a later version",
    skipped && `${skipped} left out (${[...new Set(Object.values(one.skipped))].join("; ")})`].filter(Boolean).join(" · ");
}
