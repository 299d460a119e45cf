// Every topic that was seen, with a switch; and what was not understood. What boards said is shown
// as text and never as anything else.

import { call, get } from "./api.js";
import { el } from "./dom.js";
import { when } from "./words.js";

const REFRESH_MS = 5000;

export async function show(node, context) {
  const view = new Topics(node);
  await view.load();
  setInterval(() => { if (!node.hidden && !document.hidden) view.load(); }, REFRESH_MS);
}

const cell = (text) => el("td", { class: "time" }, el("time", { datetime: text }, when(text)));

const none = (text) => el("tr", {}, el("td", { colspan: 7, class: "quiet" }, text));

const table = (id, titles, body) => el("div", { class: "card table-card" },
  el("table", { id }, el("thead", {}, el("tr", {}, titles.map((one) => el("th", {}, one)))), body));

// The beginning, and all of it on a click.
const sample = (text) => (text.length < 60 ? el("code", {}, text)
  : el("details", {}, el("summary", {}, el("code", {}, text.slice(0, 60), "…")), el("pre", {}, text)));

class Topics {
  #after = [""]; // where each page that was shown begins

  constructor(node) {
    this.error = el("p", { class: "error", role: "alert" });
    this.seen = el("tbody");
    this.failed = el("tbody");
    this.notes = el("p", { class: "quiet" });
    this.more = el("button", { type: "button", class: "plain", onclick: () => this.#turn() }, "More topics");
    node.append(
      el("h2", {}, "Topics"), this.error,
      el("p", { class: "quiet" }, "A topic is processed where a parser for it exists and it is switched on."),
      table("topics", ["Topic", "Parser", "Processed", "Messages", "First", "Last", "Sample"], this.seen),
      this.more, this.notes,
      el("h2", {}, "Not understood"),
      table("failures", ["When", "Topic", "Parser", "Error", "Times", "What it was"], this.failed));
  }

  async load() {
    if (this.seen.querySelector("details[open]") || this.failed.querySelector("details[open]")) return;
    try {
      const after = encodeURIComponent(this.#after.at(-1));
      const [topics, log] = await Promise.all([get(`/topics?after=${after}`), get("/parsing-log")]);
      this.#fill(topics, log);
      this.error.textContent = "";
    } catch (why) {
      this.error.textContent = why.message;
    }
  }

  #fill({ topics, not_counted, next }, { failures, not_kept }) {
    this.next = next && topics.at(-1).topic;
    this.more.hidden = !next && this.#after.length === 1;
    this.more.textContent = next ? "More topics" : "Back to the first";
    this.seen.replaceChildren(...topics.map((one) => this.#row(one)));
    this.failed.replaceChildren(...failures.map(failure));
    if (!topics.length) this.seen.append(none("Nothing was heard yet."));
    if (!failures.length) this.failed.append(none("Everything that came was understood."));
    this.notes.textContent = not_counted || not_kept
      ? `In a flood, ${not_counted} messages on further topics and ${not_kept} failures were only counted.` : "";
  }

  #row(one) {
    const box = el("input", { type: "checkbox", "aria-label": `Process ${one.topic}`, checked: one.is_active,
      onchange: () => this.#switch(one.topic, box.checked) });
    return el("tr", { "data-topic": one.topic }, el("td", {}, el("code", {}, one.topic)),
      el("td", {}, one.is_processable ? "yes" : "none"), el("td", {}, box), el("td", {}, one.count),
      cell(one.first_at), cell(one.last_at), el("td", { class: "sample" }, sample(one.sample)));
  }

  async #switch(topic, on) {
    try {
      await call("PATCH", "/topics", { topic, is_active: on });
    } catch (why) {
      this.error.textContent = why.message;
    }
    await this.load();
  }

  #turn() {
    this.#after = this.next ? [...this.#after, this.next] : [""];
    return this.load();
  }
}

const failure = (one) => el("tr", {}, cell(one.at), el("td", {}, el("code", {}, one.topic)),
  el("td", {}, one.parser || "none"), el("td", {}, `${one.error_type}: ${one.message}`),
  el("td", {}, one.count), el("td", { class: "sample" }, sample(one.sample)));
