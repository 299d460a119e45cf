// Sites' connections to their brokers: how each is, live, and what can be done about it.

import { get, send } from "./api.js";
import { el, fill } from "./dom.js";
import { duration, when } from "./words.js";

const REFRESH_MS = 10000; // what the stream told of while it was lost, and new sites
const CHIPS = { connected: "completed", connecting: "sent", error: "failed", disconnected: "" };
const TOLD = ["status", "error", "retries", "retry_at", "changed_at"];
const path = (site) => `/sites/${encodeURIComponent(site)}/connection`;

// [chip, sentence] for a connection as it is now.
export function inWords(one, now = Date.now()) {
  if (!one.is_active) {
    return one.status === "connected" ? ["Stopping", "It is being disconnected."]
      : ["Stopped", "The site's boards can't be reached until it is started."];
  }
  if (one.status === "connected") return ["Connected", `Since ${when(one.changed_at)}.`];
  if (one.status !== "error") return ["Connecting", "This takes a few seconds at most."];
  const left = new Date(one.retry_at) - now;
  const next = left > 1000 ? `Next try in ${duration(Math.round(left / 1000) * 1000)}` : "Trying again now";
  return ["Error", `${one.error}. ${next}; tried ${one.retries} times since ${when(one.changed_at)}.`];
}

class Card {
  constructor(one, view) {
    this.view = view;
    this.head = el("div", { class: "board-head" });
    this.line = el("p", { class: "note" });
    this.error = el("p", { class: "error", role: "alert" });
    this.more = el("div");
    const button = (text, act) => el("button", { type: "button", class: "plain", onclick: act }, text);
    this.toggle = el("button", { type: "button", onclick: () => this.#startOrStop() });
    this.node = el("article", { class: "card board", "data-site": one.site, "aria-label": one.site },
      this.head, this.line, this.error,
      el("section", { class: "whole" }, el("div", { class: "buttons" }, this.toggle,
        button("Edit", () => this.#edit()), button("Log", () => this.#log())), this.more));
    this.show(one);
  }

  // An answer to what was asked for at `asked` tells nothing new of what the stream told since.
  answered(one, asked) {
    const told = this.heard >= asked ? this.one : {};
    this.show({ ...one, ...Object.fromEntries(TOLD.filter((name) => name in told).map((name) => [name, told[name]])) });
  }

  told(one) {
    this.heard = performance.now();
    this.show(one);
  }

  show(one) {
    this.one = { ...this.one, ...one };
    const [word, text] = inWords(this.one);
    const { host, port, tls } = this.one;
    fill(this.head, el("h3", {}, this.one.site),
      el("span", { class: `chip ${CHIPS[this.one.status]}` }, word),
      el("span", { class: "quiet" }, `${host}:${port}${tls ? ", TLS" : ""}`));
    if (this.line.textContent !== text) this.line.textContent = text;
    this.toggle.textContent = this.one.is_active ? "Stop" : "Start";
    this.toggle.className = this.one.is_active ? "stop" : "primary";
  }

  async #do(what) {
    this.error.textContent = "";
    const asked = performance.now();
    try {
      return await what(asked);
    } catch (why) {
      this.error.textContent = why.status ? why.message : "The backend can't be reached; try again.";
      return null;
    }
  }

  async #startOrStop() {
    const wish = this.one.is_active ? "stop" : "start";
    await this.#do(async (asked) =>
      this.answered(await send("POST", `${path(this.one.site)}/${wish}`, {}), asked));
  }

  #edit() {
    if (this.form) return this.#close();
    this.form = form(this.one, (body) => this.#do(async (asked) => {
      this.answered(await send("PUT", path(this.one.site), body), asked);
      this.#close();
    }));
    const remove = el("button", { type: "button", class: "stop", onclick: () => this.#remove() }, "Delete");
    this.form.querySelector(".buttons").append(remove);
    return this.more.replaceChildren(this.form);
  }

  async #remove() {
    const says = `Delete the connection of ${this.one.site}? Its boards then use the default one.`;
    if (!confirm(says)) return;
    await this.#do(() => send("DELETE", path(this.one.site)));
    await this.view.load();
  }

  #close() {
    this.form = null;
    this.more.replaceChildren();
  }

  async #log() {
    if (this.more.querySelector("ol")) return this.#close();
    const log = await this.#do(() => get(`${path(this.one.site)}/log`));
    this.form = null;
    return log && this.more.replaceChildren(el("ol", { class: "log" }, log.entries.map(entry)));
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
  const node = el("form", { class: "filters", novalidate: true, "aria-label": `Connection of ${one.site}` },
    field("host", "Host", { placeholder: "broker.example.org" }),
    field("port", "Port", { inputmode: "numeric", value: String(one.port ?? 1883) }),
    field("username", "User", { autocomplete: "off" }),
    field("password", "Password", { type: "password", value: "", autocomplete: "new-password",
      placeholder: one.has_password ? "unchanged" : "" }),
    el("label", {}, "TLS ", el("input", { name: "tls", type: "checkbox", checked: one.tls })),
    el("label", {}, "Authority (PEM; empty: those the system trusts) ",
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

  constructor(node, store) {
    this.node = node;
    this.list = el("div", { class: "boards" });
    this.add = el("div");
    node.append(el("h2", {}, "Connections"), el("p", { class: "quiet" },
      "A site's boards use the broker of the site; those of a site without one use the default."),
      this.list, this.add);
    store.addEventListener("connection", ({ detail }) => this.#cards.get(detail.site)?.told(detail));
    setInterval(() => this.#cards.forEach((card) => card.show({})), 1000);
    setInterval(() => { if (!node.hidden && !document.hidden) this.load().catch(() => {}); }, REFRESH_MS);
  }

  async load() {
    const asked = performance.now();
    const { connections, without } = await get("/connections");
    const sites = connections.map((one) => one.site);
    for (const site of this.#cards.keys()) if (!sites.includes(site)) this.#cards.delete(site);
    for (const one of connections) {
      if (this.#cards.has(one.site)) this.#cards.get(one.site).answered(one, asked);
      else this.#cards.set(one.site, new Card(one, this));
    }
    const nodes = sites.map((site) => this.#cards.get(site).node);
    if (nodes.length !== this.list.children.length || nodes.some((node) => !node.isConnected)) {
      this.list.replaceChildren(...nodes);
    }
    this.#offer(without);
  }

  // Sites without a connection can be given one.
  #offer(sites) {
    fill(this.add, sites.length ? el("h3", {}, "Sites that use the default connection") : "",
      sites.map((site) => el("p", {}, `${site} `, el("button", { class: "plain", "data-new": site }, "Connect"))));
    for (const button of this.add.querySelectorAll("[data-new]")) {
      button.onclick = () => this.#make(button);
    }
  }

  #make(button) {
    const error = el("p", { class: "error", role: "alert" });
    const site = button.dataset.new;
    const made = form({ site }, async (body) => {
      try {
        await send("PUT", path(site), body);
        made.remove();
        error.remove();
        await this.load();
      } catch (why) {
        error.textContent = why.message;
      }
    });
    button.parentElement.after(made, error);
    button.remove();
  }
}

export const show = (node, { store }) => new Connections(node, store).load();
