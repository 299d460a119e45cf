// Schedules, what they did, and commands to many boards. Under #schedules/ID is what one did, under
// #schedules/run/ID how a run goes.

import { call, get, newKey, postOnce } from "./api.js";
import { el, fill } from "./dom.js";
import { Picker } from "./picker.js";
import { looksAfterPeople, may } from "./rights.js";
import { RunView, bar, summary, titleOf, whose } from "./run.js";
import { ScheduleForm, spoken } from "./schedule_form.js";
import { duration, told, when } from "./words.js";

const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);

export async function show(node, context) {
  const view = new Schedules(node, context);
  addEventListener("hashchange", () => view.route());
  await view.route();
}

class Schedules {
  constructor(node, { store, session }) {
    Object.assign(this, { node, store, session });
    this.error = el("p", { class: "error", role: "alert" });
    this.list = el("div", { class: "sites" });
    this.bulk = el("div", { class: "sites" });
    this.dialog = el("dialog", { "aria-label": "Schedule" });
    this.home = el("div", {}, this.#head(), this.error, this.list,
      el("section", {}, el("h2", {}, "Commands to many boards"), this.bulk));
    this.part = el("div", { class: "sites" });
    node.append(this.home, this.part, this.dialog);
    store.addEventListener("schedule", () => this.#soon());
    store.addEventListener("run", ({ detail }) => { this.run?.id === detail.id ? this.run.load() : this.#soon(); });
    setInterval(() => { if (!document.hidden && !node.hidden && !this.part.firstChild) this.#draw(); }, 5000);
  }

  #head() {
    const operates = this.session.role === "admin" || Object.values(this.session.sites).some((role) => role !== "viewer");
    return el("div", { class: "view-head" }, el("h2", {}, "Schedules"), el("span", { class: "space" }),
      operates ? button("Command to many boards", () => this.#askBulk()) : "",
      looksAfterPeople(this.session) ? button("New schedule", () => this.#edit({}), "primary") : "");
  }

  async route() {
    const [kind, first, second] = location.hash.slice(1).split("/");
    if (kind !== "schedules") return;
    this.run = first === "run" ? new RunView(this.part, this.store, Number(second)) : null;
    this.home.hidden = Boolean(first);
    if (!first) this.part.replaceChildren();
    await (this.run ? this.run.load() : first ? this.#history(first) : this.load());
  }

  async load() {
    try {
      const [{ schedules }, { runs }] = await Promise.all([get("/schedules"), get("/bulk?limit=20")]);
      Object.assign(this, { schedules, runs });
      this.#draw();
    } catch (why) {
      this.#say(told(why));
    }
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (!this.node.hidden) this.route(); }, 300);
  }

  #draw() {
    if (!this.schedules) return;
    const none = looksAfterPeople(this.session)
      ? "There are none yet. A schedule sends a command again and again, or once at a later time: press New schedule."
      : "There are none yet; an administrator of the site can make one.";
    fill(this.list, this.schedules.map((one) => this.#row(one)), this.schedules.length ? "" : el("p", { class: "quiet" }, none));
    fill(this.bulk, this.runs.map((run) => el("section", { class: "card site", "data-run": run.id },
      el("p", {}, el("a", { href: `#schedules/run/${run.id}` }, titleOf(run, this.store)), " ",
        el("span", { class: "quiet" }, `${run.total} boards · ${whose(run)}`)), bar(run))),
      this.runs.length ? "" : el("p", { class: "quiet" }, "None yet. One command can go to all boards of a site, or with a label, at once or a few a minute."));
    this.#listen();
  }

  // The buttons: `fill` leaves old nodes where nothing has changed, so they are heard here.
  #listen() {
    for (const node of this.list.querySelectorAll("[data-do]")) {
      node.onclick = () => this.#press(node.dataset.do, this.schedules.find((one) => String(one.id) === node.closest("[data-schedule]").dataset.schedule));
    }
  }

  #row(one) {
    const at = (what, text, role, kind = "plain") => (may(this.session, role, one.site)
      ? el("button", { type: "button", class: kind, "data-do": what }, text) : "");
    const last = one.last_run;
    const where = one.label ? `label ${one.label}` : one.boards ? one.boards.map((id) => this.store.boards.get(id)?.name ?? id).join(", ") : "all boards";
    return el("section", { class: "card site", "data-schedule": one.id, "aria-label": one.name },
      el("div", { class: "view-head" }, el("h3", {}, one.name), one.enabled ? "" : el("span", { class: "chip" }, "paused"),
        el("span", { class: "space" }), el("div", { class: "buttons" }, at("run", "Run now", "operator"),
          one.enabled ? at("pause", "Pause", "operator") : at("resume", "Resume", "operator"),
          at("edit", "Edit", "admin"), at("delete", "Delete", "admin"))),
      el("p", {}, titleOf(one, this.store), el("span", { class: "quiet" }, ` · ${where} · ${this.store.sites.get(one.site)?.name ?? "everywhere"}`)),
      el("p", { class: "next" }, el("b", {}, next(one)), el("span", { class: "quiet" }, ` ${one.words} · ${one.zone}`)),
      el("p", { class: "quiet" }, last ? [el("a", { href: `#schedules/${one.id}` }, "Last"), `: ${when(last.due_at)}, ${summary(last)}`] : "Has not run yet."));
  }

  #press(what, one) {
    if (what === "edit") return this.#edit(one);
    if (what === "delete") return this.#ask(`Delete ${one.name}? What it has not sent is called off.`, () => call("DELETE", `/schedules/${one.id}`, {}));
    return this.#do(() => call("POST", `/schedules/${one.id}/${what}`, {}));
  }

  async #history(id) {
    try {
      const [one, { runs }] = await Promise.all([get(`/schedules/${id}`), get(`/schedules/${id}/runs`)]);
      this.part.replaceChildren(el("p", {}, el("a", { href: "#schedules" }, "All schedules")), el("h2", {}, one.name),
        el("ul", { class: "card site run-boards" }, runs.map((run) => el("li", {},
          el("a", { href: `#schedules/run/${run.id}` }, when(run.due_at)), el("span", {}, summary(run)),
          el("span", { class: "quiet" }, run.missed_from && run.how !== "passed_over" ? whose(run) : ""))),
        runs.length ? "" : el("li", { class: "quiet" }, "It has not run yet.")));
    } catch (why) {
      this.part.replaceChildren(el("p", { class: "error" }, told(why)));
    }
  }

  #edit(one) {
    const save = ({ site, ...values }) => (one.id ? call("PATCH", `/schedules/${one.id}`, values)
      : call("POST", "/schedules", { ...(site ? { site } : {}), ...values }));
    this.#open(new ScheduleForm(this.store, one, save, () => { this.dialog.close(); this.load(); }).node);
  }

  #askBulk() {
    const error = el("p", { class: "error", role: "alert" });
    const picker = new Picker(this.store, "operator", {}, () => {});
    picker.node.addEventListener("input", () => { error.textContent = ""; });
    const rate = el("input", { type: "number", min: 1, max: 6000, placeholder: "all at once", name: "rate" });
    const per = el("select", { "aria-label": "Per" }, el("option", { value: 1 }, "a minute"), el("option", { value: 60 }, "a second"));
    const key = newKey();
    const send = async () => {
      try {
        const per_minute = rate.value ? Number(rate.value) * Number(per.value) : null;
        const run = await postOnce("/bulk", { ...picker.value(), per_minute }, key);
        this.dialog.close();
        location.hash = `schedules/run/${run.id}`;
      } catch (why) {
        error.textContent = why.status || why.name !== "Error" ? told(why) : why.message;
      }
    };
    this.#open(el("div", { class: "stack wide-form" }, el("h2", {}, "Command to many boards"), picker.node,
      el("div", { class: "pair" }, el("label", {}, "Boards", rate), per), error,
      el("div", { class: "buttons" }, button("Send", send, "primary"), button("Cancel", () => this.dialog.close()))));
  }

  #ask(question, action) {
    this.#open(el("div", { class: "stack" }, el("h2", {}, question), el("div", { class: "buttons" },
      button(question.split(" ")[0], () => { this.dialog.close(); this.#do(action); }, "primary"), button("Cancel", () => this.dialog.close()))));
  }

  #open(content) {
    this.dialog.replaceChildren(content);
    this.dialog.showModal();
  }

  async #do(action) {
    await action().then(() => this.#say(""), (why) => this.#say(told(why)));
    await this.load();
  }

  #say(text) {
    this.error.textContent = text;
  }
}

// When it is due next, in words and by its own clocks.
function next(one) {
  if (!one.enabled) return "Paused";
  if (!one.next_at) return one.at ? "Done" : "Never due again";
  const ms = new Date(one.next_at) - Date.now();
  return `${ms < 1000 ? "Now" : `In ${duration(ms)}`}: ${spoken(one.next_local)}`;
}
