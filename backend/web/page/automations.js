// Automations: what is done by itself when a sensor says so, how each rule stands, and what it did.

import { call, get } from "./api.js";
import { ruleDialog } from "./automation_form.js";
import { actionInWords, condition, executionState, standing, trigger } from "./automation_words.js";
import { chip, el, fill } from "./dom.js";
import { may } from "./rights.js";
import { told, when } from "./words.js";

const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);
const path = (rule) => `/automations/${rule.id}`;
const SHOWN = 30;

const HELP = [
  "An emergency stop or a stop comes before everything, whoever asked for it.",
  "Then the higher priority: what you do by hand has 1000, rules have 0 to 999.",
  "Then age: who was first keeps the target while its limit is crossed; commands of equals queue.",
  "After something was done by hand, a rule leaves the target alone for its hold, and then does its part again if it still applies.",
  "Who loses is told: its execution FAILED as outranked, and names who won. What was under way is called off; what really became of it decides.",
];

export function show(node, context) {
  return new Automations(node, context).load();
}

class Automations {
  #asked = 0;
  #again = false;

  constructor(node, { store, session }) {
    Object.assign(this, { node, store, session, rules: [], executions: [], type: "AUTOMATION" });
    this.error = el("p", { class: "error", role: "alert" });
    this.list = el("div", { class: "sites", id: "rules" });
    this.body = el("tbody");
    this.dialog = el("dialog", { "aria-label": "Automation" });
    const kinds = el("select", { onchange: () => { this.type = kinds.value; this.load(); } },
      el("option", { value: "AUTOMATION" }, "Rules"), el("option", { value: "MANUAL_COMMAND" }, "People, by hand"));
    const titles = ["Time", "Why", "What", "Status"];
    node.append(
      el("div", { class: "view-head" }, el("h2", {}, "Automations"), el("span", { class: "space" }),
        this.#mayMake() && button("Add a rule", () => this.#edit(null), "primary")),
      el("details", { class: "quiet" }, el("summary", {}, "Who wins where several want one thing"),
        el("ol", {}, HELP.map((text) => el("li", {}, text)))),
      this.error, this.list,
      el("section", {}, el("h2", {}, "What was done"),
        el("div", { class: "filters" }, el("label", {}, "By ", kinds)),
        el("div", { class: "card table-card" }, el("table", { id: "executions" },
          el("thead", {}, el("tr", {}, titles.map((one) => el("th", { scope: "col" }, one)))), this.body))),
      this.dialog);
    this.list.addEventListener("click", ({ target }) => {
      const id = Number(target.closest("[data-rule]")?.dataset.rule);
      if (target.dataset.do) this.#do(target.dataset.do, this.rules.find((rule) => rule.id === id));
    });
    for (const kind of ["automation", "site-list"]) store.addEventListener(kind, () => this.load());
    store.addEventListener("command", ({ detail }) => { if (this.type !== "AUTOMATION" && !detail.cause) this.load(); });
    store.addEventListener("boards", () => this.#draw());
    setInterval(() => { if (!document.hidden && !node.hidden) this.#draw(); }, 1000);
  }

  // One question at a time; what changes meanwhile is asked for after it.
  async load() {
    this.#again = true;
    if (this.#asked) return;
    this.#asked = 1;
    try {
      while (this.#again) {
        this.#again = false;
        const [{ automations }, { executions }] = await Promise.all(
          [get("/automations"), get(`/executions?limit=${SHOWN}&type=${this.type}`)]);
        Object.assign(this, { rules: automations, executions });
        this.#say("");
      }
    } catch (why) {
      this.#say(told(why));
    }
    this.#asked = 0;
    this.#draw();
  }

  #mayMake() {
    return this.session.role === "admin" || Object.values(this.session.sites).includes("admin");
  }

  #draw() {
    const none = this.#mayMake()
      ? "There are no rules yet. Add one: it watches a sensor and acts when a limit is crossed."
      : "There are no rules yet. An administrator of the site can add one.";
    fill(this.list, this.rules.length ? this.rules.map((rule) => this.#rule(rule)) : el("p", { class: "quiet" }, none));
    const rows = this.executions.map((one) => this.#execution(one));
    fill(this.body, rows.length ? rows : el("tr", {}, el("td", { colspan: 4, class: "quiet" }, "Nothing was done yet.")));
  }

  #rule(rule) {
    const board = this.store.boards.get(rule.board_id);
    const [kind, words] = standing(rule, board, Date.now());
    const facts = [`priority ${rule.priority}`, rule.for_s && `for ${rule.for_s} s`, rule.cooldown_s && `cool-down ${rule.cooldown_s} s`,
      rule.repeat_s && `again every ${rule.repeat_s} s`, rule.manual_hold_s && `hold ${rule.manual_hold_s} s after people`,
      rule.notify && "tells of it", pushed(rule)];
    return el("section", { class: "card site rule", "data-rule": rule.id, "aria-label": rule.name },
      el("div", { class: "view-head" }, el("span", { class: `dot ${kind}`, "aria-hidden": "true" }), el("h3", {}, rule.name),
        el("span", { class: "space" }), this.#buttons(rule, board)),
      el("p", { class: "standing" }, words),
      el("p", {}, `When ${rule.sensor} of ${board?.name ?? rule.board_id} is ${condition(rule)}: `,
        el("b", {}, actionInWords(rule.action, this.store)),
        rule.clear_action && [", and when it is back: ", el("b", {}, actionInWords(rule.clear_action, this.store))]),
      el("p", { class: "quiet" }, facts.filter(Boolean).join(" · ")));
  }

  #buttons(rule, board) {
    const site = board?.site ?? null;
    return el("div", { class: "buttons" },
      may(this.session, "operator", site) && el("button", { type: "button", class: "plain", "data-do": "switch" }, rule.enabled ? "Switch off" : "Switch on"),
      may(this.session, "admin", site) && [el("button", { type: "button", class: "plain", "data-do": "edit" }, "Edit"),
        el("button", { type: "button", class: "plain", "data-do": "delete" }, "Delete")]);
  }

  #do(what, rule) {
    if (what === "edit") return this.#edit(rule);
    if (what === "delete") {
      return this.#ask(`Delete the rule ${rule.name}? What it has under way is called off.`, () => call("DELETE", path(rule), {}));
    }
    return this.#try(() => call("POST", `${path(rule)}/${rule.enabled ? "disable" : "enable"}`, {}));
  }

  #execution(one) {
    const rule = this.rules.find((known) => known.id === one.automation_id);
    const [status, why] = executionState(one, this.rules);
    const name = one.type === "AUTOMATION" ? rule?.name ?? `Rule ${one.automation_id}, deleted` : one.trigger;
    return el("tr", { "data-execution": one.id },
      el("td", { class: "time" }, when(one.created_at)),
      el("td", { class: "what" }, el("b", {}, name), one.type === "AUTOMATION" && el("span", { class: "quiet why" }, trigger(one, rule))),
      el("td", { class: "where" }, one.command_id ? el("button", { type: "button", class: "link", "data-command": one.command_id }, "Its command")
        : el("span", { class: "quiet" }, one.local_id ? "By the board itself" : "No command was made"),
        el("span", { class: "quiet" }, ` · ${one.board_id}`)),
      el("td", { class: "status" }, chip(status), why && el("span", { class: "quiet why" }, why)));
  }

  #edit(rule) {
    ruleDialog(this.dialog, this.store, rule, async (asked) => {
      await (rule ? call("PATCH", path(rule), asked) : call("POST", "/automations", asked));
      await this.load();
    });
  }

  #ask(question, act) {
    this.dialog.replaceChildren(el("div", { class: "stack" }, el("h2", {}, question),
      el("div", { class: "buttons" }, button("Delete", () => { this.dialog.close(); this.#try(act); }, "primary"),
        button("Cancel", () => this.dialog.close()))));
    this.dialog.showModal();
  }

  async #try(act) {
    await act().then(() => this.load(), (why) => this.#say(told(why)));
  }

  #say(text) {
    this.error.textContent = text;
  }
}

// Whether the board watches the limit itself.
function pushed(rule) {
  if (!rule.push || !rule.enabled) return "";
  if (rule.push === "action") return rule.pushed ? "the board watches and acts by itself" : "the board does not have it yet: nothing is done";
  return rule.pushed ? "the board watches the limit" : "the board does not have it yet: the backend watches";
}
