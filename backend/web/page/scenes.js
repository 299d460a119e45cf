// Scenes: what there is, what plays just now and how, and what has been played.

import { call, get } from "./api.js";
import { el, fill } from "./dom.js";
import { may } from "./rights.js";
import { SceneForm } from "./scene_form.js";
import { going, runChip, runNodes } from "./scene_run.js";
import { told, when } from "./words.js";

const PAUSE_MS = 300; // between two looks at what changes quickly

const many = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const button = (text, onclick, kind = "plain") => el("button", { type: "button", class: kind, onclick }, text);

export function show(node, context) {
  return new Scenes(node, context).load();
}

class Scenes {
  #waiting = null;
  #shown = new Map(); // scene id -> the run that is shown in full
  #cards = new Map(); // scene id -> {node, run: its place}

  constructor(node, context) {
    this.store = context.store;
    this.error = el("p", { class: "error", role: "alert" });
    this.body = el("div", { class: "sites" });
    this.form = new SceneForm(context, () => this.load());
    this.ask = el("dialog", { "aria-label": "Sure?" });
    this.adds = this.store.session.role === "admin" || Object.values(this.store.session.sites).includes("admin");
    node.append(el("div", { class: "view-head" }, el("h2", {}, "Scenes"), el("span", { class: "space" }),
      this.adds && button("Add a scene", () => this.form.open(null, null), "primary")),
    this.error, this.body, this.form.node, this.ask);
    this.node = node;
    this.store.addEventListener("scene", () => this.#soon());
    for (const event of ["hashchange", "visibilitychange"]) {
      window.addEventListener(event, () => { if (this.stale) this.#soon(); }, true);
    }
    this.store.addEventListener("site-list", () => this.#draw());
  }

  async load() {
    try {
      this.scenes = (await get("/scenes")).scenes;
      for (const one of this.scenes) {
        if (one.last_run && (going(one.last_run) || !this.#shown.has(one.id))) this.#shown.set(one.id, one.last_run.id);
      }
      const wanted = this.scenes.filter((one) => this.#shown.has(one.id));
      this.runs = new Map(await Promise.all(wanted.map(async (one) =>
        [one.id, await get(`/scene-runs/${this.#shown.get(one.id)}`)])));
      this.error.textContent = "";
    } catch (why) {
      this.error.textContent = told(why);
    }
    this.#draw();
  }

  // Nobody looks: it is asked for when somebody does.
  #soon() {
    this.stale = this.node.hidden || document.hidden;
    if (this.stale) return;
    this.#waiting ??= setTimeout(() => { this.#waiting = null; this.load(); }, PAUSE_MS);
  }

  #draw() {
    if (!this.scenes) return;
    const groups = [...new Set(this.scenes.map((one) => one.site))];
    const title = (site) => (site === null ? "Without a site" : this.store.sites.get(site)?.name ?? site);
    const parts = groups.flatMap((site) => [el("h3", {}, title(site)),
      ...this.scenes.filter((one) => one.site === site).map((one) => this.#card(one))]);
    this.body.replaceChildren(...parts, this.scenes.length ? "" : el("p", { class: "quiet" },
      `There are no scenes yet. A scene is a file that says which board does what, and when${this.adds ? ": add one, and press Start." : "; an administrator of the site can add one."}`));
  }

  // A card stays the one it is, so that what is open or being read in it is not disturbed.
  #card(scene) {
    const card = this.#cards.get(scene.id) ?? this.#newCard(scene);
    this.#cards.set(scene.id, card);
    const facts = [scene.description, scene.rooms.join(", "), many(scene.states, "state"), many(scene.actions, "action")];
    fill(card.facts, facts.filter(Boolean).join(" · "));
    const key = JSON.stringify([scene.last_run?.id, scene.last_run?.status]);
    if (card.key !== key) card.buttons.replaceChildren(...this.#buttons(scene));
    card.key = key;
    const run = this.runs?.get(scene.id);
    const scrolled = card.run.querySelector(".table-card")?.scrollTop;
    if (run) fill(card.run, ...runNodes(run));
    else fill(card.run, el("p", { class: "quiet" }, "It was not played yet."));
    if (scrolled) card.run.querySelector(".table-card").scrollTop = scrolled;
    card.history.hidden = !scene.last_run;
    return card.node;
  }

  #newCard(scene) {
    const [facts, buttons, run, list] = [el("p", { class: "quiet" }), el("div", { class: "buttons" }), el("div", { class: "run" }), el("ul", { class: "runs" })];
    const history = el("details", {}, el("summary", {}, "Earlier runs"), list);
    history.addEventListener("toggle", () => { if (history.open) this.#list(scene.id, list); });
    const node = el("section", { class: "card site scene", "data-scene": scene.id, "aria-label": scene.id },
      el("div", { class: "view-head" }, el("h3", {}, scene.id), el("span", { class: "space" }), buttons),
      facts, run, history);
    return { node, facts, buttons, run, history };
  }

  #buttons(scene) {
    const operates = may(this.store.session, "operator", scene.site);
    const changes = may(this.store.session, "admin", scene.site);
    const run = going(scene.last_run) ? scene.last_run : null;
    const control = (what, text, kind) => button(text, () => this.#do("POST", `/scene-runs/${run.id}/${what}`), kind);
    return [
      operates && !run && button("Start", () => this.#start(scene), "primary"),
      operates && run?.status === "RUNNING" && control("pause", "Pause", "plain"),
      operates && run?.status === "PAUSED" && control("resume", "Resume", "primary"),
      operates && run && control("stop", "Stop", "stop"),
      operates && button("Room STOP", () => this.#do("POST", `/scenes/${scene.id}/stop-room`), "emergency"),
      changes && button("Edit", () => this.#edit(scene)),
      changes && !run && button("Delete", () => this.#delete(scene)),
    ].filter(Boolean);
  }

  async #list(id, list) {
    const { runs } = await get(`/scene-runs?scene_id=${encodeURIComponent(id)}&limit=20`);
    list.replaceChildren(...runs.map((run) => el("li", {}, runChip(run),
      button(`Run ${run.id}`, () => { this.#shown.set(id, run.id); this.load(); }, "link"),
      el("span", { class: "quiet" }, `${when(run.started_at)} by ${run.user}${run.reason && `: ${run.reason}`}`))));
  }

  async #start(scene) {
    this.#shown.delete(scene.id);
    await this.#do("POST", `/scenes/${scene.id}/start`);
  }

  async #edit(scene) {
    this.form.open(await get(`/scenes/${scene.id}`), scene.site);
  }

  #delete(scene) {
    const sure = button("Delete", async () => {
      this.ask.close();
      await this.#do("DELETE", `/scenes/${scene.id}`);
    }, "primary");
    this.ask.replaceChildren(el("div", { class: "stack" }, el("h2", {}, `Delete the scene ${scene.id}?`),
      el("p", {}, "The history of its runs stays."), el("div", { class: "buttons" }, sure, button("Keep it", () => this.ask.close()))));
    this.ask.showModal();
  }

  async #do(method, path) {
    try {
      await call(method, path, {});
      await this.load();
    } catch (why) {
      this.error.textContent = told(why);
    }
  }
}
