// Where a place of a scene (states.INTRO.timeline[3].at) stands in its text.

// {place: offset} of everything in a JSON text that was parsed before.
export function placesOf(text) {
  const found = new Map();
  let at = 0;
  const skip = () => { while (" \t\r\n,:".includes(text[at]) && at < text.length) at += 1; };
  const word = () => {
    const from = at;
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    at += 1;
    return JSON.parse(text.slice(from, at));
  };
  const inside = (end, each) => {
    for (at += 1, skip(); text[at] !== end; skip()) each();
    at += 1;
  };
  const value = (place) => {
    skip();
    if (!found.has(place)) found.set(place, at);
    if (text[at] === '"') word();
    else if (text[at] === "{") {
      inside("}", () => {
        const key = at;
        const name = word();
        const below = place ? `${place}.${name}` : name;
        found.set(below, key);
        value(below);
      });
    } else if (text[at] === "[") {
      let index = 0;
      inside("]", () => value(`${place}[${index++}]`));
    } else while (at < text.length && !" \t\r\n,]}".includes(text[at])) at += 1;
  };
  value("");
  return found;
}

// The offset of a place, or of the nearest thing around it: what is missing stands nowhere.
export function offsetOf(places, place) {
  for (let name = place; name; name = name.replace(/(\.[^.[]*|\[\d+\]|^[^.[]*)$/, "")) {
    if (places.has(name)) return places.get(name);
  }
  return 0;
}

export const lineOf = (text, offset) => text.slice(0, offset).split("\n").length;
