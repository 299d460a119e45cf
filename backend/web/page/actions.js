// What can be asked of one actuator, or of the board: fields and buttons made from the verbs.

import { el } from "./dom.js";
import { label } from "./words.js";

const FIRST = { amount: 20, seconds: 10, speed: 50 };
const NAMES = { amount: "Amount", seconds: "Time", speed: "Speed" };

// [{type, value, choice, kind, required, optional}] of the verbs for a kind of actuator.
export function casesFor(kind, verbs) {
  return Object.entries(verbs)
    .filter(([, verb]) => verb.actuator === kind)
    .flatMap(([type, verb]) => verb.cases.map((one) => ({ ...one, type, choice: verb.choice })));
}

function startValue(name, shape, required) {
  if (!required) return "";
  return Math.min(Math.max(FIRST[name] ?? shape.minimum, shape.minimum), shape.maximum);
}

function choice(name, shape) {
  const options = [el("option", { value: "" }, "as it is"), ...shape.enum.map((one) => el("option", { value: one }, one))];
  return el("label", { class: "field" }, el("span", {}, NAMES[name] || name), el("select", { name }, options));
}

function field(name, shape, required) {
  if (shape.enum) return choice(name, shape);
  const unit = shape["x-unit"] || "";
  const slider = unit === "%";
  const input = el("input", {
    name,
    type: slider ? "range" : "number",
    min: shape.minimum,
    max: shape.maximum,
    step: shape.type === "integer" ? 1 : "any",
    required,
    value: String(startValue(name, shape, required)),
  });
  const shown = el("output", {}, slider ? `${input.value} %` : unit);
  if (slider) input.addEventListener("input", () => { shown.textContent = `${input.value} %`; });
  return el("label", { class: slider ? "field slider" : "field" },
    el("span", {}, (NAMES[name] || name) + (required ? "" : " (optional)")), el("span", { class: "with-unit" }, input, shown));
}

// {name: [shape, required]} of all cases together.
function fieldsOf(cases) {
  const out = {};
  for (const one of cases) {
    for (const [name, shape] of Object.entries(one.optional)) out[name] ??= [shape, false];
    for (const [name, shape] of Object.entries(one.required)) out[name] = [shape, true];
  }
  return out;
}

// The parameters of a case as the form has them; null where a field is wrong.
function parametersOf(one, form) {
  const out = one.choice ? { [one.choice]: one.value } : {};
  for (const [name] of Object.entries({ ...one.required, ...one.optional })) {
    const input = form.elements[name];
    if (!input.checkValidity() || (name in one.required && input.value === "")) return null;
    if (input.value !== "") out[name] = input.type === "select-one" ? input.value : Number(input.value);
  }
  return out;
}

const style = (one) => ({ dose: "primary", set: "primary", stop: "stop" })[one.kind];

function button(one, index, form, send) {
  const node = el("button", { type: index ? "button" : "submit", class: style(one) });
  const show = () => {
    const parameters = parametersOf(one, form);
    node.disabled = parameters === null;
    if (parameters) node.textContent = label(one.type, one.value, parameters);
    else if (!node.textContent) node.textContent = one.value || one.type;
  };
  const click = () => {
    const parameters = parametersOf(one, form);
    if (parameters) send(one.type, parameters);
  };
  if (index) node.addEventListener("click", click);
  else form.addEventListener("submit", (event) => { event.preventDefault(); click(); });
  form.addEventListener("input", show);
  return [node, show];
}

// The form of an actuator. `send(command type, parameters)` is called for a click.
export function actionForm(name, kind, verbs, send) {
  const cases = casesFor(kind, verbs);
  const form = el("form", { class: "action", "aria-label": `Actions of ${name}`, novalidate: true });
  const fields = Object.entries(fieldsOf(cases)).map(([id, [shape, must]]) => field(id, shape, must));
  form.append(...fields);
  const buttons = cases.map((one, index) => button(one, index, form, send));
  form.append(el("div", { class: "buttons" }, buttons.map(([node]) => node)));
  buttons.forEach(([, show]) => show());
  return form;
}

// The buttons for the board as a whole, of verbs that need no parameters; the emergency stop is
// last and looks like it.
export function boardButtons(verbs, send) {
  const cases = casesFor(null, verbs).filter((one) => !one.open && !Object.keys(one.required).length);
  return el("div", { class: "buttons board-buttons" }, cases.map((one) =>
    el("button", {
      type: "button",
      class: one.type === "emergency_stop" ? "emergency" : one.kind === "stop" ? "stop" : "plain",
      onclick: () => send(one.type, {}),
    }, label(one.type, one.value, {}))));
}
