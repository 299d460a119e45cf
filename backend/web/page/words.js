// Commands, statuses, steps and times in words.

let errors = {}; // error code -> text, from the backend

export const learnErrors = (texts) => { errors = texts; };
// Why a request failed.
export const told = (why) => (why.status ? why.message : "The backend can't be reached; try again.");
export const inWords = (code) => errors[code] || code || "";

const LABELS = {
  "feed": (p) => `Feed ${p.amount} g`,
  "water/fill": (p) => `Fill ${measure(p)}`,
  "water/drain": (p) => `Drain ${measure(p)}`,
  "motor/start": (p) => `Start at ${p.speed} %` + (p.seconds ? ` for ${p.seconds} s` : ""),
  "motor/speed": (p) => `Set speed ${p.speed} %`,
  "switch/on": (p) => (p.seconds ? `On for ${p.seconds} s` : "On"),
  "stop": () => "Stop all",
  "clear_stop": () => "Clear the emergency stop",
  "capture_image": () => "Take a picture",
  "send_image": (p) => (p.image_id ? `Send picture ${p.image_id}` : "Send what was not sent"),
  "list_images": () => "List the pictures",
  "delete_image": (p) => `Delete picture ${p.image_id}`,
  "get_config": () => "Read the settings",
  "update_config": () => "Change settings",
  "set_wake_schedule": (p) => (p.seconds === 0 ? "Stay awake" : `Wake every ${span(p.seconds)}`),
  "sleep": () => "Sleep now",
  "update_firmware": (p) => (p.version ? `Update to ${p.version}` : "Update"),
  "get_log": () => "Fetch the error log",
  "read_sensors": () => "Read the sensors",
};

const measure = (p) => (p.amount === undefined ? `${p.seconds} s` : `${p.amount} ml`);

// Seconds as a person says them; a minute, and what does not come out even, stay in seconds.
export function span(seconds) {
  for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds > 60 && seconds % length === 0) return `${seconds / length} ${unit}`;
  }
  return seconds === undefined ? "…" : `${seconds} s`;
}

const SETTINGS = {
  hold_s: "Outputs stay on without a link, s",
  health_s: "A new release is on trial for, s",
  ntp: "Server that tells the time",
  "broker-host": "Broker", "broker-port": "Broker's port", "broker-user": "User on the broker",
  "broker-password": "Password on the broker", "broker-tls": "TLS to the broker",
  "broker-ca": "Authority's file on the board", "broker-fallback-host": "Second broker",
  "broker-fallback-port": "Second broker's port",
};

export function settingInWords(name) {
  const wifi = name.match(/^wifi-(\d+)-(ssid|password)$/);
  if (wifi) return `Wi-Fi ${Number(wifi[1]) + 1}${wifi[2] === "ssid" ? "" : ", password"}`;
  return SETTINGS[name] ?? "";
}

const SLOT_STATES = { confirmed: "it has proved itself", trial: "on trial" };

// What a board says of the release it runs.
export const slotInWords = (state) => SLOT_STATES[state]
  ?? state.replace("rolled_back: ", "went back to it, ").replace("safe_mode: ", "safe mode, nothing moves: ");

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll("_", " ");

// What a command does, e.g. "Feed 20 g".
export function label(type, choice, parameters) {
  const known = LABELS[choice ? `${type}/${choice}` : type];
  return known ? known(parameters) : sentence(choice || type);
}

export function labelOf(command, verbs) {
  const choice = verbs[command.command_type]?.choice;
  if (command.command_type === "stop" && command.target) return "Stop";
  return label(command.command_type, choice && command.parameters[choice], command.parameters);
}

// What a command depends on.
export function conditionInWords(one) {
  if (one.output) return `${one.output} is ${one.is}`;
  const limit = one.below === undefined ? `above ${one.above}` : `below ${one.below}`;
  return `${one.sensor} is ${limit}, read in the last ${span(one.max_age_s)}`;
}

// "dose", "set" or "stop": see the verbs.
export function kindOf(command, verbs) {
  const verb = verbs[command.command_type];
  const value = verb?.choice ? command.parameters[verb.choice] : null;
  return verb?.cases.find((one) => one.value === value)?.kind;
}

const SENSOR_ERRORS = { driver: "it does not answer", range: "its value can't be right" };
export const sensorError = (why) => SENSOR_ERRORS[why] ?? why;

const CANT_TELL = ["interrupted", "forgotten", "unanswered", "no_answer_possible", "superseded"];

// One line about how a command stands; "" where its status says enough.
export function explain(command) {
  if (command.status === "UNKNOWN") {
    return CANT_TELL.includes(command.error)
      ? `Open question: ${inWords(command.error)}.`
      : `Open question: ${inWords(command.error) || "no answer"}; the board will be asked.`;
  }
  if (command.cancelling && command.status !== "CANCELLED" && !ended(command)) {
    return "The board is asked to drop or stop it.";
  }
  if (!command.error || command.status === "CANCELLED") return "";
  const words = inWords(command.error);
  return `${sentence(words)}${detail(command, words)}.`;
}

// What the board itself says of why, where that is more than the code.
function detail({ message, error, status }, words) {
  const more = message && ![error, words, status.toLowerCase()].includes(message);
  return more ? `: ${message.replace(/^parameters[.:] ?/, "").replace(/\.$/, "")}` : "";
}

const ENDED = ["COMPLETED", "FAILED", "REJECTED", "EXPIRED", "CANCELLED"];
export const ended = (command) => ENDED.includes(command.status);

const STEPS = {
  create: () => "Written down by the backend",
  send: (s) => (s.detail.attempt > 1 ? `Sent again, attempt ${s.detail.attempt}` : "Sent to the board"),
  expire: () => "Too late, and never sent: it did not run",
  cancel: (s) => (s.to === "CANCELLED" ? "Cancelled before it was sent" : "The board is asked to drop or stop it"),
  give_up: () => "No answer in time: the board will be asked",
  overdue: () => "No result in time: the board will be asked",
  rebooted: () => "The board has started anew since: it will be asked",
  ask: () => "The board is asked what became of it",
  accepted: () => "Accepted by the board",
  progress: () => "Under way",
  completed: () => "Done",
  found: () => "Done, as the board's own state shows: the release asked for runs on trial",
  failed: () => "Failed",
  rejected: () => "Refused by the board",
  cancelled: () => "Dropped by the board before it began",
  unknown: () => "The board itself can't tell",
};

export const stepInWords = (step) => (STEPS[step.event] ? STEPS[step.event](step) : step.event);

export const detailInWords = (detail) => Object.entries(detail)
  .filter(([name]) => !["boot", "attempt", "ask"].includes(name))
  .map(([name, value]) => (name === "within" ? `result within ${value} s` : `${name} ${value}`))
  .join(", ");

// What keeps the backend from working, from its health; "" where nothing does.
export function trouble(health) {
  if (!health.mqtt.connected) {
    const why = health.mqtt.error ? ` (${health.mqtt.error})` : "";
    return `The backend does not reach its broker${why}. Boards can't be heard; commands wait.`;
  }
  return health.status === "healthy" ? "" : "A part of the backend has ended; its log says why.";
}

const pad = (number, width = 2) => String(number).padStart(width, "0");

export const clock = (time) => {
  const at = new Date(time);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
};

export const clockMs = (time) => `${clock(time)}.${pad(new Date(time).getMilliseconds(), 3)}`;

// The time of day, and the day before it where it is not today.
export function when(time) {
  const at = new Date(time);
  const today = at.toDateString() === new Date().toDateString();
  const day = at.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  return today ? clock(time) : `${day}, ${clock(time)}`;
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}
