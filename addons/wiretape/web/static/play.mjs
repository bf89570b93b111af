// Plays an answer as it came: the words of each chunk at its time. Without it the page says the same, whole.

const player = document.getElementById("player");
if (player) {
  const moments = JSON.parse(document.getElementById("moments").textContent);
  const at = document.getElementById("at");
  const clock = document.getElementById("clock");
  const now = document.querySelector(".timeline .now");
  const play = document.getElementById("play");
  const speed = document.getElementById("speed");
  const stream = document.getElementById("stream");
  const total = Number(at.max);
  let began = 0; // When the playing would have begun at 0 ms, by the clock of frames; 0 while it stands.

  const told = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);

  let shown = -1;
  function show(ms) {
    clock.textContent = told(ms);
    const x = total ? `${(ms / total) * 100}%` : "0";
    now?.setAttribute("x1", x);
    now?.setAttribute("x2", x);
    let count = 0;
    while (count < moments.length && moments[count][0] <= ms) count += 1;
    if (count === shown) return;
    if (count < shown || shown < 0) {
      stream.replaceChildren();
      shown = 0;
    }
    for (const [, words, isThought] of moments.slice(shown, count)) {
      const last = stream.lastElementChild;
      const kind = isThought ? "thought" : "said";
      if (last && last.className === kind) {
        last.append(words);
      } else {
        const span = document.createElement("span");
        span.className = kind;
        span.textContent = words;
        stream.append(span);
      }
    }
    shown = count;
  }

  function stop() {
    began = 0;
    play.textContent = "Play";
  }

  function frame(time) {
    if (!began) return;
    const ms = (time - began) * Number(speed.value);
    at.value = String(Math.min(ms, total));
    show(Math.min(ms, total));
    if (ms >= total) stop();
    else requestAnimationFrame(frame);
  }

  function start() {
    const from = Number(at.value) >= total ? 0 : Number(at.value);
    play.textContent = "Pause";
    requestAnimationFrame((time) => {
      began = time - from / Number(speed.value);
      frame(time);
    });
  }

  play.addEventListener("click", () => (began ? stop() : start()));
  speed.addEventListener("change", () => began && start());
  at.addEventListener("input", () => {
    stop();
    show(Number(at.value));
  });
  player.hidden = false;
  stream.hidden = false;
  show(total);
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.of).textContent);
    button.textContent = "Copied";
  });
}
