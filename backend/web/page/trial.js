// The folded part under an action form: what the command depends on, and a try of it on a twin.

import { parametersOf } from "./actions.js";
import { call, unsure } from "./api.js";
import { chip, el } from "./dom.js";
import { duration, label } from "./words.js";

const CONDITIONS_MAX = 4;
const AGE_S = 300;

export class Trial {
  #list = el("div", { class: "conditions" });
  #shown = el("div", { class: "trial", "aria-live": "polite" });

  // `cases` are those of the form; `context`: {board (its id), target, store}.
  constructor(cases, context) {
    Object.assign(this, { cases: cases.filter((one) => one.kind !== "stop"), context });
  }

  // Put under its form.
  under(form) {
    this.form = form;
    this.adding = el("button", { type: "button", class: "plain", onclick: () => this.#add() }, "Add a condition");
    const tries = this.cases.map((one) => el("button", { type: "button", class: "plain", "data-try": one.value ?? one.type,
      onclick: ({ currentTarget }) => this.#try(one, currentTarget) }, this.#tryLabel(one)));
    this.summary = el("summary");
    this.#count();
    const node = el("details", { class: "more-of" }, this.summary,
      this.#list, el("div", { class: "buttons" }, this.adding, tries), this.#shown);
    return [form, node];
  }

  // What the command depends on, [{...}]; null where a field is wrong, which is said then.
  conditions() {
    const rows = [...this.#list.children];
    const wrong = rows.flatMap((row) => [...row.querySelectorAll("input")]).find((input) => !input.checkValidity());
    if (!wrong) return rows.map(conditionOf);
    wrong.closest("details").open = true;
    wrong.reportValidity();
    return null;
  }

  // What is folded away must not be forgotten.
  #count() {
    const count = this.#list.children.length;
    this.summary.textContent = count ? `Only if ${count === 1 ? "a condition holds" : `${count} conditions hold`}` : "Only if …, or try it first";
    this.adding.disabled = count >= CONDITIONS_MAX;
  }

  #tryLabel(one) {
    return this.cases.length > 1 ? `Try first: ${one.value}` : "Try it first";
  }

  #add() {
    const board = this.context.store.boards.get(this.context.board);
    const choices = choicesOf(board);
    const what = el("select", { "aria-label": "What it depends on" }, choices.map((one, index) => el("option", { value: index }, one.text)));
    const row = el("div", { class: "condition" }, what);
    const remove = el("button", { type: "button", class: "plain", "aria-label": "Remove this condition",
      onclick: () => { row.remove(); this.#count(); } }, "×");
    const show = () => {
      const { fixed, unit } = choices[what.value];
      row.dataset.fixed = JSON.stringify(fixed);
      row.replaceChildren(what, ...(fixed.sensor ? valueFields(unit) : []), remove);
    };
    what.addEventListener("input", show);
    show();
    this.#list.append(row);
    this.#count();
  }

  async #try(one, button) {
    const parameters = parametersOf(one, this.form);
    const conditions = this.conditions();
    if (!parameters || !conditions) return;
    const { board, target } = this.context;
    const command = { board_id: board, command_type: one.type, target, parameters, dry_run: true,
      ...(conditions.length ? { conditions } : {}) };
    button.disabled = true;
    this.#shown.replaceChildren(el("p", { class: "quiet" }, "A twin of the board is trying it …"));
    try {
      const did = await call("POST", "/commands", command);
      this.#shown.replaceChildren(...story(did, label(one.type, one.value, parameters)));
    } catch (error) {
      const text = unsure(error) && !error.code ? "The backend can't be reached; try again." : error.message;
      this.#shown.replaceChildren(el("p", { class: "error", role: "alert" }, text));
    }
    button.disabled = false;
  }
}

// What a board's commands can depend on: its outputs, and the sensors it was heard of.
function choicesOf(board) {
  const outputs = Object.keys(board.actuators).sort().flatMap((output) =>
    ["off", "on"].map((is) => ({ text: `${output} is ${is}`, fixed: { output, is } })));
  const sensors = Object.entries(board.sensors).sort().flatMap(([sensor, { unit }]) =>
    ["below", "above"].map((limit) => ({ text: `${sensor} is ${limit}`, fixed: { sensor, limit }, unit })));
  return [...sensors, ...outputs];
}

const valueFields = (unit) => [
  el("label", { class: "with-unit" }, el("input", { name: "value", type: "number", step: "any", required: true,
    "aria-label": "Limit" }), el("span", {}, unit)),
  el("label", { class: "with-unit" }, "read in the last", el("input", { name: "age", type: "number", min: 1, max: 86400,
    step: 1, required: true, value: AGE_S, "aria-label": "Its reading may be so many seconds old" }), "s"),
];

function conditionOf(row) {
  const { limit, ...fixed } = JSON.parse(row.dataset.fixed);
  if (!fixed.sensor) return fixed;
  const number = (name) => Number(row.querySelector(`[name=${name}]`).value);
  return { ...fixed, [limit]: number("value"), max_age_s: number("age") };
}

// What a twin did, plainly as such: its result, and a bar for each pin that moved.
function story(did, what) {
  const moved = did.pins.filter((pin) => pin.changes.length);
  const list = (items) => el("ul", {}, items.map((one) => el("li", {}, one)));
  return [
    el("p", {}, el("b", {}, "Only a try: nothing real moved. "), what, " ", chip(did.status)),
    el("p", { class: "quiet" }, did.error ? `${did.message}.` : `It took ${duration(did.took_ms)}${results(did.result)}.`),
    moved.map((pin) => bar(pin, did.took_ms)),
    !moved.length && el("p", { class: "quiet" }, "No pin has changed."),
    el("details", {}, el("summary", {}, "What this twin is, and is not"),
      el("p", { class: "quiet" }, "The same as the board:"), list(did.twin.same),
      el("p", { class: "quiet" }, "Not the same:"), list(did.twin.not_same)),
  ].flat().filter(Boolean);
}

const results = (result) => Object.entries(result).filter(([name]) => name !== "ran_ms")
  .map(([name, value]) => `, ${value} ${name}`).join("");

function bar(pin, tookMs) {
  const whole = Math.max(1.05 * tookMs, 1); // a little more, so that one sees it end
  const spans = [{ ms: 0, percent: pin.before }, ...pin.changes].map((one, index) =>
    ({ ...one, until: pin.changes[index]?.ms ?? whole })).filter((one) => one.percent && one.until > one.ms);
  const track = el("div", { class: "track" }, spans.map((one) => {
    const piece = el("i");
    piece.style.left = `${(100 * one.ms) / whole}%`;
    piece.style.width = `${(100 * (one.until - one.ms)) / whole}%`;
    piece.style.opacity = 0.35 + (0.65 * one.percent) / 100;
    return piece;
  }));
  const name = [pin.output, pin.part].filter(Boolean).join(" ");
  const words = pin.changes.map(({ ms, percent }) =>
    `${percent === 100 ? "on" : percent ? `${percent} %` : "off"} at ${duration(ms)}`).join(", ");
  return el("div", { class: "pin" }, el("span", {}, name, el("span", { class: "quiet" }, ` GPIO ${pin.pin}`)),
    track, el("span", { class: "quiet" }, words));
}
