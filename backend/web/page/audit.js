// What was done to people, sites, boards and connections: newest first, older on demand.

import { get } from "./api.js";
import { el } from "./dom.js";
import { when } from "./words.js";

const DEEDS = {
  "user.add": "made the user",
  "user.change": "changed the user",
  "user.password": "set the password of",
  "user.sign_out": "signed out",
  "user.remove": "deleted the user",
  "member.put": "gave a role at a site to",
  "member.remove": "took a role at a site from",
  "token.make": "made the token",
  "token.revoke": "revoked the token",
};

// rollout.begin: "began the rollout"
const DID = { abort: "aborted", add: "added", begin: "began", cancel: "cancelled", change: "changed", delete: "deleted",
  enroll: "enrolled", map: "mapped", pause: "paused", put: "set", remove: "removed", restore: "brought back",
  resume: "resumed", retire: "retired", save: "saved", start: "started", stop: "stopped", unmap: "unmapped" };
const THINGS = { automation: "rule", bulk: "command to many boards", run: "run" };

function deed(action) {
  const [thing, verb] = action.split(".");
  return DEEDS[action] ?? (DID[verb] ? `${DID[verb]} the ${THINGS[thing] ?? thing}` : action);
}

// What has no value is left out; what is inside stands in brackets.
const details = (detail) => Object.entries(detail).map(([name, value]) => [name, inWords(value)])
  .filter(([, text]) => text).map(([name, text]) => `${name} ${text}`).join(", ");

function inWords(value) {
  if (value === null || typeof value !== "object") return String(value ?? "");
  const inside = Array.isArray(value) ? value.map(inWords).join(", ") : details(value);
  return inside && `(${inside})`;
}

export class Audit {
  constructor(node) {
    this.body = el("tbody");
    this.older = el("button", { class: "plain", type: "button", hidden: true, onclick: () => this.#more() }, "Older");
    node.append(el("section", {}, el("h2", {}, "What was done"),
      el("div", { class: "card table-card" }, el("table", { id: "audit" },
        el("thead", {}, el("tr", {}, ["Time", "Who", "What", "Details"].map((text) => el("th", { scope: "col" }, text)))),
        this.body)),
      el("p", { class: "more" }, this.older)));
  }

  async load() {
    this.body.replaceChildren();
    this.#append(await get("/audit"));
  }

  async #more() {
    this.older.disabled = true;
    const page = await get(`/audit?before=${this.next}`).finally(() => { this.older.disabled = false; });
    this.#append(page);
  }

  #append({ entries, next }) {
    this.next = next;
    this.older.hidden = next === null;
    this.body.append(...entries.map((entry) => el("tr", {},
      el("td", { class: "time" }, when(entry.at)),
      el("td", {}, entry.user || "the backend", el("span", { class: "quiet" }, ` ${[entry.via, entry.source].filter(Boolean).join(", ")}`)),
      el("td", {}, `${deed(entry.action)} ${entry.subject}`),
      el("td", { class: "quiet" }, details(entry.detail)))));
  }
}
