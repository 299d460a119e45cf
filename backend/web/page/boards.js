// Boards as cards: how each is, what it can do, and what became of what was asked last.

import { actionForm, boardButtons, casesFor, plainButton, wholeForms } from "./actions.js";
import { get, newKey, post, unsure } from "./api.js";
import { chip, el, fill } from "./dom.js";
import { groups, shape } from "./groups.js";
import { asleep, missingSince, state, time } from "./presence.js";
import { may } from "./rights.js";
import { Newest, thumbnail } from "./thumbnails.js";
import { Trial } from "./trial.js";
import { duration, ended, explain, kindOf, labelOf, sensorError, span, when } from "./words.js";

const NO_ANSWER = "No answer from the backend: it may have been taken or not. "
  + "Trying again can't make it happen twice.";

export class Boards {
  #cards = new Map();
  #clicks = new Map(); // "board/target" -> the last click, where it was not taken: see #post

  constructor(root, store) {
    this.root = root;
    this.store = store;
    this.newest = new Newest(store, (boardId) => this.#picture(boardId));
    for (const kind of ["boards", "site-list"]) store.addEventListener(kind, () => this.show());
    addEventListener("hashchange", () => this.#goTo());
    store.addEventListener("command", ({ detail }) => this.#refresh(detail.board_id));
    setInterval(() => this.#tick(), 250);
  }

  show() {
    for (const id of this.#cards.keys()) if (!this.#shown(id)) this.#drop(id);
    for (const board of this.store.boards.values()) {
      if (!this.#shown(board.id)) continue;
      const operates = may(this.store.session, "operator", board.site);
      const drawn = JSON.stringify([board.actuators, board.has, shape(board), operates]);
      if (this.#cards.get(board.id)?.drawn !== drawn) this.#build(board, drawn, operates);
      this.#refresh(board.id);
      this.#learnRunning(board);
    }
    this.#lay();
  }

  // The cards, under the names of their sites where there is more than one; moved only where
  // their order changes.
  #lay() {
    const boards = [...this.#cards.keys()].map((id) => this.store.boards.get(id));
    const sites = [...new Set(boards.map((board) => board.site))]
      .map((id) => [id, id ? this.store.sites.get(id)?.name ?? id : "Without a site"])
      .sort((a, b) => a[1].localeCompare(b[1]));
    const nodes = sites.flatMap(([site, name]) => [
      ...(sites.length > 1 ? [el("h3", { class: "site-name" }, name)] : []),
      ...boards.filter((board) => board.site === site).map((board) => this.#cards.get(board.id).node)]);
    const order = nodes.map((node) => node.dataset.board ?? `# ${node.textContent}`).join("\n");
    if (!nodes.length) fill(this.root, el("p", { class: "quiet" }, this.#none()));
    else if (order !== this.order || nodes.some((node) => node.dataset.board && !node.isConnected)) {
      this.root.replaceChildren(...nodes);
      this.#goTo();
    }
    this.order = order;
  }

  #shown(id) {
    return this.store.boards.get(id)?.state === "active";
  }

  // The board that a label's code leads to (#board/pond-1).
  #goTo() {
    const [kind, id] = location.hash.slice(1).split("/");
    if (kind === "board") this.#cards.get(id)?.node.scrollIntoView();
  }

  #none() {
    return this.store.session.role === "admin" ? "No boards are enrolled yet."
      : "There are no boards at your sites. To see more, ask an administrator for a role at theirs.";
  }

  #drop(id) {
    this.#cards.get(id).node.remove();
    this.#cards.delete(id);
  }

  #build(board, drawn, operates) {
    const send = (target) => (type, parameters) => this.#click(board.id, target, type, parameters);
    const verbs = this.store.verbsOf(board.id);
    const lines = new Map();
    const line = (target) => {
      lines.set(target, el("div", { class: "result", "aria-live": "polite" }));
      return lines.get(target);
    };
    const parts = Object.entries(board.actuators).sort().map(([name, about]) =>
      el("section", { class: "actuator", "data-target": name },
        el("h4", {}, name, el("span", { class: "quiet" }, about.kind)),
        operates && this.#actions(board, name, casesFor(about, verbs)), line(name)));
    const head = el("div", { class: "board-head" });
    const note = el("p", { class: "note", hidden: true });
    const sensors = el("div", { class: "sensors", hidden: true });
    const latest = el("a", { class: "latest", hidden: true, href: `#pictures/${board.id}` });
    const foreign = this.store.dialects[board.dialect];
    const whole = () => (foreign ? wholeForms(verbs, send("")) : boardButtons(send("")));
    const foot = el("section", { class: "whole" }, operates && whole(), line(""), limits(foreign));
    const [folds, more] = operates && !foreign
      ? groups(board, { id: board.id, store: this.store, send: send("") }) : [[], () => null];
    const node = el("article", { class: "card board", "data-board": board.id, "aria-label": board.name },
      head, note, latest, sensors, parts, foot, el("div", { class: "groups" }, folds));
    const clear = plainButton("clear_stop", send(""), "stop");
    this.#cards.set(board.id, { node, head, note, latest, sensors, lines, drawn, operates, clear, more });
    this.#picture(board.id);
  }

  #picture(boardId) {
    const latest = this.#cards.get(boardId)?.latest;
    const picture = this.newest.get(boardId);
    if (!latest) return;
    latest.hidden = !picture;
    latest.replaceChildren(...(picture ? [thumbnail(picture), el("span", { class: "quiet" }, when(picture.at))] : []));
  }

  // The form of an actuator; under it what a command may depend on, where its board knows that.
  #actions(board, target, cases) {
    const trial = board.has.includes("conditions") && cases.some((one) => one.kind !== "stop")
      ? new Trial(cases, { board: board.id, target, store: this.store }) : null;
    const form = actionForm(target, cases, (type, parameters, { kind }) => {
      const conditions = kind === "stop" || !trial ? [] : trial.conditions();
      if (conditions) this.#click(board.id, target, type, parameters, conditions);
    });
    return trial ? trial.under(form) : form;
  }

  #refresh(boardId) {
    const card = this.#cards.get(boardId);
    const board = this.store.boards.get(boardId);
    if (!card || !board) return;
    card.node.classList.toggle("away", board.online !== true);
    fill(card.head, ...this.#head(board));
    card.note.hidden = !board.latched && (board.online === true || !card.operates);
    this.#note(card, board);
    const read = Object.entries(board.sensors).sort();
    card.sensors.hidden = !read.length;
    fill(card.sensors, ...read.map(([name, reading]) => this.#reading(board, name, reading)));
    for (const [target, node] of card.lines) fill(node, ...this.#result(board, target));
    card.more();
  }

  // What keeps the board from doing things at once, and what a click means then.
  #note(card, board) {
    const { feed, update_config } = this.store.verbs;
    const wait = `what moves something goes out if that is within ${span(feed.life)}, `
      + `a change of the board within ${span(update_config.life)}.`;
    const text = board.latched ? "An emergency stop holds: nothing moves until it is cleared."
      : missingSince(board) ? `It was to wake at ${time(missingSince(board))} and did not come: look at its battery and its link.`
      : asleep(board) ? `Asleep until ${time(board.asleep_until)}. When it wakes, ${wait}`
      : board.online === false ? `Offline. When it is back, ${wait}` : board.last_seen ? `Whether it is online is not known. When it is heard, ${wait}` : `Not heard yet. When it is, ${wait}`;
    if (card.note.firstChild?.textContent === text) return;
    card.note.replaceChildren(el("span", {}, text), ...(board.latched && card.operates ? [card.clear] : []));
  }

  #head(board) {
    const [kind, word] = state(board);
    const seen = board.last_seen ? `last seen ${this.#ago(board.last_seen)}` : "never seen";
    const facts = [board.board, board.firmware && `firmware ${board.firmware}`,
      board.slot && `slot ${board.slot} ${board.slot_state}`,
      board.online && board.uptime > 0 && `up ${duration(board.uptime * 1000)}`,
      board.heap > 0 && `${Math.round(board.heap / 1024)} KB free`].filter(Boolean).join(" · ");
    return [
      el("h3", {}, el("span", { class: `dot ${kind}`, "aria-hidden": "true" }), board.name),
      el("p", { class: "quiet" }, el("b", { class: kind }, word), ` · ${seen}`),
      el("p", { class: "quiet facts" }, facts),
    ];
  }

  // What a sensor read last, and whether that is beyond one of its limits.
  #reading(board, name, { value, unit, at, error }) {
    const crossed = Object.keys(board.limits)
      .filter((limit) => limit.startsWith(`${name}.`) && board.limits[limit] === "crossed")
      .map((limit) => limit.slice(name.length + 1).replaceAll("_", " "));
    return el("p", { "data-sensor": name }, el("a", { href: `#sensors/${board.id}` }, name), " ",
      el("b", {}, value === null ? "no value" : `${value} ${unit}`.trim()),
      el("span", { class: "quiet" }, value === null ? "" : ` ${at ? this.#ago(at) : "at an unknown time"}`),
      crossed.length > 0 && el("span", { class: "crossed" }, ` · ${crossed.join(", ")}`),
      error && el("span", { class: "crossed" }, ` · ${sensorError(error)}`));
  }

  #ago(time) {
    const ms = Date.now() - new Date(time);
    return ms < 15000 ? "just now" : `${duration(ms)} ago`;
  }

  // How the newest command of a target stands, and what is running.
  #result(board, target) {
    const click = this.#clicks.get(`${board.id}/${target}`);
    if (click) return [this.#notTaken(click)];
    const command = this.store.newest(board.id, target);
    const running = this.#running(board, target, command);
    if (!command) return running ? [running] : [];
    const line = el("p", { class: "newest" }, chip(command.status),
      el("button", { type: "button", class: "link", "data-command": command.id },
        labelOf(command, this.store.verbsOf(board.id))),
      el("span", { class: "quiet" }, when(command.created_at)));
    const why = explain(command);
    return [line, why && el("p", { class: `why ${command.status.toLowerCase()}` }, why), running || null]
      .filter(Boolean);
  }

  // A bar while the target runs: over the time the board promised, or the time that was asked for.
  #running(board, target, newest) {
    const command = this.store.commands.get(board.running[target]) ?? newest;
    const acting = command?.status === "ACKNOWLEDGED";
    if (!acting && (!board.running[target] || this.#over(board, command))) return null;
    const [from, seconds] = timing(command);
    const elapsed = from ? (Date.now() - new Date(from)) / 1000 : 0;
    if (!acting && seconds && elapsed > seconds + 1) return null;
    const bar = el("progress", { "aria-label": `${target || "the board"} is running`, max: seconds || null });
    if (seconds) bar.setAttribute("value", Math.min(elapsed, seconds).toFixed(1));
    return el("p", { class: "running" }, bar, el("span", { class: "quiet" },
      seconds ? `running, at most ${Math.max(0, Math.ceil(seconds - elapsed))} s more` : "running"));
  }

  // Heartbeats come every 10 s: true where we know better than the last one that it has ended.
  #over(board, command) {
    if (!command) return false;
    if (ended(command) && kindOf(command, this.store.verbsOf(board.id)) === "dose") return true;
    return [command.target, ""].some((target) => {
      const later = this.store.newest(board.id, target);
      return later?.seq > command.seq && later.status === "COMPLETED"
        && kindOf(later, this.store.verbsOf(board.id)) === "stop";
    });
  }

  #tick() {
    for (const board of this.store.boards.values()) {
      const open = Object.keys(board.running).length > 0;
      const card = this.#cards.get(board.id);
      const moving = card && [...card.lines.keys()].some((target) => {
        const command = this.store.newest(board.id, target);
        return command && !ended(command);
      });
      if (open || moving || Date.now() % 5000 < 250) this.#refresh(board.id);
    }
  }

  async #learnRunning(board) {
    for (const id of Object.values(board.running)) {
      if (!this.store.commands.has(id)) {
        await get(`/commands/${id}`).then((found) => this.store.put(found), () => null);
      }
    }
  }

  // The same asked for again, while nobody can say what became of it, is the same click.
  #click(boardId, target, type, parameters, conditions = []) {
    const command = { board_id: boardId, command_type: type, target, parameters,
      ...(conditions.length ? { conditions } : {}) };
    const before = this.#clicks.get(`${boardId}/${target}`);
    const same = before?.unsure && JSON.stringify(before.command) === JSON.stringify(command);
    return this.#post(same ? before : { command, key: newKey() });
  }

  // {command, key} becomes one command at most. Where it fails: also {text, unsure, trying}.
  async #post({ command, key }) {
    const place = `${command.board_id}/${command.target}`;
    const note = (more) => {
      this.#clicks.set(place, { command, key, ...more });
      this.#refresh(command.board_id);
    };
    const again = () => note({ text: "No answer yet; asking again.", unsure: true, trying: true });
    this.#clicks.delete(place);
    try {
      this.store.put(await post(command, key, again));
      if (this.#clicks.get(place)?.key === key) this.#clicks.delete(place);
    } catch (error) {
      note(unsure(error) ? { text: NO_ANSWER, unsure: true } : { text: error.message });
    }
    this.#refresh(command.board_id);
  }

  #notTaken(click) {
    const again = el("button", { type: "button", class: "plain", "data-again": click.key,
      onclick: () => this.#post(click) }, "Try again");
    return el("p", { class: "error not-taken", role: "alert" }, click.text,
      click.unsure && !click.trying ? again : null);
  }
}

// What a board of another dialect can't promise.
function limits(dialect) {
  if (!dialect) return null;
  return el("details", { class: "limits quiet" }, el("summary", {}, "What this board can't promise"),
    el("ul", {}, dialect.limits.map((one) => el("li", {}, one))));
}

// [since when, for how many seconds at most] a command runs.
function timing(command) {
  if (command?.status === "ACKNOWLEDGED" && command.within) {
    return [command.within.at, command.within.seconds];
  }
  return command?.parameters.seconds ? [command.updated_at, command.parameters.seconds] : [null, 0];
}
