// The page: signs in, puts the parts together, and keeps them fed by the event stream.

import { Bell } from "./alerts.js";
import { ApiError, get, signIn, signOut, whoAmI } from "./api.js";
import { Boards } from "./boards.js";
import { $ } from "./dom.js";
import { History } from "./history.js";
import { Live } from "./live.js";
import { Store } from "./store.js";
import { Timeline } from "./timeline.js";
import { Views } from "./views.js";
import { learnErrors, trouble } from "./words.js";

const REFRESH_MS = 10000; // heartbeats are no events, so "last seen" is asked for

let wasLost = false;

function showSignIn() {
  $("#sign-in-view").hidden = false;
  $("#sign-in [name=user]").focus();
}

function banner(text, kind) {
  const node = $("#banner");
  node.textContent = text;
  node.className = `banner ${kind}`;
  node.hidden = !text;
}

function showLive(on) {
  const node = $("#live");
  node.hidden = false;
  node.className = on ? "live on" : "live off";
  node.textContent = on ? "Live" : "Reconnecting";
}

// Signed out elsewhere, or too long idle: start anew, with the form. A lost connection is told of
// by the stream.
function refused(error) {
  if (error instanceof ApiError && error.status === 401) location.reload();
  else if (error instanceof ApiError) banner(error.message, "bad");
}

// What follows from a session for the page; every part is built for it.
const rightsOf = (session) => session && JSON.stringify([session.role, session.sites]);

async function loadBoards(store) {
  const asked = performance.now();
  store.setBoards((await get("/boards")).boards, asked);
}

async function loadSites(store) {
  store.setSites((await get("/sites")).sites);
}

async function loadHealth() {
  const text = trouble(await get("/health"));
  const node = $("#trouble");
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
}

async function opened(store, history, bell) {
  showLive(true);
  if (wasLost) {
    banner("Connected again; everything is up to date.", "good");
    setTimeout(() => { if (!wasLost) banner("", ""); }, 4000);
  }
  wasLost = false;
  store.tell("opened"); // what was missed is asked for
  await Promise.all([loadBoards(store), loadSites(store), loadHealth(), history.load(), bell.load()]).catch(refused);
}

function lost() {
  showLive(false);
  wasLost = true;
  banner("The connection to the backend is lost. What you see may be old; trying again.", "bad");
}

async function run(session) {
  $("#main-view").hidden = false;
  $("#sign-out").hidden = false;
  $("#who").textContent = session.user;
  const store = new Store();
  store.session = session;
  const catalogue = await get("/verbs");
  Object.assign(store, { verbs: catalogue.verbs, dialects: catalogue.dialects });
  learnErrors(catalogue.errors);
  const timeline = new Timeline($("#timeline"), store);
  new Boards($("#boards"), store);
  const bell = new Bell($("#bell"), store);
  const history = new History($("#history"), $("#filters"), $("#older"), $("#history-empty"),
    store, catalogue.statuses);
  $("#main-view").addEventListener("click", (event) => {
    const id = event.target.closest("[data-command]")?.dataset.command;
    if (id) timeline.open(id).catch(refused);
  });
  const live = new Live({
    open: () => opened(store, history, bell),
    command: (command) => store.commandEvent(command),
    board: (board) => store.boardEvent(board),
    reset: async () => {
      if (rightsOf(await whoAmI().catch(refused)) !== rightsOf(session)) return location.reload();
      store.forget();
      return opened(store, history, bell);
    },
    other: (kind, data) => {
      if (kind === "sites") loadSites(store).catch(refused);
      store.tell(kind, data);
    },
    lost,
    refused: () => get("/health").catch(refused), // says why, or that nobody is signed in
  });
  live.start();
  new Views($("#views"), $("#home"), $("#view"), { store, session });
  setInterval(() => {
    if (document.hidden || wasLost) return;
    loadBoards(store).catch(refused);
    loadHealth().catch(refused);
  }, REFRESH_MS);
}

$("#sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const error = $("#sign-in-error");
  error.textContent = "";
  try {
    await signIn(form.elements.user.value, form.elements.password.value);
    location.reload(); // every part starts anew for whoever has signed in
  } catch (why) {
    error.textContent = why.status ? why.message : "The backend can't be reached; try again.";
    form.elements.password.select();
  }
});

$("#sign-out").addEventListener("click", async () => {
  await signOut().catch(refused);
  location.reload();
});

whoAmI().then(run).catch((error) => {
  if (error.status === 401) showSignIn();
  else banner("The backend can't be reached. Reload the page to try again.", "bad");
});
