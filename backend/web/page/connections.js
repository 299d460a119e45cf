// Sites' connections to their brokers: how each is, live, and what can be done about it.

import { call, get } from "./api.js";
import { el, fill } from "./dom.js";
import { span, told, when } from "./words.js";

const REFRESH_MS = 10000; // what the stream told of while it was lost, and new sites
const CHIPS = { connected: "completed", connecting: "sent", error: "failed", disconnected: "" };
const path = (site) => `/sites/${encodeURIComponent(site)}/connection`;

// [chip, sentence] for a connection as it is now.
export function inWords(one, now = Date.now()) {
  if (!one.is_active) {
    return one.status === "connected" ? ["Stopping", ""]
      : ["Stopped", "The site's boards can't be reached until it is started."];
  }
  if (one.status === "connected") return ["Connected", `Since ${when(one.changed_at)}.`];
  if (one.status !== "error") return ["Connecting", ""];
  const left = new Date(one.retry_at) - now;
  const next = left > 1000 ? `Next try in ${span(Math.round(left / 1000))}` : "Trying again now";
  const error = one.error.charAt(0).toUpperCase() + one.error.slice(1);
  const tried = one.retries > 1 ? `${one.retries} times` : "once";
  return ["Error", `${error}. ${next}; tried ${tried} since ${when(one.changed_at)}.`];
}

class Card {
  constructor(one, view) {
    this.view = view;
    this.head = el("div", { class: "dialog-head" });
    this.line = el("p");
    this.error = el("p", { class: "error", role: "alert" });
    this.more = el("div");
    const button = (text, act) => el("button", { type: "button", class: "plain", onclick: act }, text);
    this.toggle = el("button", { type: "button", onclick: () => this.#startOrStop() });
    this.node = el("article", { class: "card connection", "data-site": one.site, "aria-label": one.site },
      this.head, this.line, el("div", { class: "buttons" }, this.toggle,
        button("Edit", () => this.#edit()), button("Log", () => this.#log())), this.error, this.more);
    this.show(one);
  }

  show(one) {
    this.one = { ...this.one, ...one };
    const [word, text] = inWords(this.one);
    const { host, port, tls } = this.one;
    fill(this.head, el("h3", {}, this.view.nameOf(this.one.site)),
      el("span", { class: `chip ${CHIPS[this.one.status]}` }, word),
      el("span", { class: "quiet" }, `${host}:${port}${tls ? ", TLS" : ""}`));
    if (this.line.textContent !== text) this.line.textContent = text;
    this.line.className = word === "Error" ? "why failed" : "quiet";
    this.toggle.textContent = this.one.is_active ? "Stop" : "Start";
    this.toggle.className = this.one.is_active ? "stop" : "primary";
  }

  hear(detail) {
    this.show(detail);
    if (this.more.querySelector("ol") && !this.more.querySelector("details[open]")) this.#showLog();
  }

  async #do(what) {
    this.error.textContent = "";
    const asked = performance.now();
    try {
      return await what(asked);
    } catch (why) {
      this.error.textContent = told(why);
      return null;
    }
  }

  async #startOrStop() {
    const wish = this.one.is_active ? "stop" : "start";
    await this.#do(async (asked) =>
      this.show(this.view.newer(await call("POST", `${path(this.one.site)}/${wish}`, {}), asked)));
  }

  #edit() {
    if (this.form) return this.#close();
    this.form = form(this.one, (body) => this.#do(async (asked) => {
      this.show(this.view.newer(await call("PUT", path(this.one.site), body), asked));
      this.#close();
    }));
    const remove = el("button", { type: "button", class: "stop", onclick: () => this.#remove() }, "Delete");
    this.form.querySelector(".buttons").append(remove);
    return this.more.replaceChildren(this.form);
  }

  async #remove() {
    const says = `Delete the connection of ${this.one.site}? Its boards then use the default one.`;
    if (!confirm(says)) return;
    await this.#do(() => call("DELETE", path(this.one.site)));
    await this.view.load();
  }

  #close() {
    this.form = null;
    this.more.replaceChildren();
  }

  async #log() {
    if (this.more.querySelector("ol")) return this.#close();
    return this.#showLog();
  }

  async #showLog() {
    const log = await this.#do(() => get(`${path(this.one.site)}/log`));
    this.form = null;
    return log && this.more.replaceChildren(el("ol", { class: "connection-log" }, log.entries.map(entry)));
  }
}

const entry = (one) => el("li", { class: one.level.toLowerCase() },
  el("time", { datetime: one.timestamp }, when(one.timestamp)), " ", one.message,
  one.retry_attempt > 1 && el("span", { class: "quiet" }, ` (try ${one.retry_attempt})`),
  one.exception_traceback && el("details", {}, el("summary", {}, one.exception_type),
    el("pre", {}, one.exception_traceback)));

// The form of a connection, or of a new one; `save(body)` is called with what was filled in.
function form(one, save) {
  const field = (name, text, more = {}) => el("label", {}, `${text} `,
    el("input", { name, value: String(one[name] ?? ""), ...more }));
  const node = el("form", { class: "connection-form", novalidate: true, "aria-label": `Connection of ${one.site}` },
    field("host", "Host", { placeholder: "broker.example.org" }),
    field("port", "Port", { inputmode: "numeric", value: String(one.port ?? 1883) }),
    field("username", "User", { autocomplete: "off" }),
    field("password", "Password", { type: "password", value: "", autocomplete: "new-password",
      placeholder: one.has_password ? "unchanged" : "" }),
    el("label", { class: "flag" }, el("input", { name: "tls", type: "checkbox", checked: one.tls }), " TLS"),
    el("label", { class: "wide" }, "Authority (PEM; empty: those the system trusts) ",
      el("textarea", { name: "ca", rows: 2 }, one.ca ?? "")),
    el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Save")));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    const { host, port, username, password, tls, ca } = node.elements;
    const number = /^\d+$/.test(port.value) ? Number(port.value) : port.value;
    const body = { host: host.value.trim(), port: number, username: username.value, tls: tls.checked, ca: ca.value };
    save(password.value ? { ...body, password: password.value } : body);
  });
  return node;
}

class Connections {
  #cards = new Map();
  #told = new Map(); // site -> what the stream told of it last, and when

  constructor(node, store) {
    this.node = node;
    this.store = store;
    this.list = el("div", { class: "boards" });
    this.add = el("div");
    node.append(el("h2", {}, "Connections"), el("p", { class: "quiet" },
      "A site's boards use the broker of the site; those of a site without one use the default."),
      this.list, this.add);
    store.addEventListener("connection", ({ detail }) => this.#hear(detail));
    store.addEventListener("site-list", () => this.load().catch(() => {}));
    setInterval(() => this.#cards.forEach((card) => card.show({})), 1000);
    setInterval(() => { if (!node.hidden && !document.hidden) this.load().catch(() => {}); }, REFRESH_MS);
  }

  nameOf(site) {
    return this.store.sites.get(site)?.name ?? site;
  }

  #hear(detail) {
    this.#told.set(detail.site, { ...detail, at: performance.now() });
    this.#cards.get(detail.site)?.hear(detail);
  }

  // What the stream told of a site since `asked`, over an answer that may be of before.
  newer(one, asked) {
    const { at, is_active: _, ...told } = this.#told.get(one.site) ?? {};
    return at >= asked ? { ...one, ...told } : one;
  }

  async load() {
    const asked = performance.now();
    const { connections, without } = await get("/connections");
    const sites = connections.map((one) => one.site);
    for (const site of this.#cards.keys()) if (!sites.includes(site)) this.#cards.delete(site);
    for (const one of connections) {
      if (!this.#cards.has(one.site)) this.#cards.set(one.site, new Card(one, this));
      this.#cards.get(one.site).show(this.newer(one, asked));
    }
    const nodes = sites.map((site) => this.#cards.get(site).node);
    if (nodes.length !== this.list.children.length || nodes.some((node) => !node.isConnected)) {
      this.list.replaceChildren(...nodes);
    }
    this.#offer(without);
  }

  // Sites without a connection can be given one.
  #offer(sites) {
    if (this.add.querySelector("form")) return; // somebody is filling it in
    fill(this.add, sites.length ? el("h3", {}, "Sites that use the default connection")
      : el("p", { class: "quiet" }, this.#cards.size ? "" : "There are no sites yet; the Sites view makes them."),
      sites.map((site) => el("p", {}, `${this.nameOf(site)} `, el("button", { class: "plain", "data-new": site }, "Connect"))));
    for (const button of this.add.querySelectorAll("[data-new]")) {
      button.onclick = () => this.#make(button);
    }
  }

  #make(button) {
    const error = el("p", { class: "error", role: "alert" });
    const site = button.dataset.new;
    const made = form({ site }, async (body) => {
      try {
        await call("PUT", path(site), body);
        card.remove();
        await this.load();
      } catch (why) {
        error.textContent = told(why);
      }
    });
    made.querySelector(".buttons").append(el("button", { type: "button", class: "plain",
      onclick: () => { card.remove(); this.load().catch(() => {}); } }, "Cancel"));
    const card = el("div", { class: "card connection" }, el("h3", {}, this.nameOf(site)), made, error);
    button.parentElement.replaceWith(card);
  }
}

export const show = (node, { store }) => new Connections(node, store).load();
