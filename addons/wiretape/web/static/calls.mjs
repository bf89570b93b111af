// Calls as they come. What is older stands on the page already; without this it says what was, and does not go on.

const MOST = 10000;
const body = document.getElementById("calls");
const words = document.getElementById("words");
const pause = document.getElementById("pause");
const state = document.getElementById("state");
let isPaused = false;
let waiting = [];

const duration = (ms) => (ms == null ? "" : ms < 1 ? `${ms.toPrecision(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toPrecision(3)} s`);
const clock = (at) => at.slice(0, 19).replace("T", " ");

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function row(call) {
  const made = document.createElement("tr");
  cell(made, clock(call.at), "when");
  const outcome = document.createElement("a");
  outcome.href = `/calls/${call.id}`;
  outcome.className = `outcome ${call.outcome}`;
  outcome.textContent = call.outcome;
  cell(made, "").append(outcome);
  cell(made, call.session);
  cell(made, call.model.split("/").at(-1));
  const request = cell(made, call.recording ? "" : call.request, "question");
  if (call.recording) {
    const link = document.createElement("a");
    link.href = `/sessions/${call.recorded_in || call.session}/${encodeURIComponent(call.recording)}`;
    link.textContent = call.request;
    request.append(link);
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
  made.hidden = !fits(made);
  return made;
}

function fits(made) {
  const text = made.textContent.toLowerCase();
  return words.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function filter() {
  for (const made of body.rows) made.hidden = !fits(made);
  const address = new URL(location);
  if (words.value) address.searchParams.set("words", words.value);
  else address.searchParams.delete("words");
  history.replaceState(null, "", address);
}

let isDrawing = false;
function draw() {
  isDrawing = false;
  if (isPaused) {
    state.textContent = `${waiting.length} more`;
    return;
  }
  const made = document.createDocumentFragment();
  for (const call of waiting.splice(0).reverse()) made.append(row(call));
  body.prepend(made);
  while (body.rows.length > MOST) body.deleteRow(-1);
}

const source = new EventSource(`/v1/calls/events?since=${body.dataset.newest}`);
source.addEventListener("open", () => (state.textContent = "live"));
source.addEventListener("error", () => (state.textContent = "the proxy does not answer: trying again"));
source.addEventListener("message", (event) => {
  waiting.push(JSON.parse(event.data));
  if (waiting.length > MOST) waiting.shift();
  if (!isDrawing) {
    isDrawing = true;
    requestAnimationFrame(draw);
  }
});

pause.hidden = false;
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? "Go on" : "Pause";
  state.textContent = isPaused ? "paused" : "live";
  draw();
});
words.value = new URL(location).searchParams.get("words") ?? "";
words.addEventListener("input", filter);
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
filter();
