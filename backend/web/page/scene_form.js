// A scene's file, pasted or chosen: checked before it is kept, with what is wrong at its place.

import { call } from "./api.js";
import { el } from "./dom.js";
import { may } from "./rights.js";
import { lineOf, offsetOf, placesOf } from "./scene_places.js";
import { told } from "./words.js";

// A scene for a board that there is: one with something to switch on, of a site.
function example(store, site) {
  const action = (at, message) => ({ at, action: "mqtt", topic: "room1/light", message });
  const boards = [...store.boards.values()].filter((one) => one.state === "active" && (one.site ?? "") === site);
  const [to] = boards.flatMap(({ id, actuators }) => Object.keys(actuators)
    .filter((name) => actuators[name].kind === "switch").map((target) => ({ board: id, target })));
  return JSON.stringify({ sceneId: "room1_intro", ...(to && { topics: { "room1/light": to } }), initialState: "START",
    states: { START: { timeline: [action(0, "ON"), action(5, "OFF")],
      transitions: [{ type: "timeout", delay: 6, goto: "END" }] } } }, null, 2);
}

export class SceneForm {
  #places = new Map();

  // `saved()` is called once a scene was kept.
  constructor({ store }, saved) {
    Object.assign(this, { store, saved });
    this.node = el("dialog", { "aria-label": "A scene", class: "scene-dialog" });
  }

  open(scene, site) {
    const sites = [...this.store.sites.values()].filter((one) => may(this.store.session, "admin", one.id));
    const option = (value, text) => el("option", { value, selected: value === (site ?? "") }, text);
    this.known = scene;
    this.site = el("select", { name: "site", disabled: Boolean(scene) },
      this.store.session.role === "admin" && option("", "none"), sites.map((one) => option(one.id, one.name)));
    this.name = el("input", { name: "id", maxlength: 64, value: scene?.id ?? "", disabled: Boolean(scene),
      placeholder: "as in the file (sceneId)" });
    this.text = el("textarea", { name: "scene", rows: 16, spellcheck: "false", "aria-label": "The file",
      oninput: () => this.problems.replaceChildren() });
    this.text.value = scene ? JSON.stringify(scene.scene, null, 2) : example(this.store, this.site.value);
    this.problems = el("ul", { class: "problems", role: "alert" });
    this.node.replaceChildren(this.#form());
    this.node.showModal();
  }

  #form() {
    const file = el("input", { type: "file", accept: ".json,application/json", "aria-label": "Choose a file",
      onchange: async () => { this.text.value = await file.files[0].text(); this.#check(); } });
    const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);
    return el("div", { class: "stack" }, el("h2", {}, this.known ? `Change ${this.known.id}` : "A new scene"),
      el("div", { class: "row-form" }, el("label", {}, "Id", this.name), el("label", {}, "Site", this.site),
        el("label", {}, "File", file)),
      this.text, this.problems,
      el("div", { class: "buttons" }, button("Save", () => this.#save(), "primary"),
        button("Check", () => this.#check()), button("Close", () => this.node.close())));
  }

  #read() {
    try {
      const scene = JSON.parse(this.text.value);
      this.#places = placesOf(this.text.value);
      return { scene, site: this.site.value || null, ...(this.name.value ? { id: this.name.value } : {}) };
    } catch (why) {
      this.#show([{ place: "", reason: `It is no JSON: ${why.message}` }], []);
      return null;
    }
  }

  // True where nothing is wrong.
  async #check() {
    const asked = this.#read();
    if (!asked) return false;
    try {
      const { errors, warnings } = await call("POST", "/scenes/validate", asked);
      this.#show(errors, warnings);
      return errors.length === 0;
    } catch (why) {
      this.#show([{ place: "", reason: told(why) }], []);
      return false;
    }
  }

  async #save() {
    if (!(await this.#check())) return;
    try {
      await call("POST", "/scenes", { ...this.#read(), replace: Boolean(this.known) });
      this.node.close();
      this.saved();
    } catch (why) {
      this.#show([{ place: "", reason: told(why) }], []);
    }
  }

  #show(errors, warnings) {
    const good = el("li", { class: "good" }, warnings.length ? "It can be kept as it is." : "Nothing is wrong with it.");
    this.problems.replaceChildren(...errors.map((one) => this.#problem(one, "error")),
      ...warnings.map((one) => this.#problem(one, "warning")), errors.length ? "" : good);
    if (errors[0]?.place) this.#point(errors[0].place);
  }

  #problem({ place, reason }, kind) {
    if (!place) return el("li", { class: kind }, reason);
    const line = lineOf(this.text.value, offsetOf(this.#places, place));
    return el("li", { class: kind }, el("button", { type: "button", class: "link",
      onclick: () => this.#point(place) }, `Line ${line}`), ` ${place} ${reason}`);
  }

  // Mark the line in the text.
  #point(place) {
    const text = this.text.value;
    const offset = offsetOf(this.#places, place);
    const from = text.lastIndexOf("\n", offset - 1) + 1;
    const to = text.indexOf("\n", offset);
    this.text.focus();
    this.text.setSelectionRange(from, to < 0 ? text.length : to);
    const rows = text.split("\n").length;
    this.text.scrollTop = Math.max(0, (lineOf(text, offset) / rows) * this.text.scrollHeight - 120);
  }
}
