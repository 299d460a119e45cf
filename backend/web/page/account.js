// What is one's own: the password, and the tokens of one's programs. Administrators see the tokens
// of everybody. A token's secret is shown once, when it is made.

import { call, get } from "./api.js";
import { el } from "./dom.js";
import { isAdmin } from "./rights.js";
import { told, when } from "./words.js";

const SCOPES = { read: "read", command: "send commands", admin: "administer" };
const DAY = 86400;
const LIVES = [["", "never expires"], [DAY, "for a day"], [30 * DAY, "for 30 days"], [365 * DAY, "for a year"]];

export async function show(node, { session }) {
  const tokens = new Tokens(session);
  node.replaceChildren(el("h2", {}, "Password"), passwordForm(), el("h2", {}, "Tokens for programs"), tokens.node);
  await tokens.load();
}

const field = (label, attributes) => el("label", {}, label,
  el("input", { type: "password", required: true, maxlength: 200, ...attributes }));

function passwordForm() {
  const error = el("p", { class: "error", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    const { old, new: fresh } = Object.fromEntries(new FormData(event.target));
    try {
      await call("POST", "/password", { old, new: fresh });
      location.reload(); // every session has ended: sign in with the new one
    } catch (why) {
      error.textContent = told(why);
    }
  };
  return el("form", { class: "row-form", "aria-label": "Change your password", onsubmit: submit },
    field("Old password", { name: "old", autocomplete: "current-password" }),
    field("New password", { name: "new", autocomplete: "new-password", minlength: 8 }),
    el("button", { class: "primary" }, "Change password"),
    el("p", { class: "quiet" }, "You are then signed out everywhere. Tokens stay."), error);
}

class Tokens {
  constructor(session) {
    this.session = session;
    this.error = el("p", { class: "error", role: "alert" });
    this.secret = el("p", { class: "note", role: "status", hidden: true });
    this.body = el("tbody");
    const heads = ["Name", "Of", "Good for", "Used", "Expires", ""].map((text) => el("th", { scope: "col" }, text));
    this.node = el("div", {}, this.#form(), this.error, this.secret,
      el("div", { class: "card table-card" }, el("table", { id: "tokens" }, el("thead", {}, el("tr", {}, heads)), this.body)));
  }

  async load() {
    const rows = (await get("/tokens")).tokens;
    this.body.replaceChildren(...rows.map((row) => this.#row(row)));
    if (!rows.length) this.body.append(el("tr", {}, el("td", { colspan: 6, class: "quiet" }, "No tokens yet.")));
  }

  async #try(what) {
    try {
      await what();
      this.error.textContent = "";
      await this.load();
    } catch (why) {
      this.error.textContent = told(why);
    }
  }

  #row(row) {
    const over = row.expires_at && new Date(row.expires_at) < Date.now();
    return el("tr", { "data-token": row.id },
      el("td", {}, row.kind === "jwt" ? el("span", { class: "quiet" }, "JWT") : row.name),
      el("td", {}, row.user),
      el("td", {}, row.scopes.map((scope) => SCOPES[scope]).join(", ")),
      el("td", { class: "time" }, row.seen_at ? when(row.seen_at) : "never"),
      el("td", { class: "time" }, row.expires_at ? `${over ? "expired " : ""}${when(row.expires_at)}` : "never"),
      el("td", {}, el("button", { type: "button", class: "plain", "aria-label": `Revoke ${row.name}`,
        onclick: () => this.#try(() => call("DELETE", `/tokens/${row.id}`)) }, "Revoke")));
  }

  #form() {
    const may = Object.entries(SCOPES).filter(([scope]) => scope !== "admin" || isAdmin(this.session)
      || Object.values(this.session.sites).includes("admin"));
    const boxes = may.map(([scope, words]) => el("label", { class: "box" },
      el("input", { type: "checkbox", name: "scopes", value: scope, checked: scope !== "admin" }), words));
    const submit = (event) => {
      event.preventDefault();
      const data = new FormData(event.target);
      const wanted = { name: data.get("name"), scopes: data.getAll("scopes") };
      if (data.get("life")) wanted.expires_in = Number(data.get("life"));
      this.#try(() => this.#make(wanted, event.target));
    };
    return el("form", { class: "row-form", "aria-label": "A new token", onsubmit: submit },
      el("label", {}, "What it is for", el("input", { name: "name", required: true, maxlength: 64, autocomplete: "off" })),
      boxes, el("select", { name: "life", "aria-label": "For how long" },
        LIVES.map(([seconds, words]) => el("option", { value: String(seconds) }, words))),
      el("button", { class: "primary" }, "Make token"));
  }

  async #make(wanted, form) {
    const made = await call("POST", "/tokens", wanted);
    form.reset();
    this.secret.hidden = false;
    this.secret.replaceChildren("Copy it now, it is not shown again: ", el("code", {}, made.token));
  }
}
