// Rules and executions in words.

import { clock, inWords, labelOf, span, when } from "./words.js";

// "below 4 mg/l"
export function condition(rule, unit = "") {
  if (rule.limit_name) return `beyond its limit ${rule.limit_name}`;
  return `${rule.comparison} ${rule.at}${unit && ` ${unit}`}`;
}

// What an action does: "pond-1 aerator1: On for 600 s".
export function actionInWords(action, store) {
  if (!action) return "tell of it";
  const verbs = store.verbsOf(action.board_id);
  const where = [store.boards.get(action.board_id)?.name ?? action.board_id, action.target].filter(Boolean).join(" ");
  return `${where}: ${labelOf({ ...action, parameters: action.parameters ?? {}, target: action.target ?? "" }, verbs)}`;
}

const seconds = (ms) => span(Math.max(0, Math.ceil(ms / 1000)));

// [kind of dot, how the rule stands now]
export function standing(rule, board, now) {
  const reading = board?.sensors[rule.sensor];
  const unit = reading?.unit ?? "";
  const value = reading?.value === null || reading === undefined ? "" : `${reading.value} ${unit}`.trim();
  const limit = condition(rule, unit);
  if (!rule.enabled) return ["unsure", "Switched off."];
  if (rule.silent_at) return ["offline", `${rule.sensor} is silent; noticed ${when(rule.silent_at)}. ${next(rule, now)}`];
  if (rule.phase === "unheard") return ["unsure", `Waits for a reading of ${rule.sensor}. ${next(rule, now)}`];
  if (rule.phase === "clear") return ["online", `${value || rule.sensor}: not ${limit}. ${next(rule, now)}`];
  if (rule.phase === "beyond") {
    const left = Date.parse(rule.since) + rule.for_s * 1000 - now;
    return ["unsure", `${value}: ${limit} since ${clock(rule.since)}; ${left > 0 ? `acts in ${seconds(left)}` : "acts at the next reading"} if it stays so.`];
  }
  return ["offline", `${value}: ${limit} since ${when(rule.since)}. ${next(rule, now)}`];
}

// What it is about to do.
function next(rule, now) {
  if (!rule.wanted) return rule.phase === "crossed" && rule.acted ? "It has acted." : "";
  const left = Date.parse(rule.runs_at) - now;
  const what = rule.wanted === "crossed" ? "act" : "undo it";
  if (left <= 0) return `Is about to ${what}.`;
  if (rule.tries) return `Will ${what} again at ${clock(rule.runs_at)}, if nothing keeps it from that.`;
  return rule.cool_until === rule.runs_at ? `Cooling down until ${clock(rule.runs_at)}.` : `Will ${what} in ${seconds(left)}.`;
}

const WHY = { crossed: "crossed", cleared: "back again", silent: "the sensor was silent" };

// Why there was an execution: "crossed at 3.5".
export const trigger = (one, rule) => [WHY[one.trigger] ?? one.trigger, one.value !== null && `at ${one.value}`,
  rule && `(${condition(rule)})`].filter(Boolean).join(" ");

const ERRORS = {
  unknown: "What became of it is an open question; its command tells what is known.",
  other_site: "The boards are at different sites now.",
};

// [status, why it is so]
export function executionState(one, rules) {
  if (!one.error) return [one.status, ""];
  const { outranked_by: by, cause, because, stopped_by: stop } = one.detail;
  if (by) return [one.status, `Outranked by ${winner(cause || by, rules)}.`];
  if (stop) return [one.status, "Ended by a stop."];
  if (because) return [one.status, `Called off: ${{ changed: "the rule was changed or switched off", deleted: "the rule was deleted" }[because] ?? WHY[because] ?? because}.`];
  return [one.status, ERRORS[one.error] ?? sentence(inWords(one.error))];
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

// "automation/7/120" or a command's id.
function winner(by, rules) {
  const [kind, id] = by.split("/");
  if (!id) return "what somebody did by hand";
  const rule = kind === "automation" && rules.find((known) => known.id === Number(id));
  return rule ? `the rule ${rule.name}` : `${kind} ${id}`;
}
