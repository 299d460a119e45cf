// How it goes: what is wrong just now, and how commands have gone, worst first.

import { get } from "./api.js";
import { el, fill, options } from "./dom.js";
import { duration, inWords, when } from "./words.js";

const REFRESH_MS = 10000;
const WINDOWS = [["1", "Last hour"], ["24", "Last day"], ["168", "Last week"], ["720", "Last 30 days"]];
const KINDS = [["board", "Boards"], ["site", "Sites"], ["command_type", "Commands"]];
const WHY = {
  silent: "nothing was heard of it",
  will: "its connection ended",
  "asleep-overdue": "it should have woken",
};
const UNDECIDED = ["PENDING", "SENT", "ACKNOWLEDGED", "UNKNOWN", "CANCELLED"];
const [BAR, HEIGHT] = [5, 24];

const percent = (rate) => (rate === null ? "–" : `${Math.floor(rate * 1000) / 10} %`);
const took = ({ p50, p95 }) => (p50 === null ? "–" : `${duration(p50)}, ${duration(p95)}`);

// One bar for each part of the window: what succeeded upon what did not.
export function bars(pairs) {
  const most = Math.max(1, ...pairs.map(([good, bad]) => good + bad));
  const scale = (count) => Math.round((count / most) * HEIGHT * 10) / 10;
  const part = (kind, index, from, height) => (height
    ? svg("rect", { class: kind, x: index * BAR, y: from - height, width: BAR - 1, height }) : null);
  const rects = pairs.flatMap(([good, bad], index) => [
    part("bad", index, HEIGHT, scale(bad)), part("good", index, HEIGHT - scale(bad), scale(good))]);
  const [good, bad] = [0, 1].map((side) => pairs.reduce((sum, pair) => sum + pair[side], 0));
  const node = svg("svg", { class: "bars", role: "img", viewBox: `0 0 ${BAR * pairs.length} ${HEIGHT}`,
    width: BAR * pairs.length, height: HEIGHT, "aria-label": `${good} succeeded, ${bad} did not` });
  node.append(...rects.filter(Boolean));
  return node;
}

function svg(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

class Health {
  #asked = 0;

  constructor(node, { store }) {
    this.node = node;
    this.form = el("form", { class: "filters", "aria-label": "What is shown" },
      el("label", {}, "Time ", el("select", { name: "hours" })),
      el("label", {}, "Of ", el("select", { name: "by" })));
    options(this.form.elements.hours, "Last day", WINDOWS.filter(([hours]) => hours !== "24"));
    options(this.form.elements.by, "Boards", KINDS.slice(1));
    this.tiles = el("div", { class: "tiles" });
    this.alerts = el("ul", { class: "alerts" });
    this.body = el("tbody");
    this.outages = el("div", { id: "outages" });
    this.error = el("p", { class: "error", role: "alert" });
    node.append(el("h2", {}, "Health"), this.form, this.error, this.tiles, this.alerts,
      el("div", { class: "card table-card" }, el("table", { id: "stats" }, this.#head(), this.body)),
      this.outages);
    this.form.addEventListener("change", () => this.load());
    store.addEventListener("alert", () => this.load());
    setInterval(() => { if (!document.hidden && !node.hidden) this.load(); }, REFRESH_MS);
  }

  #head() {
    const titles = ["Name", "Succeeded", "Over time", "Accepted (half, 95 %)", "Done (half, 95 %)", "Errors", "Away"];
    return el("thead", {}, el("tr", {}, titles.map((text) => el("th", { scope: "col" }, text))));
  }

  async load() {
    const asked = ++this.#asked;
    const hours = this.form.elements.hours.value || "24";
    this.by = this.form.elements.by.value || "board";
    try {
      const [summary, stats, alerts] = await Promise.all([get(`/health/summary?hours=${hours}`),
        get(`/stats?hours=${hours}&by=${this.by}`), get("/alerts?limit=50")]);
      if (asked === this.#asked) this.#draw(summary, stats.rows, alerts.alerts);
      this.error.textContent = "";
    } catch (why) {
      this.error.textContent = why.status ? why.message : "The backend can't be reached; trying again.";
    }
  }

  #draw({ boards, commands }, rows, alerts) {
    const tile = (name, value, more) => el("div", { class: "card tile" },
      el("span", { class: "quiet" }, name), el("b", {}, value), el("span", { class: "quiet" }, more));
    const away = [[boards.offline, "offline"], [boards.asleep, "asleep"], [boards.unsure, "not known yet"]];
    fill(this.tiles,
      tile("Boards online", `${boards.online} of ${boards.known}`,
        away.filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(", ")),
      tile("Commands that succeeded", percent(commands.success_rate), inAll(commands.counts)),
      tile("Done within", commands.completed.p50 === null ? "–" : duration(commands.completed.p50),
        commands.completed.p95 === null ? "" : `half of them; 95 % within ${duration(commands.completed.p95)}`));
    fill(this.alerts, alerts.map(alertLine));
    this.body.replaceChildren(...rows.map((row) => this.#row(row)));
    if (!rows.length) {
      this.body.append(el("tr", {}, el("td", { colspan: 7, class: "quiet" }, "Nothing happened in this time.")));
    }
  }

  #row(row) {
    const name = row.name || (this.by === "site" ? "No site" : "–");
    const errors = Object.entries(row.errors).sort((a, b) => b[1] - a[1]).slice(0, 3)
      .map(([code, count]) => el("div", {}, `${count} × ${inWords(code)}`));
    const away = row.downtimes ? `${row.downtimes} ×, ${duration(row.downtime_s * 1000)}` : "–";
    return el("tr", { "data-row": row.name }, el("th", { scope: "row" }, this.by === "board"
      ? el("button", { type: "button", class: "link", onclick: () => this.#showOutages(row.name) }, name) : name),
    el("td", { class: row.success_rate !== null && row.success_rate < 0.9 ? "crossed" : "" }, percent(row.success_rate),
      el("div", { class: "quiet" }, inAll(row.counts))),
    el("td", {}, bars(row.bars)), el("td", {}, took(row.accepted)), el("td", {}, took(row.completed)),
    el("td", { class: "quiet" }, errors), el("td", {}, away));
  }

  async #showOutages(board) {
    const { downtimes } = await get(`/boards/${encodeURIComponent(board)}/downtimes`);
    const line = ({ from_at, until_at, why }) => el("li", {}, until_at
      ? `${when(from_at)} to ${when(until_at)} (${duration(new Date(until_at) - new Date(from_at))})`
      : el("b", {}, `Since ${when(from_at)}`), `: ${WHY[why] ?? why}`);
    fill(this.outages, el("h3", {}, `When ${board} was away`), downtimes.length
      ? el("ul", {}, downtimes.map(line)) : el("p", { class: "quiet" }, "It was never missed."));
  }
}

// What the share is of; and what is neither good nor bad.
export function inAll(counts) {
  const sum = (list) => list.reduce((total, [, count]) => total + count, 0);
  const [all, more] = [Object.entries(counts), Object.entries(counts).filter(([status]) => UNDECIDED.includes(status))];
  return `of ${sum(all) - sum(more)}${sum(more) ? `; ${sum(more)} open or cancelled` : ""}`;
}

function alertLine(alert) {
  const open = alert.until_at === null;
  const time = open ? `since ${when(alert.since)}` : `${when(alert.since)} to ${when(alert.until_at)}`;
  if (alert.kind !== "failures") {
    return el("li", { class: open ? "open" : "quiet", "data-alert": alert.board_id }, el("b", {}, alert.board_id), ` ${alert.error}, ${time}`);
  }
  return el("li", { class: open ? "open" : "quiet", "data-alert": alert.board_id },
    el("b", {}, alert.board_id), ` ${open ? "fails again and again" : "failed again and again"}, ${time}: `,
    `${alert.failures} failures, the last: ${inWords(alert.error) || "no answer"}. `,
    el("button", { type: "button", class: "link", "data-command": alert.command_id }, "Show it"));
}

export function show(node, context) {
  return new Health(node, context).load();
}
