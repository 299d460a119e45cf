// What a board offers beside its actuators, in parts that fold: only what the board says it has.

import { actionForm, casesOf, plainButton } from "./actions.js";
import { chip, el, fill } from "./dom.js";
import { Settings } from "./settings.js";
import { explain, label, slotInWords, when } from "./words.js";

const has = (part) => (board) => board.has.includes(part);

// {name, shown(board), make(context)}; `make` gives [nodes, show(board) or nothing].
const GROUPS = [
  { name: "Camera", shown: has("camera"), make: camera },
  { name: "Settings", shown: () => true, make: settings },
  { name: "Sleep", shown: has("sleep"), make: sleep },
  { name: "Firmware", shown: (board) => board.slot !== "", make: firmware },
  { name: "Look after it", shown: () => true, make: care },
];

// What the parts of a board hang on: where it changes, they are made anew.
export const shape = (board) => GROUPS.filter((group) => group.shown(board)).map((group) => group.name);

// [nodes, show()] for a board. context: {id, store, send(type, parameters)}.
export function groups(board, context) {
  const made = GROUPS.filter((group) => group.shown(board)).map((group) => {
    const [nodes, show] = group.make(context, board);
    const node = el("details", { class: "group", "data-group": group.name },
      el("summary", {}, group.name), el("div", { class: "inside" }, nodes));
    const draw = () => { if (node.open) show?.(context.store.boards.get(context.id)); };
    node.addEventListener("toggle", draw);
    return [node, draw];
  });
  return [made.map(([node]) => node), () => made.forEach(([, draw]) => draw())];
}

const form = (type, { store, send }) =>
  actionForm(type.replaceAll("_", " "), casesOf(type, store.verbs), send);

function camera(context) {
  const open = el("div", { class: "open-pictures" });
  const list = el("div", { class: "pictures" });
  const buttons = el("div", { class: "buttons" },
    plainButton("send_image", context.send), plainButton("list_images", context.send));
  const show = (board) => {
    fill(open, ...Object.entries(board.pictures).sort().map(onItsWay));
    pictures(list, context);
  };
  return [[form("capture_image", context), buttons, open, list], show];
}

export function onItsWay([id, { parts, of, asked, waiting }]) {
  const come = of === null ? `${parts} parts` : `${parts} of ${of} parts`;
  const again = asked ? ` (${asked} × so far)` : "";
  return el("p", { class: "on-its-way quiet" }, el("span", {}, `Picture ${id}: ${come} are here; `
    + (waiting ? `what does not come is asked for${again}.` : "the rest is asked for when the board starts anew.")),
    of && el("progress", { max: of, value: parts, "aria-label": `Picture ${id}` }));
}

// What the board last said of the pictures on its flash.
function pictures(list, { id, store, send }) {
  const last = store.newestOf(id, ["list_images"], ["COMPLETED"]);
  if (!last || list.dataset.of === last.id) return;
  list.dataset.of = last.id;
  const rows = Object.entries(last.result).sort().map(([picture, text]) => {
    const [bytes, sent] = text.split(" ");
    const ask = (type, word) => el("button", { type: "button", class: "plain", "aria-label": `${word} ${picture}`,
      onclick: () => send(type, { image_id: picture }) }, word);
    return el("li", {}, el("span", {}, picture, el("span", { class: "quiet" },
      ` ${Math.ceil(bytes / 1024)} KB, ${sent}`)), ask("send_image", "Send"), ask("delete_image", "Delete"));
  });
  list.replaceChildren(rows.length ? el("ul", {}, rows)
    : el("p", { class: "quiet" }, "There are no pictures on the board."));
}

function settings(context) {
  const part = new Settings(context);
  return [[part.node], () => part.show()];
}

function sleep(context) {
  return [[form("set_wake_schedule", context),
    el("div", { class: "buttons" }, plainButton("sleep", context.send))]];
}

function firmware(context) {
  const [state, last] = [el("p", { class: "release" }), el("div", { class: "result" })];
  const show = (board) => {
    fill(state, `Runs ${board.firmware} out of slot ${board.slot}: `, el("b", {}, slotInWords(board.slot_state)));
    const update = context.store.newestOf(context.id, ["update_firmware"]);
    if (update) fill(last, ...story(update));
  };
  return [[state, form("update_firmware", context), last], show];
}

// How the newest update stands.
function story(update) {
  const why = explain(update);
  return [el("p", { class: "newest" }, chip(update.status), label("update_firmware", null, update.parameters),
    el("span", { class: "quiet" }, when(update.created_at))),
    why && el("p", { class: `why ${update.status.toLowerCase()}` }, why)].filter(Boolean);
}

function care(context, board) {
  const verbs = ["ping", "get_log", ...(board.has.includes("sensors") ? ["read_sensors"] : []), "restart"];
  return [[el("div", { class: "buttons" }, verbs.map((type) => plainButton(type, context.send)))]];
}
