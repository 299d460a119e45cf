// What can be asked of one actuator, or of the board: fields and buttons made from the verbs.

import { el } from "./dom.js";
import { label } from "./words.js";

const FIRST = { "set_wake_schedule.seconds": 600, amount: 20, ml: 250, seconds: 10, speed: 50, send: true };
const NAMES = {
  amount: "Amount", seconds: "Time", speed: "Speed", quality: "Quality", flash: "With its light on",
  send: "Send it at once", version: "Version", url: "Address of its release.json", image_id: "Name of the picture",
  sha256: "SHA-256 of that file", awake_s: "Stay awake at most", quiet_s: "Sleep when quiet for",
  "set_wake_schedule.seconds": "Wake every (0: stay awake)",
};
const MEASURES = { seconds: "by time", amount: "by amount" };

// [{type, value, choice, kind, required, optional, ...}] of one verb.
export const casesOf = (type, verbs) =>
  verbs[type].cases.map((one) => ({ ...one, type, choice: verbs[type].choice }));

// The same of all verbs for an actuator; `about` is what its board says of it.
export function casesFor(about, verbs) {
  return Object.keys(verbs).filter((type) => verbs[type].actuator === about.kind)
    .flatMap((type) => casesOf(type, verbs)).map((one) => (about.ml_per_second ? one : byTime(one)));
}

// A valve that was not measured goes by the time.
function byTime(one) {
  if (!one.one_of.includes("seconds")) return one;
  return { ...one, required: { seconds: one.optional.seconds }, optional: {}, one_of: [] };
}

function startValue(type, name, shape, required) {
  if (!required) return "";
  const first = FIRST[`${type}.${name}`] ?? FIRST[shape["x-unit"]] ?? FIRST[name] ?? shape.minimum;
  return Math.min(Math.max(first, shape.minimum), shape.maximum);
}

function choice(name, shape) {
  const options = [el("option", { value: "" }, "as it is"), ...shape.enum.map((one) => el("option", { value: one }, one))];
  return el("label", { class: "field" }, el("span", {}, NAMES[name] || name), el("select", { name }, options));
}

function inputOf(type, name, shape, required) {
  if (shape.type === "boolean") return el("input", { name, type: "checkbox", checked: !!FIRST[name] });
  if (shape.type === "string") {
    return el("input", { name, type: "text", required, maxlength: shape.maxLength,
      pattern: shape.pattern?.replace(/^\^|\$$/g, ""), autocomplete: "off", spellcheck: "false" });
  }
  return el("input", {
    name,
    type: required && shape["x-unit"] === "%" ? "range" : "number",
    min: shape.minimum,
    max: shape.maximum,
    step: shape.type === "integer" ? 1 : "any",
    required,
    value: String(startValue(type, name, shape, required)),
  });
}

function field(type, name, shape, required) {
  if (shape.enum) return choice(name, shape);
  const unit = shape["x-unit"] || "";
  const input = inputOf(type, name, shape, required);
  const words = NAMES[`${type}.${name}`] || NAMES[name] || name;
  if (input.type === "checkbox") return el("label", { class: "field tick" }, input, el("span", {}, words));
  const slider = input.type === "range";
  const shown = el("output", {}, slider ? `${input.value} %` : unit);
  if (slider) input.addEventListener("input", () => { shown.textContent = `${input.value} %`; });
  const look = slider ? "slider" : shape.type === "string" ? "wide" : "";
  return el("label", { class: `field ${look}` },
    el("span", {}, words + (required ? "" : " (optional)")), el("span", { class: "with-unit" }, input, shown));
}

// {name: [shape, required]} of all cases together.
function fieldsOf(cases) {
  const out = {};
  for (const one of cases) {
    for (const [name, shape] of Object.entries(one.optional)) {
      out[name] ??= [shape, one.one_of.includes(name)];
    }
    for (const [name, shape] of Object.entries(one.required)) out[name] = [shape, true];
  }
  return Object.fromEntries(Object.entries(out).sort(([, a], [, b]) => b[1] - a[1]));
}

// Where one of several is to be given: which; the others are hidden and left out.
function measure(names, form) {
  const select = el("select", { "aria-label": "Measured" },
    names.map((name) => el("option", { value: name }, MEASURES[name] || name)));
  const show = () => names.forEach((name) => {
    const input = form.elements[name];
    input.disabled = input.closest("label").hidden = name !== select.value;
  });
  select.addEventListener("input", show); // before the form hears of it, and names its buttons
  form.append(select);
  show();
}

// The parameters of a case as the form has them; null where a field is wrong.
export function parametersOf(one, form) {
  const out = one.choice ? { [one.choice]: one.value } : {};
  for (const name of Object.keys({ ...one.required, ...one.optional })) {
    const input = form.elements[name];
    if (input.disabled) continue;
    if (!input.checkValidity() || (name in one.required && input.value === "")) return null;
    if (input.type === "checkbox") {
      if (input.checked !== input.defaultChecked) out[name] = input.checked;
    } else if (input.value !== "") {
      out[name] = ["text", "select-one"].includes(input.type) ? input.value : Number(input.value);
    }
  }
  return out;
}

const style = ({ type, kind }) => (type === "emergency_stop" ? "emergency" : kind === "stop" ? "stop" : "primary");

function button(one, index, form, send) {
  const node = el("button", { type: index ? "button" : "submit", class: style(one) });
  const unsaid = Object.fromEntries(Object.keys(one.required).map((name) => [name, "…"]));
  const show = () => {
    const parameters = parametersOf(one, form);
    node.disabled = parameters === null;
    if (parameters) node.textContent = label(one.type, one.value, parameters);
    else if (!node.textContent) node.textContent = label(one.type, one.value, unsaid);
  };
  const click = () => {
    const parameters = parametersOf(one, form);
    if (parameters) send(one.type, parameters, one);
  };
  if (index) node.addEventListener("click", click);
  else form.addEventListener("submit", (event) => { event.preventDefault(); click(); });
  form.addEventListener("input", show);
  return [node, show];
}

// A form for these cases. `send(command type, parameters, case)` is called for a click.
export function actionForm(name, cases, send) {
  const form = el("form", { class: "action", "aria-label": `Actions of ${name}`, novalidate: true });
  form.append(...Object.entries(fieldsOf(cases)).map(([id, [shape, must]]) => field(cases[0].type, id, shape, must)));
  const either = cases.find((one) => one.one_of.length > 1);
  if (either) measure([...either.one_of].reverse(), form);
  const buttons = cases.map((one, index) => button(one, index, form, send));
  form.append(el("div", { class: "buttons" }, buttons.map(([node]) => node)));
  buttons.forEach(([, show]) => show());
  return form;
}

// A button for a command without parameters.
export const plainButton = (type, send, look = "plain") =>
  el("button", { type: "button", class: look, onclick: () => send(type, {}) }, label(type, null, {}));

// The buttons for the board as a whole; the emergency stop is last and looks like it.
export const boardButtons = (send) => el("div", { class: "buttons board-buttons" },
  plainButton("stop", send, "stop"), plainButton("emergency_stop", send, "emergency"));

// A form for each thing that can be asked of a board of another dialect as a whole.
export const wholeForms = (verbs, send) => Object.keys(verbs)
  .filter((type) => verbs[type].actuator === null)
  .map((type) => actionForm(type.replaceAll("_", " "), casesOf(type, verbs), send));
