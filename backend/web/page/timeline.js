// The story of one command: every step with its time, as far as it has come.

import { cancel, get } from "./api.js";
import { chip, el } from "./dom.js";
import { messagesOf } from "./messages.js";
import { may } from "./rights.js";
import { clockMs, conditionInWords, detailInWords, duration, ended, explain, inWords, labelOf, stepInWords, when } from "./words.js";

export class Timeline {
  #command = null;
  #messages = null;

  constructor(dialog, store) {
    this.dialog = dialog;
    this.store = store;
    store.addEventListener("command", ({ detail }) => this.#changed(detail));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", () => { this.#command = null; });
  }

  async open(id) {
    this.#command = await get(`/commands/${id}`);
    this.#messages = messagesOf(id);
    this.#draw();
    if (!this.dialog.open) this.dialog.showModal();
  }

  #changed(command) {
    if (command.id !== this.#command?.id || !command.last) return;
    const steps = this.#command.history;
    if (steps.some((step) => step.id === command.last.id)) return;
    this.#command = { ...command, history: [...steps, command.last] };
    this.#draw();
  }

  #draw() {
    const command = this.#command;
    const why = explain(command);
    this.dialog.replaceChildren(
      el("header", { class: "dialog-head" },
        el("h2", { id: "timeline-title" }, labelOf(command, this.store.verbsOf(command.board_id))), chip(command.status),
        el("span", { class: "space" }),
        el("button", { type: "button", class: "plain", onclick: () => this.dialog.close() }, "Close")),
      el("p", { class: "quiet" }, where(command)),
      why ? el("p", { class: `why ${command.status.toLowerCase()}` }, why) : "",
      el("ol", { class: "steps" }, command.history.map((step, index) => this.#step(step, index))),
      command.log ? el("pre", { class: "log" }, command.log) : "",
      this.#facts(command),
      command.result.image_id && command.command_type === "capture_image"
        ? el("p", {}, el("a", { href: `#pictures/${command.board_id}/${command.result.image_id}`,
          onclick: () => this.dialog.close() }, "Show the picture")) : "",
      this.#messages,
      !ended(command) && this.#operates(command) ? this.#cancelButton(command) : "");
  }

  #operates(command) {
    return may(this.store.session, "operator", this.store.boards.get(command.board_id)?.site);
  }

  #step(step, index) {
    const before = this.#command.history[index - 1];
    const gap = before ? `+${duration(new Date(step.at) - new Date(before.at))}` : "";
    const more = [step.error && inWords(step.error), detailInWords(step.detail)].filter(Boolean).join("; ");
    return el("li", { class: step.to.toLowerCase() },
      el("div", { class: "step-line" }, el("b", {}, stepInWords(step)),
        el("span", { class: "quiet step-status" }, step.to)),
      el("div", { class: "quiet" }, el("time", { datetime: step.at }, clockMs(step.at)),
        gap && ` (${gap})`, step.actor && step.actor !== "board" && ` by ${step.actor}`),
      more && el("div", { class: "step-more" }, more));
  }

  #facts(command) {
    const facts = [["Asked for", `${when(command.created_at)} by ${asker(command)}`],
      ["Only if", command.conditions.map(conditionInWords).join("; ")],
      ["Wanted until", when(command.expires_at)], ["Reason", command.reason], ["Id", command.id]];
    return el("dl", { class: "facts" }, facts.filter(([, value]) => value)
      .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  #cancelButton(command) {
    const error = el("p", { class: "error", role: "alert" });
    const click = () => cancel(command.id).then(
      (changed) => this.store.put(changed), (why) => { error.textContent = why.message; });
    return el("div", {}, error, el("button", { type: "button", class: "stop", onclick: click },
      command.cancelling ? "Ask again to call it off" : "Call it off"));
  }
}

function asker({ user, via, source }) {
  return [user, via && `(${via})`, source && `from ${source}`].filter(Boolean).join(" ");
}

function where(command) {
  return command.target ? `${command.target} on ${command.board_id}` : `${command.board_id} as a whole`;
}
