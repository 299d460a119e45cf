// Elements made from data. Text goes in as text and never as markup.

export const $ = (selector, root = document) => root.querySelector(selector);

// el("p", {class: "quiet", onclick: f}, "text", child, ...); null and false children are left out.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== false));
  return node;
}

function set(node, name, value) {
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (value === true) node.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) {
    node.setAttribute(name, value);
  }
}

export const chip = (status) => el("span", { class: `chip ${status.toLowerCase()}` }, status);

// Give a node new children, without touching it where nothing would change.
export function fill(node, ...children) {
  const fresh = el("div", {}, ...children);
  if (fresh.innerHTML !== node.innerHTML) node.replaceChildren(...fresh.childNodes);
}

export function options(select, first, values) {
  const chosen = select.value;
  const wanted = [["", first], ...values];
  const same = select.options.length === wanted.length
    && [...select.options].map((o) => o.value).join() === wanted.map(([v]) => v).join();
  if (same) return;
  select.replaceChildren(...wanted.map(([value, text]) => el("option", { value }, text)));
  select.value = wanted.some(([value]) => value === chosen) ? chosen : "";
}
