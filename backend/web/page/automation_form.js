// The form of a rule: its sensor, its limit, and what is to be done, chosen from what there is.

import { actionForm, casesFor } from "./actions.js";
import { actionInWords } from "./automation_words.js";
import { el } from "./dom.js";
import { may } from "./rights.js";
import { told } from "./words.js";

const START = { name: "", comparison: "below", at: "", hysteresis: 0, for_s: 0, cooldown_s: 60, repeat_s: 0,
  manual_hold_s: 300, silent_s: 600, on_silence: "nothing", notify: false, push: "", priority: 500, limit_name: "" };
const MORE = [
  ["for_s", "Beyond it for at least, s"], ["cooldown_s", "Not again within, s"],
  ["repeat_s", "Again while it lasts, every s (0: once)"], ["manual_hold_s", "Leaves alone what people do for, s"],
  ["priority", "Priority, 0 to 999"], ["silent_s", "The sensor is silent after, s (0: never)"],
];
const SILENCE = [["nothing", "tell of it"], ["clear", "tell of it, and undo what was done"]];
const PUSH = [["", "the backend"], ["limit", "the board watches, the backend acts"], ["action", "the board watches and acts, also without the backend"]];

const options = (values, chosen) => values.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
const field = (text, input) => el("label", {}, text, input);
const number = (name, value, more = {}) => el("input", { name, type: "number", step: "any", required: true, value, ...more });

// Shows the dialog for a rule, or for a new one where it is null; `save(values)` may throw.
export function ruleDialog(dialog, store, rule, save) {
  const sensors = sensorsOf(store);
  if (!sensors.length) return say(dialog, "No board of a site that you administer has told of a sensor yet. Give a board sensors first (sensors.json), then add a rule.");
  const known = { ...START, ...rule };
  const form = fields(known, sensors);
  const siteOf = () => store.boards.get(JSON.parse(form.elements.sensor.value)[0])?.site;
  const action = picker("When it is crossed", store, siteOf, known.action ?? null, "Only tell of it (an alert)");
  const undo = picker("When it is back", store, siteOf, known.clear_action ?? null, "Do nothing");
  form.elements.sensor.addEventListener("change", () => { action.show(); undo.show(); });
  const error = el("p", { class: "error", role: "alert" });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await save(valuesOf(form, action.value(), undo.value()));
      dialog.close();
    } catch (why) {
      error.textContent = told(why);
    }
  });
  dialog.replaceChildren(el("div", { class: "stack" }, el("h2", {}, rule ? `Change ${rule.name}` : "A new rule"),
    form, action.node, undo.node, error,
    el("div", { class: "buttons" }, el("button", { class: "primary", type: "submit", form: "rule-form" }, "Save"),
      el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"))));
  dialog.showModal();
}

// [[board, sensor], text] of all that somebody may make rules for.
function sensorsOf(store) {
  return [...store.boards.values()].filter((board) => board.state === "active" && may(store.session, "admin", board.site))
    .flatMap((board) => Object.entries(board.sensors).sort().map(([name, { unit }]) =>
      [JSON.stringify([board.id, name]), `${board.name}: ${name}${unit && ` (${unit})`}`]));
}

function fields(known, sensors) {
  const chosen = JSON.stringify([known.board_id, known.sensor]);
  if (known.board_id && !sensors.some(([value]) => value === chosen)) sensors.push([chosen, `${known.board_id}: ${known.sensor}`]);
  return el("form", { class: "stack", id: "rule-form" },
    field("Name", el("input", { name: "name", required: true, maxlength: 64, value: known.name })),
    field("Sensor", el("select", { name: "sensor" }, options(sensors, chosen))),
    el("div", { class: "row-form" },
      field("Is", el("select", { name: "comparison" }, options([["below", "below"], ["above", "above"]], known.comparison))),
      field("Limit", number("at", known.at)), field("Back by (hysteresis)", number("hysteresis", known.hysteresis, { min: 0 }))),
    field("Judged by", el("select", { name: "push" }, options(PUSH, known.push))),
    el("label", { class: "check" }, el("input", { type: "checkbox", name: "notify", checked: known.notify }), "An alert while it is crossed"),
    el("details", {}, el("summary", {}, "More"), el("div", { class: "stack" },
      MORE.map(([name, text]) => field(text, number(name, known[name], { min: 0, step: 1 }))),
      field("When the sensor is silent", el("select", { name: "on_silence" }, options(SILENCE, known.on_silence))),
      field("A limit in the board's own sensors.json, in place of the one above (optional)",
        el("input", { name: "limit_name", maxlength: 64, value: known.limit_name })))));
}

// Chooses an action: where, then what, by the same forms as by hand.
function picker(title, store, siteOf, chosen, nothing) {
  const where = el("select", { "aria-label": title });
  const what = el("div", {});
  const said = el("p", { role: "status" }); // what is chosen
  const tell = () => { said.textContent = chosen ? actionInWords(chosen, store) : where.value ? "Choose below what it is to do." : ""; };
  const offer = () => {
    const [board_id, target] = where.value ? JSON.parse(where.value) : [];
    const about = store.boards.get(board_id)?.actuators[target];
    what.replaceChildren(...(about ? [actionForm(`${title} ${target}`, casesFor(about, store.verbsOf(board_id)), (command_type, parameters) => {
      chosen = { board_id, command_type, target, parameters };
      tell();
    })] : []));
  };
  where.addEventListener("change", () => { chosen = null; offer(); tell(); });
  const show = () => {
    const places = [...store.boards.values()].filter((board) => board.state === "active" && board.site === siteOf())
      .flatMap((board) => Object.keys(board.actuators).sort().map((name) => [JSON.stringify([board.id, name]), `${board.name}: ${name}`]));
    const now = chosen ? JSON.stringify([chosen.board_id, chosen.target ?? ""]) : where.value;
    where.replaceChildren(...options([["", nothing], ...places], now));
    if (chosen && where.value !== now) where.append(...options([[now, actionInWords(chosen, store)]], now));
    offer();
    tell();
  };
  show();
  const node = el("fieldset", { class: "picker" }, el("legend", {}, title), where, said, what);
  return { node, show, value: () => {
    if (where.value && !chosen) throw new Choose(`${title}: choose what it is to do, by its button.`);
    return chosen;
  } };
}

class Choose extends Error {
  status = 400; // told as an answer of the backend's would be
}

function valuesOf({ elements }, action, clear_action) {
  const [board_id, sensor] = JSON.parse(elements.sensor.value);
  const out = { name: elements.name.value.trim(), board_id, sensor, action, clear_action };
  for (const name of ["comparison", "push", "on_silence"]) out[name] = elements[name].value;
  for (const name of ["at", "hysteresis", ...MORE.map(([one]) => one)]) out[name] = Number(elements[name].value);
  return { ...out, limit_name: elements.limit_name.value.trim(), notify: elements.notify.checked || !action };
}

function say(dialog, text) {
  dialog.replaceChildren(el("div", { class: "stack" }, el("p", {}, text),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Close"))));
  dialog.showModal();
}
