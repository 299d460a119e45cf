// What is asked for when a schedule is made or changed: boards, action, and when; with the next
// five times as they would be.

import { call } from "./api.js";
import { el, fill } from "./dom.js";
import { Picker } from "./picker.js";
import { told } from "./words.js";

const DAYS = { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" };
const EVERY = { 1: "minute", 2: "2 minutes", 5: "5 minutes", 10: "10 minutes", 15: "15 minutes",
  20: "20 minutes", 30: "30 minutes", 60: "hour" };
const HOWS = { daily: "Every day at", weekdays: "On weekdays at", every: "Every", cron: "By a cron expression", once: "Once, at" };
const CATCH_UP = { skip: "is passed over", once: "is done once", all: "is done for each time" };

const field = (label, input) => el("label", {}, label, input);
const input = (name, type, value, more = {}) => el("input", { name, type, value: value ?? "", ...more });
const select = (name, choices, chosen) => el("select", { name },
  Object.entries(choices).map(([value, text]) => el("option", { value, selected: value === String(chosen) }, text)));

// How a schedule's times look in the form: [choice, time, minutes].
function choiceOf({ cron, at, words }) {
  if (at && words) return ["once", "08:00", 10];
  const fixed = cron?.match(/^(\d{1,2}) (\d{1,2}) \* \* (\*|1-5)$/);
  if (fixed) return [fixed[3] === "*" ? "daily" : "weekdays", `${fixed[2].padStart(2, "0")}:${fixed[1].padStart(2, "0")}`, 10];
  const even = cron?.match(/^\*\/(\d+) \* \* \* \*$/)?.[1] ?? (cron === "0 * * * *" ? "60" : cron === "* * * * *" ? "1" : "");
  return EVERY[even] ? ["every", "08:00", even] : [cron ? "cron" : "daily", "08:00", 10];
}

export class ScheduleForm {
  #timer = null;

  // `save(values)` is awaited; what it throws is shown. `close()` is called after it, and by Cancel.
  constructor(store, known, save, close) {
    Object.assign(this, { store, known, save, close });
    this.picker = new Picker(store, "admin", known, () => this.#look());
    this.error = el("p", { class: "error", role: "alert" });
    this.preview = el("div", { class: "preview", "aria-live": "polite" });
    this.form = this.#form();
    this.node = el("div", { class: "stack wide-form" },
      el("h2", {}, known.id ? `Change ${known.name}` : "A new schedule"), this.picker.node, this.form);
    this.form.addEventListener("input", () => this.#look());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.picker.site.addEventListener("change", () => this.#look());
    this.#look();
  }

  #form() {
    const { known } = this;
    const window = known.window ?? {};
    const [how, time, minutes] = choiceOf(known);
    const zoned = known.zone && known.at ? local(known.at, known.zone) : "";
    return el("form", { class: "stack", novalidate: true },
      el("fieldset", {}, el("legend", {}, "When"),
        el("div", { class: "pair" }, select("how", HOWS, how), input("time", "time", time, { "aria-label": "Time" }),
          select("minutes", EVERY, minutes), input("cron", "text", known.cron, { placeholder: "0 8 * * 1-5", maxlength: 100, "aria-label": "Cron", spellcheck: "false" }),
          input("at", "datetime-local", zoned, { "aria-label": "Date and time" })),
        el("details", { open: Object.keys(window).length > 0 || Boolean(known.timezone) }, el("summary", {}, "Only on some days, or between times"),
          el("div", { class: "ticks" }, Object.entries(DAYS).map(([day, text]) => el("label", { class: "check" },
            el("input", { type: "checkbox", name: "day", value: day, checked: !window.days?.length || window.days.includes(day) }), text))),
          el("div", { class: "pair" }, field("From", input("from", "time", window.from)), field("until", input("until", "time", window.until)),
            field("First day", input("first_date", "date", window.first_date)), field("Last day", input("last_date", "date", window.last_date))),
          field("Time zone (empty: the site's)", input("timezone", "text", known.timezone, { placeholder: "Europe/Rome", maxlength: 64 }))),
        this.preview),
      el("div", { class: "pair" }, field("What was missed while the backend was down", select("catch_up", CATCH_UP, known.catch_up ?? "skip")),
        field("but not if older than (minutes)", input("age", "number", (known.catch_up_s ?? 3600) / 60, { min: 0, max: 1440 }))),
      el("details", {}, el("summary", {}, "More"), el("div", { class: "pair" },
        field("Not begun within (s) it is dropped", input("expires_in", "number", known.expires_in, { min: 1, placeholder: "as usual" })),
        field("Boards a minute", input("per_minute", "number", known.per_minute, { min: 1, max: 6000, placeholder: "all at once" })),
        field("Priority (people: 1000)", input("priority", "number", known.priority ?? 500, { min: 0, max: 999 })))),
      field("Name", input("name", "text", known.name, { maxlength: 64, placeholder: "Morning feed" })),
      this.error,
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Save"),
        el("button", { type: "button", class: "plain", onclick: () => this.close() }, "Cancel")));
  }

  // `cron` or `at`, `timezone` and `window`, as the API takes them.
  #times() {
    const { elements } = this.form;
    const [hour, minute] = elements.time.value.split(":").map(Number);
    const every = Number(elements.minutes.value);
    const crons = {
      daily: `${minute} ${hour} * * *`, weekdays: `${minute} ${hour} * * 1-5`,
      every: every === 60 ? "0 * * * *" : every === 1 ? "* * * * *" : `*/${every} * * * *`, cron: elements.cron.value.trim(),
    };
    const how = elements.how.value;
    const timezone = elements.timezone.value.trim();
    if (how === "once") return { at: elements.at.value, timezone };
    const days = [...this.form.querySelectorAll("[name=day]:checked")].map((box) => box.value);
    const window = { days: days.length < 7 ? days : [] };
    for (const name of ["from", "until", "first_date", "last_date"]) window[name] = elements[name].value;
    return { cron: crons[how], timezone, window: Object.fromEntries(Object.entries(window).filter(([, value]) => value.length)) };
  }

  #look() {
    const { elements } = this.form;
    const how = elements.how.value;
    this.error.textContent = "";
    elements.time.hidden = !["daily", "weekdays"].includes(how);
    elements.minutes.hidden = how !== "every";
    elements.cron.hidden = how !== "cron";
    elements.at.hidden = how !== "once";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), 250);
  }

  async #ask() {
    const site = this.store.sites.has(this.picker.site.value) ? { site: this.picker.site.value } : {};
    const times = this.#times();
    if (times.at === "" || times.cron === "") return fill(this.preview, el("p", { class: "quiet" }, "Say when."));
    try {
      const found = await call("POST", "/schedules/preview", { ...times, ...site, count: 5 });
      return fill(this.preview, el("p", { class: "quiet" }, `${found.words}, by the clocks of ${found.zone}. Next:`),
        el("ol", {}, found.times.map(({ local }) => el("li", {}, spoken(local)))));
    } catch (why) {
      return fill(this.preview, el("p", { class: "error" }, told(why)));
    }
  }

  async #submit() {
    const { elements } = this.form;
    const number = (name) => (elements[name].value === "" ? null : Number(elements[name].value));
    try {
      const does = this.picker.value();
      await this.save({ ...does, ...this.#times(), name: elements.name.value.trim() || this.picker.choice.textContent.replace("Chosen: ", "").slice(0, 64),
        catch_up: elements.catch_up.value, catch_up_s: Math.round(number("age") * 60), expires_in: number("expires_in"),
        per_minute: number("per_minute"), priority: number("priority") ?? 500 });
      this.close();
    } catch (why) {
      this.error.textContent = why.status || why.name !== "Error" ? told(why) : why.message;
    }
  }
}

// 2027-03-28T03:00:00+02:00 as "Sun 28 Mar 2027, 03:00 (+02:00)": what the clocks there show.
export function spoken(text) {
  const day = new Date(`${text.slice(0, 10)}T12:00:00`);
  const shown = day.toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return `${shown}, ${text.slice(11, 16)} (${text.slice(19)})`;
}

// An instant as the clocks of a zone show it, for an input.
function local(at, zone) {
  return new Date(at).toLocaleString("sv", { timeZone: zone }).replace(" ", "T").slice(0, 16);
}
