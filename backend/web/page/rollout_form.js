// What is asked for when a rollout begins: {node: the form, read(): what is sent}

import { el, fill } from "./dom.js";
import { isAdmin, may } from "./rights.js";

const NUMBERS = {
  canary: ["Boards that come first", 1, 0, 1000],
  at_once: ["Then at a time", 10, 1, 1000],
  per_minute: ["At most a minute (0: any)", 0, 0, 600],
  error_share: ["Stop above % errors", 20, 0, 100],
  min_finished: ["Once so many have finished", 5, 1, 1000],
  board_minutes: ["Minutes a board may take", 60, 1, 1440],
  deadline_hours: ["Hours until it ends", 24, 1, 720],
};

const number = ([name, [label, value, min, max]]) => el("label", {}, label,
  el("input", { name, type: "number", value: String(value), min, max, required: true }));
const option = (value, text) => el("option", { value }, text);

export function rolloutForm({ store, session, releases, address }) {
  const sites = [...store.sites.values()].filter((site) => may(session, "admin", site.id));
  const release = el("select", { name: "release", required: true },
    releases.map((one) => option(one.id, `${one.version} for ${one.board}`)));
  const site = el("select", { name: "site" }, isAdmin(session) && option("", "All sites"),
    sites.map((one) => option(one.id, one.name)));
  const label = el("select", { name: "label" });
  const choice = el("div", { class: "choice" });
  const sum = el("p", { class: "quiet", role: "status" });
  const some = el("details", {}, el("summary", {}, "Only some of them"), choice);
  const node = el("form", { class: "stack rollout-form", "aria-label": "New rollout" }, el("h2", {}, "A new rollout"),
    el("label", {}, "Release", release), el("label", {}, "Site", site), el("label", {}, "Label", label), some, sum,
    el("div", { class: "numbers" }, Object.entries(NUMBERS).map(number)),
    el("label", { class: "check" }, el("input", { type: "checkbox", name: "allow_downgrade" }),
      "Also to boards that run a later version"),
    el("p", { class: "quiet" }, `Boards fetch it from ${address}.`));

  const at = () => [...store.boards.values()].filter((board) => board.state === "active" && (!site.value || board.site === site.value));
  const meant = () => at().filter((board) => !label.value || board.labels.includes(label.value));
  const chosen = () => [...choice.querySelectorAll("input:checked")].map((box) => box.value);

  function drawSum() {
    const one = releases.find(({ id }) => id === release.value);
    const ids = chosen();
    const boards = meant().filter((board) => !ids.length || ids.includes(board.id));
    const fitting = boards.filter((board) => board.board === one.build && board.firmware !== one.version);
    sum.textContent = `Of this kind, and without it yet: ${fitting.length} of ${boards.length}.`;
  }

  function draw() {
    const labels = [...new Set(at().flatMap((board) => board.labels))].sort();
    const before = label.value;
    label.replaceChildren(option("", "All of them"), ...labels.map((one) => option(one, one)));
    label.value = labels.includes(before) ? before : "";
    fill(choice, meant().map((board) => el("label", { class: "check" },
      el("input", { type: "checkbox", value: board.id }), board.name)));
    drawSum();
  }

  for (const field of [site, label]) field.addEventListener("change", draw);
  for (const field of [release, choice]) field.addEventListener("change", drawSum);
  draw();

  function read() {
    const { elements } = node;
    const value = (name) => Number(elements[name].value);
    const ids = chosen();
    const everybody = !site.value && !label.value && !ids.length ? meant().map((board) => board.id) : ids;
    const selection = { site: site.value, label: label.value, boards: everybody.length ? everybody : "" };
    return {
      release: release.value,
      selection: Object.fromEntries(Object.entries(selection).filter(([, one]) => one)),
      ...Object.fromEntries(["canary", "at_once", "per_minute", "error_share", "min_finished"].map((name) => [name, value(name)])),
      board_s: value("board_minutes") * 60,
      deadline_s: value("deadline_hours") * 3600,
      allow_downgrade: elements.allow_downgrade.checked,
    };
  }

  return { node, read };
}
