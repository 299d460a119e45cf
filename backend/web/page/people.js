// Users, their roles and the sites they belong to; and what was done, by whom.
// Administrators look after everybody, the admin of a site after who belongs to it.

import { Audit } from "./audit.js";
import { call, get } from "./api.js";
import { el } from "./dom.js";
import { ROLES, isAdmin, may } from "./rights.js";
import { told } from "./words.js";

const REFRESH_MS = 10000;
const ABOUT = "Whose role is admin is admin at every site. Anybody else may do what their role at each site says: "
  + "a viewer looks, an operator sends commands, an admin looks after its people.";

export async function show(node, { session, store }) {
  const view = new People(node, session, store);
  setInterval(() => { if (!node.hidden && !view.busy) view.load(); }, REFRESH_MS);
  await view.load();
}

const roles = (name, label, chosen, more = {}) =>
  el("select", { name, "aria-label": label, ...more },
    ROLES.map((role) => el("option", { value: role, selected: role === chosen }, role)));

const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);

// A form whose fields are given to `send` by name.
function form(label, send, ...children) {
  const submit = (event) => {
    event.preventDefault();
    send(Object.fromEntries(new FormData(event.target)), event.target);
  };
  return el("form", { class: "row-form", "aria-label": label, onsubmit: submit }, children);
}

const newPassword = (label = "New password") =>
  el("input", { name: "password", type: "password", "aria-label": label, placeholder: label,
    autocomplete: "new-password", required: true, minlength: 8, maxlength: 200 });

const siteField = () => el("input",
  { name: "site", list: "known-sites", "aria-label": "Site", placeholder: "Site", required: true });

class People {
  constructor(node, session, store) {
    Object.assign(this, { node, session, store });
    this.error = el("p", { class: "error", role: "alert" });
    this.body = el("tbody");
    this.sites = el("datalist", { id: "known-sites" });
    const heads = ["User", "Role", "Role at a site", ""].map((text) => el("th", { scope: "col" }, text));
    node.replaceChildren(el("h2", {}, "People"), this.error,
      el("div", { class: "card table-card" }, el("table", { id: "users" },
        el("thead", {}, el("tr", {}, heads)), this.body)),
      isAdmin(session) ? this.#addForm() : this.#joinForm(), el("p", { class: "quiet" }, ABOUT), this.sites);
    if (isAdmin(session)) this.audit = new Audit(node);
  }

  // Somebody types here, or has something open: it is not to be taken away.
  get busy() {
    return this.node.contains(document.activeElement) || this.node.querySelector("details[open]") !== null;
  }

  async load() {
    await this.#try(async () => this.#draw((await get("/users")).users));
    await this.audit?.load().catch((why) => this.#tell(why));
  }

  #tell(why) {
    this.error.textContent = told(why);
  }

  async #try(what) {
    try {
      await what();
      this.error.textContent = "";
      return true;
    } catch (why) {
      this.#tell(why);
      return false;
    }
  }

  // Do something, and show what is then so.
  async #do(method, path, body) {
    const done = await this.#try(() => call(method, path, body));
    if (done) await this.load();
    return done;
  }

  #draw(users) {
    const known = [...this.store.boards.values()].map((board) => board.site);
    const sites = new Set([...known, ...users.flatMap((user) => Object.keys(user.sites))].filter(Boolean));
    this.sites.replaceChildren(...[...sites].sort().map((site) => el("option", { value: site })));
    this.body.replaceChildren(...users.map((user) => this.#row(user)));
  }

  #row(user) {
    const path = `/users/${encodeURIComponent(user.name)}`;
    const role = isAdmin(this.session)
      ? roles("role", `Role of ${user.name}`, user.role, {
        onchange: async (event) => {
          if (!await this.#do("PATCH", path, { role: event.target.value })) event.target.value = user.role;
        },
      }) : user.role;
    return el("tr", { "data-user": user.name },
      el("td", {}, el("b", {}, user.name), user.disabled && el("span", { class: "chip failed" }, "disabled")),
      el("td", {}, role),
      el("td", {}, this.#memberships(user, path)),
      el("td", {}, isAdmin(this.session) && this.#deeds(user, path)));
  }

  #memberships(user, path) {
    const at = (site) => `${path}/sites/${encodeURIComponent(site)}`;
    const rows = Object.entries(user.sites).map(([site, role]) => el("div", { class: "row-form" },
      el("span", {}, `${site}: ${role}`),
      may(this.session, "admin", site) && button(`Take ${user.name} out of ${site}`, () => this.#do("DELETE", at(site)), "link")));
    const add = form(`A role at a site for ${user.name}`,
      ({ site, role }) => this.#do("PUT", at(site), { role }),
      siteField(), roles("role", "Role there", user.role === "admin" ? "operator" : user.role),
      el("button", { class: "plain" }, "Give"));
    return [rows, el("details", {}, el("summary", {}, "Add to a site"), add)];
  }

  #deeds(user, path) {
    const remove = () => {
      if (confirm(`Delete ${user.name}? Their commands stay in the history.`)) this.#do("DELETE", path);
    };
    return el("details", {}, el("summary", {}, "More"),
      el("div", { class: "row-form" },
        button(user.disabled ? "Let in again" : "Disable", () => this.#do("PATCH", path, { disabled: !user.disabled })),
        button("Sign out everywhere", () => this.#do("DELETE", `${path}/sessions`)),
        button("Delete", remove)),
      form(`A new password for ${user.name}`,
        ({ password }) => this.#do("PATCH", path, { password }),
        newPassword(), el("button", { class: "plain" }, "Set")));
  }

  // For the admin of a site: somebody who is not in the list yet.
  #joinForm() {
    const join = ({ name, site, role }) =>
      this.#do("PUT", `/users/${encodeURIComponent(name)}/sites/${encodeURIComponent(site)}`, { role });
    return form("Somebody else at one of your sites", join,
      el("input", { name: "name", "aria-label": "Name", placeholder: "Name", required: true, maxlength: 64, autocomplete: "off" }),
      siteField(), roles("role", "Role there", "viewer"), el("button", { class: "primary" }, "Add to the site"));
  }

  #addForm() {
    const add = async (fields, node) => { if (await this.#do("POST", "/users", fields)) node.reset(); };
    return form("A new user", add,
      el("input", { name: "name", "aria-label": "Name", placeholder: "Name", required: true, maxlength: 64, autocomplete: "off" }),
      newPassword("Password"), roles("role", "Role", "viewer"),
      el("button", { class: "primary" }, "Add user"));
  }
}
