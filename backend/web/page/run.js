// One command to many boards: how far it is, board by board, as it goes.

import { call, get } from "./api.js";
import { el, fill } from "./dom.js";
import { inWords, labelOf, told, when } from "./words.js";

const SHOWN = 200;
const ORDER = ["COMPLETED", "ACKNOWLEDGED", "SENT", "PENDING", "WAITING", "UNKNOWN", "FAILED", "REJECTED", "REFUSED", "EXPIRED",
  "CANCELLED", "CALLED_OFF", "GONE"];
const WORDS = {
  COMPLETED: "done", ACKNOWLEDGED: "running", SENT: "sent", PENDING: "waiting for the board", WAITING: "waiting for a turn",
  UNKNOWN: "open question", FAILED: "failed", REJECTED: "refused by the board", REFUSED: "refused", EXPIRED: "too late, did not run",
  CANCELLED: "called off, not sent", CALLED_OFF: "called off before a turn", GONE: "no longer kept",
};
const STATES = { running: "under way", paused: "paused", cancelled: "cancelled", done: "over" };
const HOWS = { due: "", caught_up: "caught up with", passed_over: "passed over", by_hand: "by hand" };

const chip = (status, text) => el("span", { class: `chip ${status.toLowerCase()}` }, text);

// A bar of all statuses, with what they mean beneath.
export function bar(run) {
  const found = ORDER.filter((status) => run.counts[status]);
  const parts = found.map((status) => {
    const part = el("i", { class: status.toLowerCase(), title: `${run.counts[status]} ${WORDS[status]}` });
    part.style.flexGrow = run.counts[status];
    return part;
  });
  return [el("div", { class: "run-bar", role: "img", "aria-label": summary(run) }, parts),
    el("p", { class: "run-legend" }, found.map((status) => chip(status, `${run.counts[status]} ${WORDS[status]}`)))];
}

export const summary = (run) => (run.how === "passed_over" ? "passed over"
  : ORDER.filter((status) => run.counts[status]).map((status) => `${run.counts[status]} ${WORDS[status]}`).join(", ") || "no boards");

export const whose = (run) => [HOWS[run.how], run.user !== "system" && run.user, when(run.due_at),
  run.missed_from && `nothing was done from ${when(run.missed_from)} on`].filter(Boolean).join(" · ");

export const titleOf = (run, store) => `${run.target ? `${run.target}: ` : ""}${labelOf(run, store.verbs)}`;

export class RunView {
  constructor(node, store, id) {
    Object.assign(this, { node, store, id, asking: false, again: false });
    this.error = el("p", { class: "error", role: "alert" });
    this.head = el("div", { class: "view-head" });
    this.progress = el("div", { class: "card site" });
    this.rows = el("ul", { class: "run-boards" });
    node.replaceChildren(el("p", {}, el("a", { href: "#schedules" }, "All schedules")), this.head, this.error, this.progress,
      el("section", { class: "card site", "aria-label": "Boards" }, this.rows));
  }

  // Asks again, at most once at a time, however often it is called.
  async load() {
    if (this.asking) { this.again = true; return; }
    this.asking = true;
    try {
      const [run, { boards }] = await Promise.all([get(`/bulk/${this.id}`), get(`/bulk/${this.id}/boards?limit=${SHOWN}`)]);
      this.#draw(run, boards);
    } catch (why) {
      this.error.textContent = told(why);
    }
    await new Promise((done) => setTimeout(done, 400));
    this.asking = false;
    if (this.again && this.node.isConnected) { this.again = false; this.load(); }
  }

  #draw(run, boards) {
    const steer = (what, text, kind = "plain") => el("button", { type: "button", class: kind, onclick: () => this.#steer(what) }, text);
    const open = !run.ended_at && run.state !== "cancelled";
    this.head.replaceChildren(el("h2", {}, titleOf(run, this.store)), el("span", { class: "quiet" }, STATES[run.state]),
      el("span", { class: "space" }),
      open && run.state === "running" && run.counts.WAITING ? steer("pause", "Pause") : "",
      open && run.state === "paused" ? steer("resume", "Go on", "primary") : "",
      open ? steer("cancel", "Cancel the rest", "stop") : "");
    fill(this.progress, el("p", { class: "quiet" }, `${run.total} ${run.total === 1 ? "board" : "boards"} · ${whose(run)}`
      + (run.per_minute ? ` · ${run.per_minute} a minute` : "")), bar(run));
    fill(this.rows, boards.map((one) => this.#row(one)),
      run.total > boards.length ? el("li", { class: "quiet" }, `and ${run.total - boards.length} more`) : "");
  }

  #row({ board_id, status, command_id, error }) {
    const name = this.store.boards.get(board_id)?.name ?? board_id;
    const text = error && status !== "CANCELLED" ? inWords(error) : "";
    return el("li", { "data-run-board": board_id }, chip(status, WORDS[status]),
      command_id ? el("button", { type: "button", class: "link", "data-command": command_id }, name) : el("b", {}, name),
      el("span", { class: "quiet" }, text));
  }

  async #steer(what) {
    try {
      await call("POST", `/bulk/${this.id}/${what}`, {});
      this.error.textContent = "";
    } catch (why) {
      this.error.textContent = told(why);
    }
    await this.load();
  }
}
