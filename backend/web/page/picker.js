// Which boards, and what they are to do: chosen from what there is. What a click on an action says
// becomes the choice; `picker.value()` is {site, label, boards, command_type, target, parameters},
// and throws where something was not chosen. `onchange()` is called when the choice changes.

import { actionForm, casesFor, casesOf } from "./actions.js";
import { el } from "./dom.js";
import { may } from "./rights.js";
import { labelOf } from "./words.js";

const ALL = "*"; // all boards of the site
const SOME = ""; // those that are ticked
const ELSE = "\n"; // no site: all boards there are

const option = (value, text, selected) => el("option", { value, selected }, text);
const words = (type) => type.charAt(0).toUpperCase() + type.slice(1).replaceAll("_", " ");

export class Picker {
  #chosen = null; // {command_type, target, parameters}

  // `role`: what one must be at a site to choose it; `known`: what is chosen already, or {}.
  constructor(store, role, known, onchange) {
    Object.assign(this, { store, known, onchange });
    const sites = [...store.sites.values()].filter((site) => may(store.session, role, site.id));
    const first = known.command_type ? known.site ?? ELSE : sites[0]?.id ?? ELSE;
    this.site = el("select", { "aria-label": "Site", onchange: () => this.#boards() },
      sites.map((site) => option(site.id, site.name, site.id === first)),
      store.session.role === "admin" && option(ELSE, sites.length ? "Everywhere" : "All boards", first === ELSE));
    if (known.id) this.site.disabled = true; // a schedule stays at its site
    this.which = el("select", { "aria-label": "Which boards", onchange: () => this.#actions() });
    this.ticks = el("div", { class: "ticks", role: "group", "aria-label": "Boards", onchange: () => this.#actions() });
    this.of = el("select", { "aria-label": "Of what", onchange: () => this.#forms() });
    this.verb = el("select", { "aria-label": "Action", onchange: () => this.#forms() });
    this.forms = el("div", { class: "inside-form" });
    this.choice = el("p", { class: "choice", role: "status" });
    if (known.command_type) {
      this.#chosen = { command_type: known.command_type, target: known.target, parameters: known.parameters };
    }
    this.node = el("div", { class: "stack" },
      el("fieldset", {}, el("legend", {}, "Which boards"), el("div", { class: "pair" }, this.site, this.which), this.ticks),
      el("fieldset", {}, el("legend", {}, "What they are to do: choose it"), el("div", { class: "pair" }, this.of, this.verb),
        this.forms, this.choice));
    this.#boards();
  }

  value() {
    const boards = this.#ticked();
    if (this.which.value === SOME && !boards.length) throw new Error("Choose which boards: tick at least one.");
    if (!this.#chosen) throw new Error("Choose what they are to do: press one of the actions.");
    return {
      ...(this.site.value === ELSE ? {} : { site: this.site.value }),
      label: [ALL, SOME].includes(this.which.value) ? null : this.which.value,
      boards: this.which.value === SOME ? boards : null,
      ...this.#chosen,
    };
  }

  // The boards that one may choose from.
  #there() {
    return [...this.store.boards.values()].filter((board) => board.state === "active"
      && (this.site.value === ELSE || board.site === this.site.value))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  #ticked() {
    return [...this.ticks.querySelectorAll("input:checked")].map((box) => box.value);
  }

  #boards() {
    const there = this.#there();
    const labels = [...new Set(there.flatMap((board) => board.labels))].sort();
    const count = (label) => there.filter((board) => board.labels.includes(label)).length;
    const chosen = this.known.label ?? (this.known.boards || !this.known.command_type ? SOME : ALL);
    this.which.replaceChildren(...[
      this.site.value !== ELSE && option(ALL, `All of the site (${there.length})`, chosen === ALL),
      ...labels.map((label) => option(label, `All with the label ${label} (${count(label)})`, chosen === label)),
      option(SOME, "These:", chosen === SOME)].filter(Boolean));
    this.ticks.replaceChildren(...there.map((board) => el("label", { class: "check" },
      el("input", { type: "checkbox", value: board.id,
        checked: this.known.boards?.includes(board.id) || there.length === 1 }), board.name)));
    if (!there.length) this.ticks.append(el("p", { class: "quiet" }, "There are no boards here yet."));
    this.#actions();
  }

  #selected() {
    const ticked = this.#ticked();
    return this.#there().filter((board) => (this.which.value === ALL
      || (this.which.value === SOME ? ticked.includes(board.id) : board.labels.includes(this.which.value))));
  }

  #actions() {
    this.ticks.hidden = this.which.value !== SOME;
    const boards = this.#selected();
    const names = [...new Set(boards.flatMap((board) => Object.keys(board.actuators)))].sort();
    const before = this.of.value || this.#chosen?.target;
    this.of.replaceChildren(...names.map((name) => {
      const having = boards.filter((board) => board.actuators[name]);
      const some = having.length < boards.length ? `, at ${having.length} of ${boards.length}` : "";
      return option(name, `${name} (${having[0].actuators[name].kind}${some})`, name === before);
    }), option("", "The board as a whole", before === "" || !names.length));
    this.#forms();
  }

  #forms() {
    const boards = this.#selected();
    const target = this.of.value;
    const board = boards.find((one) => !target || one.actuators[target]);
    const verbs = board ? this.store.verbsOf(board.id) : this.store.verbs;
    const whole = Object.keys(verbs).filter((type) => verbs[type].actuator === null && !verbs[type].cases.some((one) => one.open));
    this.verb.hidden = Boolean(target);
    if (!target) {
      const before = this.verb.value || this.#chosen?.command_type || "capture_image";
      this.verb.replaceChildren(...whole.map((type) => option(type, words(type), type === before)));
    }
    const cases = target ? casesFor(board.actuators[target], verbs) : casesOf(this.verb.value, verbs);
    const pick = (command_type, parameters) => {
      this.#chosen = { command_type, target, parameters };
      this.#say(verbs);
      this.onchange();
    };
    const form = board && actionForm(target || "the board", cases, pick);
    this.forms.replaceChildren(form ?? el("p", { class: "quiet" }, "Choose boards first."));
    if (form) this.#begin(form, target, cases);
    this.#say(verbs);
  }

  // Shows what is chosen already; else the only action there is, is. A change of a number is one of
  // the choice, too.
  #begin(form, target, cases) {
    let pressed = null;
    const chosen = this.#chosen;
    const same = chosen?.target === target && cases.some((one) => one.type === chosen.command_type);
    if (!same) this.#chosen = null;
    for (const [name, value] of Object.entries(same ? chosen.parameters : {})) {
      const input = form.elements[name];
      if (input?.type === "checkbox") input.checked = value;
      else if (input) input.value = value;
    }
    form.dispatchEvent(new Event("input"));
    const buttons = [...form.querySelectorAll("button")];
    if (buttons.length === 1) pressed = buttons[0];
    if (pressed && !same) queueMicrotask(() => pressed.click()); // it is in no document before
    form.addEventListener("click", (event) => { pressed = event.target.closest("button") ?? pressed; });
    form.addEventListener("input", () => { if (pressed?.disabled === false) pressed.click(); });
  }

  #say(verbs) {
    const { target } = this.#chosen ?? {};
    this.choice.textContent = this.#chosen
      ? `Chosen: ${target ? `${target}, ` : ""}${labelOf(this.#chosen, verbs)}` : "Press what they are to do.";
  }
}
