// A chart of readings: a line for each sensor through the means of its buckets, a band from their
// least to their greatest, a break where nothing was measured, dashes where its limits are.
// The library (see backend/web/charting.py) is loaded when the first chart is drawn.

import { el } from "./dom.js";

const COLOURS = ["--accent", "--amber", "--blue", "--bad", "--good", "--quiet"];
const DAY_S = 86400;
const NULL_EXPAND = 2; // uPlot: a gap is one also where other lines have points
const BAND = "28"; // how much of a line's colour its band has, in hexadecimal

let library = null;
const dark = matchMedia("(prefers-color-scheme: dark)");
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// uPlot, or an Error where it can't be had.
function loaded() {
  library ??= new Promise((done, failed) => {
    const script = el("script", { src: "/page/uplot.js" });
    script.onload = () => done(globalThis.uPlot);
    script.onerror = () => { library = null; failed(new Error("The charts can't be loaded; try again.")); };
    document.head.append(el("link", { rel: "stylesheet", href: "/page/uplot.css" }), script);
  });
  return library;
}

export const colour = (index) => COLOURS[index % COLOURS.length];

// A number with as many digits as are worth reading.
export const digits = (value) => (value === null || value === undefined ? "–"
  : new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4, useGrouping: false }).format(value));

// Times in a zone: (seconds since 1970, {parts of Intl.DateTimeFormat}) as text.
export function clockOf(zone) {
  const made = new Map();
  return (seconds, parts) => {
    const key = JSON.stringify(parts);
    if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(undefined, { timeZone: zone, hourCycle: "h23", ...parts }));
    return made.get(key).format(new Date(seconds * 1000));
  };
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const DATE = { day: "numeric", month: "short" };
const FULL = { ...DATE, year: "numeric", ...TIME, second: "2-digit" };
export const fullTime = (clock, seconds) => clock(seconds, FULL);

// What stands at the axis: the date where a new one begins, else the time.
function axisTexts(clock, splits, step) {
  if (step >= 27 * DAY_S) return splits.map((at) => clock(at, { month: "short", year: "numeric" }));
  if (step >= DAY_S) return splits.map((at) => clock(at, DATE));
  const time = step >= 60 ? TIME : { ...TIME, second: "2-digit" };
  return splits.map((at, index) => {
    const date = clock(at, DATE);
    return index && clock(splits[index - 1], DATE) === date ? clock(at, time) : `${clock(at, time)}\n${date}`;
  });
}

const middle = (bucket, span) => new Date(bucket.at) / 1000 + span / 2;

// [times, low, mean, high] of a series.
const table = ({ buckets, span_s }) => [buckets.map((one) => middle(one, span_s)),
  ...["min", "mean", "max"].map((name) => buckets.map((one) => one[name]))];

export class Chart {
  #plot = null;
  #shape = ""; // all of a plot but its data
  #asked = 0;

  // small: a sparkline, without axes and words.
  constructor(node, { small = false, height = 280 } = {}) {
    Object.assign(this, { node, small, height });
    dark.addEventListener("change", () => this.#again());
    new ResizeObserver(() => this.#fit()).observe(node);
  }

  // lines: [{name, unit, colour, span_s, buckets, limits: [{name, value}]}], from and to in seconds.
  async draw(lines, from, to, zone) {
    const asked = ++this.#asked;
    const uPlot = await loaded();
    if (asked !== this.#asked) return;
    this.last = [lines, from, to, zone];
    const known = lines.filter((line) => line.buckets.length);
    const limits = known.flatMap((line) => (line.limits ?? []).map((limit) => ({ ...limit, line })));
    const ends = [[from, to], ...limits.map(({ value }) => [value, value])];
    const tables = [...known.map(table), ends];
    const data = uPlot.join(tables, tables.map((columns) => columns.map(() => NULL_EXPAND)));
    const shape = JSON.stringify([known.map((line) => [line.name, line.unit, line.colour]), limits.map(({ name, value }) => [name, value]), zone]);
    if (this.#plot && shape === this.#shape) return this.#plot.setData(data);
    this.#plot?.destroy();
    this.#shape = shape;
    this.#plot = new uPlot(this.#options(uPlot, known, limits, zone), data, this.node);
  }

  // In other colours.
  #again() {
    this.#shape = "";
    if (this.last) this.draw(...this.last);
  }

  #fit() {
    const width = this.node.clientWidth;
    if (this.#plot && width && width !== this.#plot.width) this.#plot.setSize({ width, height: this.height });
  }

  #options(uPlot, lines, limits, zone) {
    const clock = clockOf(zone);
    const units = [...new Set(lines.map((line) => line.unit))];
    const x = { label: "Time", value: (_, at) => (at === null ? "–" : fullTime(clock, at)) };
    return {
      width: this.node.clientWidth || 300,
      height: this.height,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      legend: { show: !this.small },
      cursor: { show: !this.small, drag: { x: false, y: false } },
      padding: this.small ? [4, 0, 4, 0] : undefined,
      scales: { x: { range: () => [this.last[1], this.last[2]] } },
      axes: this.small ? [{ show: false }, { show: false }] : axes(clock, units),
      series: [x, ...lines.flatMap((line) => seriesOf(line, this.small)), ...limits.map(limitLine)],
      bands: lines.map((line, index) => (
        { series: [3 * index + 3, 3 * index + 1], fill: css(line.colour) + BAND })),
    };
  }
}

function axes(clock, units) {
  const common = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false },
    font: "12px system-ui, sans-serif" };
  const time = { ...common, space: 64, size: 42, values: (_, splits, axis, space, step) => axisTexts(clock, splits, step) };
  const upright = units.slice(0, 2).map((unit, index) => ({ ...common, scale: unit || "1", side: index ? 1 : 3,
    size: 44, label: unit || null, labelSize: 16, labelFont: common.font, grid: { ...common.grid, show: index === 0 },
    values: (_, splits) => splits.map((value) => digits(value)) }));
  return [time, ...upright];
}

// The least, the mean and the greatest; only the mean is a line with words.
function seriesOf({ name, unit, colour: at, ...line }, small) {
  const common = { scale: unit || "1", stroke: css(at), label: name };
  const edge = { ...common, class: "edge", width: 0, points: { show: false } };
  const words = (plot, mean, index, place) => valueInWords(mean, plot.data[index - 1][place], plot.data[index + 1][place], unit);
  const mean = { ...common, width: small ? 1.5 : 2, value: words, ...(small ? { points: { show: false } } : {}) };
  return [edge, mean, { ...edge }];
}

export function valueInWords(mean, low, high, unit) {
  if (mean === null || mean === undefined) return "–";
  const spread = low === high ? "" : ` (${digits(low)} to ${digits(high)})`;
  return `${digits(mean)} ${unit}`.trim() + spread;
}

function limitLine({ name, value, line }) {
  return { scale: line.unit || "1", stroke: css(line.colour), dash: [6, 5], width: 1, spanGaps: true, label: name,
    class: "limit", points: { show: false }, value: () => `${digits(value)} ${line.unit}`.trim() };
}
