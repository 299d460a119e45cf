// A board's settings: what it reported, what was wanted since, what became of that, and a form.

import { get } from "./api.js";
import { plainButton } from "./actions.js";
import { el } from "./dom.js";
import { ended, explain, settingInWords, when } from "./words.js";

const MASK = "***";
const READ = "get_config";
const CHANGE = "update_config";

export class Settings {
  #drawn = "";
  #asked = false;

  constructor(context) {
    Object.assign(this, context);
    this.table = el("div", { class: "settings" });
    this.node = el("form", { class: "config", "aria-label": "Settings", novalidate: true }, this.table,
      el("div", { class: "buttons" },
        el("button", { type: "submit", class: "primary" }, "Change"), plainButton(READ, this.send)));
    this.node.addEventListener("submit", (event) => { event.preventDefault(); this.#change(); });
  }

  // Draw it where anything is new; what somebody has typed stays otherwise.
  show() {
    this.#ask();
    const reported = this.store.newestOf(this.id, [READ, CHANGE], ["COMPLETED"], (one) => !one.parameters.section);
    const wanted = this.store.newestOf(this.id, [CHANGE], null, (one) => !ofLimits(one));
    const known = JSON.stringify([reported?.id, wanted?.id, wanted?.status, wanted?.message]);
    if (known === this.#drawn) return;
    this.#drawn = known;
    this.table.replaceChildren(...this.#head(reported, wanted), ...rows(reported?.result ?? {}, wanted),
      another());
  }

  // What was said before this page was opened.
  #ask() {
    if (this.#asked) return;
    this.#asked = true;
    for (const query of [`${READ}&status=COMPLETED`, `${CHANGE}&status=COMPLETED`, CHANGE]) {
      get(`/commands?board_id=${this.id}&limit=1&command_type=${query}`)
        .then(({ commands }) => { commands.forEach((one) => this.store.put(one)); this.show(); }, () => {});
    }
  }

  #head(reported, wanted) {
    const said = reported ? `As the board reported it, ${when(reported.updated_at)}.`
      : "Not reported yet: read the settings first, or name one below.";
    const why = wanted && fate(wanted);
    return [el("p", { class: "quiet" }, said), why && el("p", { class: `why ${wanted.status.toLowerCase()}` }, why)]
      .filter(Boolean);
  }

  #change() {
    const out = {};
    for (const input of this.table.querySelectorAll("[data-setting]")) {
      const value = valueOf(input);
      if (input.type === "password" ? value !== "" : String(value) !== input.dataset.was) {
        out[input.dataset.setting] = value;
      }
      if (input.type === "password") input.value = "";
    }
    const [name, value] = this.table.querySelectorAll(".another input");
    if (name.value.trim()) out[name.value.trim()] = typed(value.value);
    if (!Object.keys(out).length) return;
    value.value = "";
    this.send(CHANGE, out);
  }
}

// Limits of automations go to the board by the same command.
const ofLimits = (command) => Object.keys(command.parameters).some((name) => name.startsWith("limits-"));

// What became of the last change, in words; "" where it is as wanted.
function fate(command) {
  const names = Object.keys(command.parameters).join(", ");
  if (command.status === "COMPLETED") return "";
  if (!ended(command)) return `Wanted since ${when(command.created_at)}: ${names}. ${explain(command)}`;
  const how = command.status === "REJECTED" ? "refused, nothing has changed" : "not done";
  return `The change of ${names} was ${how}. ${explain(command)}`;
}

function rows(reported, wanted) {
  const names = new Set(Object.keys(reported).filter((name) => name !== "more"));
  for (const name of [...names]) if (/^wifi-\d+-ssid$/.test(name)) names.add(name.replace("ssid", "password"));
  if (names.size) names.add("broker-password");
  const more = reported.more ? [el("p", { class: "quiet" }, `${reported.more} more did not fit into the report.`)] : [];
  const place = (name) => name.replace("password", "~"); // behind what it is the password of
  const sorted = [...names].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  return [...sorted.map((name) => row(name, reported[name], wanted)), ...more];
}

function row(name, value, wanted) {
  const secret = name.endsWith("password");
  const input = el("input", {
    "data-setting": name, "data-was": String(value ?? ""), autocomplete: secret ? "new-password" : "off",
    type: secret ? "password" : typeof value === "boolean" ? "checkbox" : typeof value === "number" ? "number" : "text",
    value: String(value ?? ""), checked: value === true, placeholder: secret ? "unchanged" : null, step: "any",
  });
  return el("label", { class: "setting" },
    el("span", {}, settingInWords(name), el("code", {}, name)), input, differs(name, value, wanted));
}

// What was wanted of a setting and is not reported so.
function differs(name, value, wanted) {
  const wish = wanted?.parameters[name];
  if (wish === undefined || wish === value || (wish === "" && value === undefined)) return null;
  if (wish === MASK && wanted.status === "COMPLETED") return null;
  const text = wish === MASK ? "another one" : wish === "" ? "none" : String(wish);
  return el("span", { class: `wish ${wanted.status.toLowerCase()}` }, `wanted: ${text}`);
}

function another() {
  const value = el("input", { type: "text", placeholder: "its value; empty: none", "aria-label": "Its value",
    autocomplete: "off" });
  const name = el("input", { type: "text", placeholder: "another, e.g. wifi-1-ssid",
    "aria-label": "Name of another setting", autocomplete: "off",
    oninput: () => { value.type = name.value.includes("pass") ? "password" : "text"; } });
  return el("div", { class: "setting another" }, name, value);
}

function valueOf(input) {
  if (input.type === "checkbox") return input.checked;
  return input.type === "number" && input.value !== "" ? Number(input.value) : input.value;
}

// A value typed beside a name nobody knows: true, false and plain numbers are meant as such.
function typed(text) {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d{1,9}$/.test(text) ? Number(text) : text;
}
