// What a board measures: a card for each sensor, and a chart of those that are chosen.

import { call, get } from "./api.js";
import { Chart, clockOf, colour, digits, fullTime, valueInWords } from "./chart.js";
import { el, fill, options } from "./dom.js";
import { may } from "./rights.js";
import { duration, sensorError, told } from "./words.js";

const RANGES = { hour: 3600, day: 86400, week: 7 * 86400, month: 30 * 86400, year: 365 * 86400 };
const POINTS = 400;
const ROWS = 100; // of the table
const [CHOSEN, UNITS] = [4, 2]; // sensors in the chart at first, and of how many units
const [SOONEST_MS, LATEST_MS] = [2000, 15000]; // between two looks at what has come
const TICK_MS = 1000;
const EMPTY = "No board has told of a reading yet. A board measures what its sensors.json names; the README says how.";

class Sensors {
  #cards = new Map(); // sensor -> {node, spark, ...}
  #chosen = null; // the sensors in the chart; null: the first ones
  #board = "";
  #loaded = 0; // when
  #asked = 0;
  #stale = true;

  constructor(node, { store, session }) {
    Object.assign(this, { node, store, session });
    this.pick = el("select", { name: "board" });
    this.ranges = el("div", { class: "buttons ranges", role: "group", "aria-label": "Range" },
      Object.keys(RANGES).map((name) => el("button", { type: "button", class: "plain", "data-range": name,
        onclick: () => { this.range = name; this.#changed(); } }, name)));
    this.cards = el("div", { class: "sensor-cards" });
    this.plot = el("div", { class: "plot" });
    this.note = el("p", { class: "quiet" });
    this.table = el("table", { id: "reading-table" });
    this.more = el("details", { ontoggle: () => this.#tell() }, el("summary", {}, "Values"),
      el("div", { class: "table-card" }, this.table));
    this.error = el("p", { class: "error", role: "alert" });
    this.card = el("div", { class: "card chart-card" }, this.ranges, this.plot, this.note, this.more);
    this.empty = el("p", { class: "quiet" }, EMPTY);
    node.append(el("h2", {}, "Sensors"), el("div", { class: "filters" }, el("label", {}, "Board ", this.pick)),
      this.error, this.empty, this.cards, this.card);
    this.chart = new Chart(this.plot);
    this.range = "hour";
    this.pick.addEventListener("change", () => { location.hash = `#sensors/${this.pick.value}`; });
    addEventListener("hashchange", () => this.follow());
    store.addEventListener("boards", () => this.#heard());
    setInterval(() => this.#tick(), TICK_MS);
  }

  // The board that the address names, or the first that measures anything.
  follow() {
    const [view, wanted] = location.hash.slice(1).split("/");
    if (view !== "sensors") return;
    const ids = [...this.store.boards.values()].filter((one) => one.state !== "pending_mapping").map((one) => one.id).sort();
    const measuring = ids.filter((id) => Object.keys(this.store.boards.get(id).sensors).length
      || this.store.boards.get(id).has.includes("sensors"));
    const board = ids.includes(wanted) ? wanted : measuring[0] ?? ids[0] ?? "";
    options(this.pick, "…", ids.map((id) => [id, this.store.boards.get(id).name || id]));
    this.pick.value = board;
    if (!board) this.#show();
    if (board !== this.#board) {
      this.#board = board;
      this.#chosen = this.known = this.window = null;
      this.#show();
      this.#changed();
    }
  }

  #changed() {
    this.#stale = true;
    this.#loaded = 0;
    this.#tick();
  }

  // A board has changed: the newest values at once, the lines when it is time to.
  #heard() {
    this.#stale = this.#stale || this.node.hidden;
    if (this.node.hidden) return;
    this.follow();
    const sensors = JSON.stringify(this.store.boards.get(this.#board)?.sensors);
    if (sensors === this.sensors) return;
    this.sensors = sensors;
    this.#stale = true;
    const known = new Set((this.known ?? []).map((one) => one.sensor));
    if (Object.keys(JSON.parse(sensors ?? "{}")).some((name) => !known.has(name))) this.#changed();
    this.#newest();
  }

  #tick() {
    if (document.hidden || this.node.hidden || !this.#board) return;
    const pause = this.range === "hour" ? SOONEST_MS : LATEST_MS;
    if (this.#stale && Date.now() - this.#loaded >= pause) this.load();
    this.#newest();
  }

  async load() {
    const asked = ++this.#asked;
    this.#loaded = Date.now();
    this.#stale = false;
    const [to, length] = [Date.now() / 1000, RANGES[this.range]];
    const query = `from=${iso(to - length)}&to=${iso(to)}`;
    const base = `/boards/${this.#board}`;
    try {
      const [sensors, readings] = await Promise.all([get(`${base}/sensors`),
        get(`${base}/readings?${query}&points=${POINTS}`)]);
      if (asked !== this.#asked) return;
      this.known = sensors.sensors;
      this.series = new Map(readings.series.map((one) => [one.sensor, one]));
      this.window = [to - length, to];
      this.query = query;
      this.error.textContent = "";
      await this.#show();
    } catch (why) {
      this.#stale = true;
      this.error.textContent = told(why);
    }
  }

  get #zone() {
    const site = this.store.sites.get(this.store.boards.get(this.#board)?.site);
    return site?.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  // The names of the sensors in the chart.
  get #shown() {
    const known = this.known ?? [];
    const units = [...new Set(known.map((one) => one.unit))].slice(0, UNITS);
    const first = known.filter((one) => units.includes(one.unit)).slice(0, CHOSEN);
    return (this.#chosen ? known.filter((one) => this.#chosen.has(one.sensor)) : first).map((one) => one.sensor);
  }

  #lines() {
    return (this.known ?? []).map((one, index) => ({ name: one.label || one.sensor, sensor: one.sensor,
      unit: one.unit, colour: colour(index), span_s: 1, buckets: [], limits: one.watched,
      ...this.series.get(one.sensor) }));
  }

  async #show() {
    for (const range of this.ranges.children) {
      range.setAttribute("aria-pressed", String(range.dataset.range === this.range));
    }
    this.empty.hidden = this.#board !== "" && this.known?.length !== 0;
    this.card.hidden = !this.known?.length;
    if (!this.window) {
      this.#cards.clear();
      return this.cards.replaceChildren();
    }
    const lines = this.#lines();
    this.#lay(lines);
    const shown = lines.filter((line) => this.#shown.includes(line.sensor));
    await this.chart.draw(shown, ...this.window, this.#zone);
    const link = el("a", { href: `/api/v1/boards/${this.#board}/readings.csv?${this.query}&sensor=${this.#shown.join()}`,
      download: "" }, "Download as CSV");
    fill(this.note, `Times in ${this.#zone}. `, this.#shown.length ? link : "Choose a sensor above.");
    this.#tell();
  }

  // The cards, each with its sparkline; made anew only where the sensors are others.
  #lay(lines) {
    const same = lines.map((line) => line.sensor).join() === [...this.#cards.keys()].join();
    if (!same) {
      this.#cards = new Map(lines.map((line, index) => [line.sensor, this.#card(line, this.known[index])]));
      this.cards.replaceChildren(...[...this.#cards.values()].map((card) => card.node));
    }
    for (const line of lines) {
      const card = this.#cards.get(line.sensor);
      card.title.textContent = line.name;
      card.choose.setAttribute("aria-pressed", String(this.#shown.includes(line.sensor)));
      card.spark.draw([{ ...line, limits: [] }], ...this.window, this.#zone).catch(() => null);
    }
    this.#newest();
  }

  #card(line, sensor) {
    const [title, value, spark] = [el("b", {}), el("p", { class: "sensor-value" }), el("div", { class: "spark" })];
    const choose = el("button", { type: "button", class: "choose", "aria-label": `${line.name} in the chart`,
      onclick: () => this.#choose(line.sensor) }, el("span", { class: `mark ${line.colour.slice(2)}` }), title, spark);
    const admin = may(this.session, "admin", this.store.boards.get(this.#board)?.site ?? null);
    const node = el("div", { class: "card sensor", "data-sensor": line.sensor }, choose, value,
      admin && this.#noteForm(sensor));
    return { node, title, value, choose, spark: new Chart(spark, { small: true, height: 44 }) };
  }

  #choose(sensor) {
    const chosen = new Set(this.#shown);
    if (!chosen.delete(sensor)) chosen.add(sensor);
    this.#chosen = chosen;
    this.#show();
  }

  // The newest value of each, with its age: what the stream told is newer than what was asked for.
  #newest() {
    const live = this.store.boards.get(this.#board)?.sensors ?? {};
    for (const sensor of this.known ?? []) {
      const one = { ...sensor, ...live[sensor.sensor] };
      const crossed = Object.entries(sensor.limits).filter(([, state]) => state === "crossed").map(([name]) => name);
      const node = this.#cards.get(sensor.sensor)?.value;
      if (node) fill(node, el("b", {}, one.value === null ? "no value" : `${digits(one.value)} ${one.unit}`.trim()),
        el("span", { class: "quiet" }, one.at ? ` ${ago(one.at)}` : ""),
        one.error && el("span", { class: "crossed" }, ` · ${sensorError(one.error)}`),
        crossed.length > 0 && el("span", { class: "crossed" }, ` · ${crossed.join(", ").replaceAll("_", " ")}`));
    }
  }

  // The newest buckets as a table, while it is open.
  #tell() {
    if (!this.more.open || !this.window) return;
    const clock = clockOf(this.#zone);
    const lines = this.#lines().filter((line) => this.#shown.includes(line.sensor));
    const rows = new Map();
    for (const [column, { buckets, unit }] of lines.entries()) {
      for (const one of buckets.filter((bucket) => bucket.count)) {
        if (!rows.has(one.at)) rows.set(one.at, []);
        rows.get(one.at)[column] = valueInWords(one.mean, one.min, one.max, unit);
      }
    }
    const newest = [...rows].sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, ROWS);
    const heads = ["Time", ...lines.map((line) => line.name)].map((text) => el("th", { scope: "col" }, text));
    fill(this.table, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, newest.map(([at, cells]) =>
      el("tr", {}, el("td", { class: "time" }, fullTime(clock, new Date(at) / 1000)),
        lines.map((_, column) => el("td", {}, cells[column] ?? ""))))));
  }

  #noteForm(sensor) {
    const number = (name, title) => el("label", {}, title,
      el("input", { name, type: "number", step: "any", value: sensor[name] }));
    const error = el("p", { class: "error", role: "alert" });
    const save = async (event) => {
      event.preventDefault();
      const { label, low, high } = event.target.elements;
      const bound = (field) => (field.value === "" ? null : Number(field.value));
      const body = { label: label.value.trim(), low: bound(low), high: bound(high) };
      try {
        await call("PUT", `/boards/${this.#board}/sensors/${sensor.sensor}`, body);
        error.textContent = "";
        event.target.closest("details").open = false;
        this.#changed();
      } catch (why) {
        error.textContent = told(why);
      }
    };
    return el("details", {}, el("summary", {}, "Name and range"), el("form", { class: "stack", onsubmit: save },
      el("label", {}, "Name", el("input", { name: "label", maxlength: 64, value: sensor.label, placeholder: sensor.sensor })),
      number("low", `Least that can be right, ${sensor.unit || "no unit"}`),
      number("high", `Most that can be right, ${sensor.unit || "no unit"}`), error,
      el("button", { type: "submit", class: "primary" }, "Save")));
  }

}

const iso = (seconds) => new Date(seconds * 1000).toISOString();

function ago(time) {
  const ms = Date.now() - new Date(time);
  return ms < 15000 ? "just now" : `${duration(ms)} ago`;
}

export function show(node, context) {
  new Sensors(node, context).follow();
}
