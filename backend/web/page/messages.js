// The messages about a command, as they went out and came in; fetched when somebody looks.

import { get } from "./api.js";
import { el } from "./dom.js";
import { clockMs } from "./words.js";

export function messagesOf(id) {
  const list = el("ul", { class: "messages" });
  const load = async () => {
    if (!node.open) return;
    const { messages } = await get(`/commands/${id}/messages`);
    list.replaceChildren(...messages.map(line));
    if (!messages.length) list.append(el("li", { class: "quiet" }, "None were kept."));
  };
  const node = el("details", { ontoggle: load }, el("summary", {}, "Messages"), list);
  return node;
}

const line = ({ at, direction, kind, size, sample }) => el("li", {},
  el("b", {}, direction === "out" ? "→ board" : "← board"), ` ${kind}, `,
  el("time", { datetime: at }, clockMs(at)), `, ${size} bytes`, el("code", {}, sample));
