// What is asked for when a site is made or changed, and when a board is mapped or labelled:
// {title, fields, word: on the button, read(form): what is sent}

import { el } from "./dom.js";

const NAMES = ["name", "owner", "programme", "timezone", "wake_cron"];
const LABELS = {
  name: "Name", owner: "Owner", programme: "Programme", timezone: "Time zone", wake_cron: "Wake times (cron)",
};
const HINTS = { timezone: "Europe/Rome", wake_cron: "0 8,16 * * *" };

const field = (name, label, value, more = {}) =>
  el("label", {}, label, el("input", { name, value, maxlength: 64, ...more }));
const check = (name, label, on) =>
  el("label", { class: "check" }, el("input", { type: "checkbox", name, checked: Boolean(on) }), label);

export function siteForm(site) {
  const known = { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, ...site };
  const id = field("id", "Id", "", { required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", title: "A-Z a-z 0-9 _ -" });
  return {
    title: site.id ? `Change ${site.name}` : "A new site",
    word: "Save",
    fields: [site.id ? "" : id,
      NAMES.map((name) => field(name, LABELS[name], known[name] ?? "", { placeholder: HINTS[name] ?? null,
        required: name === "name" || name === "timezone" })),
      check("private", "Private: others are told that there is no such site", known.private)],
    read: (form) => {
      const asked = Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value.trim()]));
      asked.private = form.elements.private.checked;
      return site.id ? asked : { id: form.elements.id.value, ...asked };
    },
  };
}

export function boardForm(board, sites) {
  const choices = sites.map((site) =>
    el("option", { value: site.id, selected: site.id === board.site }, site.name));
  return {
    title: board.site ? `Move ${board.name}` : `Map ${board.name} to a site`,
    word: board.site ? "Move" : "Map",
    fields: [el("label", {}, "Site", el("select", { name: "site", required: true }, choices)),
      field("name", "Name", board.name, { required: true }),
      check("sleeps", "It sleeps between the site's wake times", board.sleeps)],
    read: ({ elements }) => ({
      site: elements.site.value, name: elements.name.value.trim(), sleeps: elements.sleeps.checked,
    }),
  };
}

export const labelsForm = (board) => ({
  title: `Labels of ${board.name}`,
  word: "Save",
  fields: [field("labels", "Words, with spaces between", board.labels.join(" "), { maxlength: 1100, placeholder: "pump north-side" }),
    el("p", { class: "quiet" }, "Schedules, commands to many boards and rollouts may go to all boards with a label.")],
  read: ({ elements }) => ({ labels: elements.labels.value.split(/[\s,]+/).filter(Boolean) }),
});
