// The backend's API: every request of the page goes through here.

const BASE = "/api/v1";
const TRIES = 3;
const PATIENCE_MS = 15000; // longer than the backend takes to say that it can't say
let csrf = "";

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.message);
    this.status = status;
    this.code = problem.error;
  }
}

async function request(method, path, { body, file, headers = {} } = {}) {
  const sent = { ...headers };
  if (method !== "GET") sent["X-CSRF-Token"] = csrf;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const response = await fetch(path.startsWith(BASE) ? path : BASE + path, {
    method,
    headers: sent,
    body: body === undefined ? file : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

export const get = (path) => request("GET", path);
export const call = (method, path, body) => request(method, path, { body });
export const upload = (path, type, file) => request("POST", path, { file, headers: { "Content-Type": type } });

function keep(session) {
  csrf = session.csrf_token;
  return session;
}

export const whoAmI = async () => keep(await get("/session"));
export const signIn = async (user, password) =>
  keep(await request("POST", "/session", { body: { user, password } }));
export const signOut = () => request("DELETE", "/session");
export const cancel = (id) => request("POST", `/commands/${id}/cancel`, { body: {} });

// What makes one click one command, however often it has to be posted.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// True where nobody can say whether what was asked for was done.
export const unsure = (error) => !(error instanceof ApiError) || error.status >= 500;

// Post a command. Where the answer is lost it is posted again, always under the same key, so it
// can't run twice; `again()` is called before that.
export const post = (command, key, again) => postOnce("/commands", command, key, again);

// The same of anything that takes a key.
export async function postOnce(path, body, key, again = () => {}) {
  const headers = { "Idempotency-Key": key };
  for (let attempt = 1; ; attempt++) {
    try {
      return await request("POST", path, { body, headers });
    } catch (error) {
      if (!unsure(error) || attempt === TRIES) throw error;
      again();
      await new Promise((done) => setTimeout(done, 700 * attempt));
    }
  }
}
