// Boards as cards: how each is, what it can do, and what became of what was asked last.

import { actionForm, boardButtons } from "./actions.js";
import { get, newKey, post, unsure } from "./api.js";
import { el, fill } from "./dom.js";
import { duration, ended, explain, kindOf, labelOf, sensorError, when } from "./words.js";

export const chip = (status) => el("span", { class: `chip ${status.toLowerCase()}` }, status);

const ONLINE = { true: ["online", "Online"], false: ["offline", "Offline"], null: ["unsure", "Not heard yet"] };

const OVERDUE_MS = 60000; // a wake may be so late, and then the board has to connect

// Whether a board that is not heard said that it would sleep now.
const asleep = (board) => !board.online && board.asleep_until
  && Date.now() < new Date(board.asleep_until).getTime() + OVERDUE_MS;

const time = (text) => new Date(text).toLocaleTimeString();

const NO_ANSWER = "No answer from the backend: it may have been taken or not. "
  + "Trying again can't make it happen twice.";

export class Boards {
  #cards = new Map();
  #clicks = new Map(); // "board/target" -> the last click, where it was not taken: see #post

  constructor(root, store) {
    this.root = root;
    this.store = store;
    store.addEventListener("boards", () => this.show());
    store.addEventListener("command", ({ detail }) => this.#refresh(detail.board_id));
    setInterval(() => this.#tick(), 250);
  }

  show() {
    for (const board of this.store.boards.values()) {
      const actuators = JSON.stringify(board.actuators);
      if (this.#cards.get(board.id)?.actuators !== actuators) this.#build(board, actuators);
      this.#refresh(board.id);
      this.#learnRunning(board);
    }
    const nodes = [...this.#cards.values()].map((card) => card.node);
    if (!nodes.length) fill(this.root, el("p", { class: "quiet" }, "No boards are enrolled yet."));
    else if (nodes.some((node) => !node.isConnected)) this.root.replaceChildren(...nodes);
  }

  #build(board, actuators) {
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
        actionForm(name, about.kind, verbs, send(name)), line(name)));
    const head = el("div", { class: "board-head" });
    const note = el("p", { class: "note", hidden: true });
    const sensors = el("div", { class: "sensors", hidden: true });
    const foot = el("section", { class: "whole" }, boardButtons(verbs, send("")), line(""),
      limits(this.store.dialects[board.dialect]));
    const node = el("article", { class: "card board", "data-board": board.id, "aria-label": board.name },
      head, note, sensors, parts, foot);
    this.#cards.set(board.id, { node, head, note, sensors, lines, actuators });
  }

  #refresh(boardId) {
    const card = this.#cards.get(boardId);
    const board = this.store.boards.get(boardId);
    if (!card || !board) return;
    card.node.classList.toggle("away", board.online !== true);
    fill(card.head, ...this.#head(board));
    card.note.hidden = board.online === true && !board.latched;
    card.note.textContent = board.latched ? "An emergency stop holds: nothing moves until it is cleared."
      : asleep(board) ? `Asleep until ${time(board.asleep_until)}: what you send waits, for up to 60 s.`
      : board.online === false
      ? "Offline: what you send waits, and goes out when the board is back within 60 s."
      : "Not heard yet: what you send waits until the board is, for up to 60 s.";
    const read = Object.entries(board.sensors).sort();
    card.sensors.hidden = !read.length;
    fill(card.sensors, ...read.map(([name, reading]) => this.#reading(board, name, reading)));
    for (const [target, node] of card.lines) fill(node, ...this.#result(board, target));
  }

  #head(board) {
    const [kind, word] = asleep(board)
      ? ["unsure", `Asleep until ${time(board.asleep_until)}`] : ONLINE[board.online];
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
    return el("p", { "data-sensor": name }, name, " ",
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
    const [from, seconds] = span(command);
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
  #click(boardId, target, type, parameters) {
    const command = { board_id: boardId, command_type: type, target, parameters };
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
function span(command) {
  if (command?.status === "ACKNOWLEDGED" && command.within) {
    return [command.within.at, command.within.seconds];
  }
  return command?.parameters.seconds ? [command.updated_at, command.parameters.seconds] : [null, 0];
}
