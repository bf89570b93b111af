// Calls as they come, the newest first. The page says what was without this; what is older is more of the same page.
//
// All calls that are known are in `known`; rows of those that can be seen are in the table, and a row above and one
// below stand for the others. So there are some hundred rows at most, however many calls there are.

const MOST = 10000;
const SPARE = 30; // rows beyond each end of what can be seen
const PATIENCE = 150; // milliseconds after a letter of the filter

const body = document.getElementById("calls");
const form = document.getElementById("filter");
const pause = document.getElementById("pause");
const state = document.getElementById("state");
const above = spacer();
const below = spacer();
const isOfThePast = new URL(location).searchParams.has("before");

let known = [];
let older = ""; // the address of what is older; empty where there is nothing
let newest = 0; // the id up to which all calls are known that fit
let waiting = []; // what has come, and is not shown yet
let isPaused = false;
let height = 0; // of a row
let frame = 0;
let loading = null;
let status = "";

// -- rows ---------------------------------------------------------------------------------------------------------

const duration = (ms) => (ms == null ? "" : ms < 1 ? `${Number(ms.toPrecision(2))} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toPrecision(3))} s`);
const clock = (at) => at.slice(0, 19).replace("T", " ");

function spacer() {
  const made = document.createElement("tr");
  made.className = "spacer";
  made.setAttribute("aria-hidden", "true");
  return made;
}

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function link(address, text, kind) {
  const made = document.createElement("a");
  made.href = address;
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function row(call) {
  const made = document.createElement("tr");
  cell(made, clock(call.at), "when");
  cell(made, "").append(link(`/calls/${call.id}`, call.outcome, `outcome ${call.outcome}`));
  cell(made, call.session);
  cell(made, call.model.split("/").at(-1));
  const request = cell(made, call.recording ? "" : call.request);
  if (call.recording) {
    const session = encodeURIComponent(call.recorded_in || call.session);
    request.append(link(`/sessions/${session}/${encodeURIComponent(call.recording)}`, call.request));
  }
  if (call.miss) {
    const why = document.createElement("span");
    why.className = "quiet";
    why.textContent = ` ${call.miss.difference}`;
    request.append(why);
  }
  cell(made, duration(call.first_byte_ms), "number");
  cell(made, duration(call.total_ms), "number");
  cell(made, call.usage.output ?? "", "number");
  cell(made, call.cost_usd ?? "", "number");
  return made;
}

const element = (each) => (each.row ??= row(each.call));

// -- what can be seen ---------------------------------------------------------------------------------------------

function draw() {
  frame = 0;
  const moved = isPaused ? 0 : show();
  const from = height ? Math.floor(-body.getBoundingClientRect().top / height) - SPARE : 0;
  const seen = height ? Math.ceil(innerHeight / height) : SPARE;
  const first = Math.max(0, Math.min(from, known.length - seen - 2 * SPARE));
  const last = Math.min(known.length, first + seen + 2 * SPARE);
  const wanted = known.slice(first, last).map(element);
  const kept = new Set([above, below, ...wanted]);
  for (const made of [...body.rows]) if (!kept.has(made)) made.remove();
  body.prepend(above);
  let place = above;
  for (const made of [...wanted, below]) {
    if (place.nextSibling !== made) place.after(made);
    place = made;
  }
  above.style.height = `${first * height}px`;
  below.style.height = `${(known.length - last) * height}px`;
  if (moved) scrollBy(0, moved * height);
  if (!height && wanted.length) measure();
  if (older && last > known.length - SPARE && known.length < MOST) more();
  tell();
}

function redraw() {
  frame ||= requestAnimationFrame(draw);
}

function measure() {
  const made = body.querySelector("tr:not(.spacer)");
  height = made ? made.getBoundingClientRect().height : 0;
  if (height) redraw();
}

// Put what has come before what is known. Returns the rows by which that moves what is being read.
function show() {
  const come = waiting.filter(({ call }) => fits(call)).reverse();
  newest = waiting.at(-1)?.id ?? newest;
  waiting = [];
  if (!come.length) return 0;
  known = [...come, ...known];
  if (known.length > MOST) known.length = MOST;
  return body.getBoundingClientRect().top < 0 ? come.length : 0;
}

function tell() {
  const held = isPaused ? waiting.filter(({ call }) => fits(call)).length : 0;
  const text = isPaused ? `paused, ${held} more` : status;
  if (state.textContent !== text) state.textContent = text;
}

// -- the filter: what is known is asked of the proxy, what comes is looked at here ----------------------------------

function fields() {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
}

function fits(call) {
  const { session = "", outcome = "", model = "", words = "" } = fields();
  if ((session && session !== call.session) || (outcome && outcome !== call.outcome)) return false;
  if (!call.model.toLowerCase().includes(model.toLowerCase())) return false;
  const said = [call.session, call.mode, call.outcome, call.model, call.request, call.provider, call.test_id, call.scope];
  const text = [...said, call.client, call.recording, call.miss?.difference ?? "", ...call.why].join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function take(page) {
  const found = page.getElementById("calls");
  if (!found) throw new Error("there are no calls on it");
  older = found.dataset.older;
  return [...found.rows].map((made) => ({ id: Number(made.dataset.id), row: document.adoptNode(made) }));
}

async function load(query) {
  loading?.abort();
  const mine = (loading = new AbortController());
  try {
    const answer = await fetch(`/calls?${query}`, { signal: mine.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return mine.signal.aborted ? null : { rows: take(page), newest: Number(page.getElementById("calls").dataset.newest) };
  } catch {
    if (!mine.signal.aborted) status = "the proxy does not answer";
    return null;
  } finally {
    if (loading === mine) loading = null;
  }
}

async function more() {
  if (loading) return;
  const found = await load(older);
  if (!found) return;
  known.push(...found.rows);
  redraw();
}

async function filter() {
  const query = new URLSearchParams(fields());
  const address = query.size ? `/calls?${query}` : "/calls";
  if (isOfThePast) return location.assign(address);
  history.replaceState(null, "", address);
  if (isPaused) query.set("before", newest + 1);
  const found = await load(query);
  if (!found) return redraw();
  // What has been shown meanwhile came after the proxy was asked.
  const since = known.filter(({ id, call }) => id > found.newest && call && fits(call));
  known = [...since, ...found.rows];
  newest = Math.max(newest, found.newest);
  waiting = waiting.filter(({ id }) => id > newest);
  redraw();
}

// -- begin --------------------------------------------------------------------------------------------------------

let later = 0;
form.addEventListener("input", () => {
  clearTimeout(later);
  later = setTimeout(filter, PATIENCE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(later);
  filter();
});
addEventListener("scroll", redraw, { passive: true });
addEventListener("resize", measure);

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? "Go on" : "Pause";
  redraw();
});

function follow() {
  const source = new EventSource(`/v1/calls/events?since=${newest}`);
  const told = (text) => {
    status = text;
    redraw();
  };
  source.addEventListener("open", () => told("live"));
  source.addEventListener("error", () => {
    told(source.readyState === EventSource.CLOSED ? "the proxy does not tell any more: load the page again" : "the proxy does not answer: trying again");
  });
  source.addEventListener("message", (event) => {
    const call = JSON.parse(event.data);
    if (call.id <= (waiting.at(-1)?.id ?? newest)) return;
    waiting.push({ id: call.id, call });
    if (waiting.length > MOST) waiting.shift();
    redraw();
  });
}

newest = Number(body.dataset.newest);
known = take(document);
document.getElementById("older")?.remove();
status = isOfThePast ? "older calls" : "";
draw();
if (!isOfThePast) {
  pause.hidden = false;
  follow();
}
