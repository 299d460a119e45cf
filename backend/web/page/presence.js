// How a board is, in words.

const OVERDUE_MS = 60000; // a wake may be so late, and then the board has to connect
const ONLINE = { true: ["online", "Online"], false: ["offline", "Offline"], null: ["unsure", "Not known"] };

const ms = (text) => (text ? new Date(text).getTime() : 0);

export function time(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return today ? at.toLocaleTimeString(undefined, { hourCycle: "h23" })
    : at.toLocaleString(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

// Whether a board that is not heard said that it would sleep now.
export const asleep = (board) => !board.online && board.asleep_until
  && Date.now() < ms(board.asleep_until) + OVERDUE_MS;

// Since when a board that sleeps has been missing; null where it is not.
export function missingSince(board) {
  if (board.online !== false || asleep(board)) return null;
  const due = board.asleep_until || (board.sleeps && board.next_wake_at);
  return due && Date.now() >= ms(due) + OVERDUE_MS ? due : null;
}

// [class, words]
export function state(board) {
  if (board.state === "retired") return ["unsure", "Retired"];
  if (board.state === "pending_mapping") return ["unsure", "Waits to be mapped"];
  if (asleep(board)) return ["unsure", `Asleep until ${time(board.asleep_until)}`];
  const missing = missingSince(board);
  if (missing) return ["offline", `Missing since ${time(missing)}`];
  if (!board.online && board.sleeps && ms(board.next_wake_at) > Date.now()) {
    return ["unsure", `Due at ${time(board.next_wake_at)}`];
  }
  return board.online === null && !board.last_seen ? ["unsure", "Not heard yet"] : ONLINE[board.online];
}
