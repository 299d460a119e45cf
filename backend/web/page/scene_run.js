// One run of a scene: where it is, and every step with when it was planned, sent and answered.

import { chip, el } from "./dom.js";
import { clock, duration } from "./words.js";

const GOING = ["RUNNING", "PAUSED"];
const [WIDTH, LANE, LEFT] = [1000, 22, 150];
const LOOKS = {
  OK: "completed", PLAYED: "completed", SENT: "sent", WAITING: "sent", LATE: "unknown", NO_FEEDBACK: "unknown",
  SUPERSEDED: "unknown", FAILED: "failed", NOT_SENT: "failed", SIMULATED: "", AHEAD: "",
};
const WORDS = {
  NO_FEEDBACK: "no answer", NOT_SENT: "not sent", SIMULATED: "simulated", LATE: "answered late", AHEAD: "to come",
};

export const going = (run) => GOING.includes(run?.status);
const count = (list, word) => `${list.length} ${word}${list.length === 1 ? "" : "s"}`;
const ms = (time) => new Date(time).getTime();
const stepChip = (status) => el("span", { class: `chip ${LOOKS[status]}` }, WORDS[status] ?? status.toLowerCase());
const runLook = { COMPLETED: "completed", RUNNING: "sent", PAUSED: "sent", ABORTED: "failed", INTERRUPTED: "failed" };
export const runChip = (run) => el("span", { class: `chip ${runLook[run.status] ?? ""}` }, run.status);

// The whole of a run, as nodes.
export function runNodes(run) {
  const steps = [...run.steps, ...run.ahead.map((one) => ({ ...one, status: "AHEAD", state: run.state }))];
  return [head(run), run.simulated && el("p", { class: "note" },
    "Simulation: the broker was away, so some steps were played without sending anything."),
  run.reason && el("p", { class: "why" }, run.reason), strip(run, steps), table(run, steps)].filter(Boolean);
}

function head(run) {
  const took = (run.ended_at ? ms(run.ended_at) : Date.now()) - ms(run.started_at);
  return el("p", { class: "run-head" }, runChip(run), el("b", {}, `Run ${run.id}`),
    going(run) && el("span", {}, `in ${run.state}`),
    el("span", { class: "quiet" }, `${clock(run.started_at)} by ${run.user} · ${duration(took)}`));
}

// A topic, or a board and what is wired to it, as the step's words begin.
const laneOf = ({ board_id, target, text }) =>
  (board_id && text.startsWith(`${board_id} `) ? `${board_id} ${target}` : text.split(" ")[0]).trim();

function svg(tag, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

// A lane for each actuator: a bar where a step was planned, a dot where its answer came.
function strip(run, steps) {
  const lanes = [...new Set(steps.map(laneOf))];
  const from = ms(run.started_at);
  const last = Math.max(from + 1000, ...steps.map((step) => ms(step.feedback_at ?? step.planned_at)));
  const x = (time) => LEFT + ((ms(time) - from) / (last - from)) * (WIDTH - LEFT - 12);
  const node = svg("svg", { class: "lanes", viewBox: `0 0 ${WIDTH} ${lanes.length * LANE + 4}`, role: "img",
    "aria-label": `${count(steps, "step")}, on ${count(lanes, "lane")}` });
  node.append(...lanes.map((name, index) => svg("text", { x: 0, y: index * LANE + 16 }, name.slice(0, 22))),
    ...lanes.map((_, index) => svg("line", { x1: LEFT, x2: WIDTH, y1: index * LANE + 12, y2: index * LANE + 12 })));
  for (const step of steps) {
    const y = lanes.indexOf(laneOf(step)) * LANE;
    const mark = svg("rect", { class: LOOKS[step.status] || "plain", x: x(step.planned_at), y: y + 4, width: 4, height: 16 });
    mark.append(svg("title", {}, `${step.text}: ${WORDS[step.status] ?? step.status}`));
    node.append(mark);
    if (step.feedback_at) node.append(svg("circle", { class: LOOKS[step.status], cx: x(step.feedback_at) + 8, cy: y + 12, r: 3 }));
  }
  return el("div", { class: "lanes-card" }, node);
}

const after = (run, time) => `${((ms(time) - ms(run.started_at)) / 1000).toFixed(2)} s`;
const apart = (one, other) => (one && other ? `${ms(one) - ms(other) >= 0 ? "+" : ""}${ms(one) - ms(other)} ms` : "");

function table(run, steps) {
  const titles = ["Planned", "What", "Sent", "Answer", "Status", "State"];
  const rows = steps.map((step) => el("tr", { "data-place": step.place },
    el("td", { class: "time" }, after(run, step.planned_at)),
    el("td", {}, el("span", {}, step.text), el("code", { class: "quiet" }, step.place)),
    el("td", { class: "time" }, apart(step.sent_at, step.planned_at)),
    el("td", { class: "time" }, apart(step.feedback_at, step.sent_at)),
    el("td", {}, step.command_id
      ? el("button", { type: "button", class: "link", "data-command": step.command_id }, stepChip(step.status))
      : stepChip(step.status),
    step.detail && el("span", { class: "why" }, step.detail),
    differs(step) && el("span", { class: "quiet" }, "now ", chip(step.command_status))),
    el("td", { class: "quiet" }, step.state)));
  return el("div", { class: "table-card" }, el("table", { class: "steps-table" },
    el("thead", {}, el("tr", {}, titles.map((one) => el("th", { scope: "col" }, one)))), el("tbody", {}, rows)));
}

// Where its command has become known since, by what the board told later.
const differs = ({ status, command_status }) => !["OK", "LATE", "FAILED", "PLAYED"].includes(status)
  && command_status && !["PENDING", "SENT"].includes(command_status);
