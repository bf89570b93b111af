// Finds recordings in a report: those whose text has all the words.
const words = document.getElementById("words");
const entries = [...document.querySelectorAll("details.entry")];
const count = document.getElementById("count");
const texts = new Map(entries.map((entry) => [entry, entry.textContent.toLowerCase()]));
words.form.hidden = false;
words.addEventListener("input", () => {
  const wanted = words.value.toLowerCase().split(/\s+/);
  let found = 0;
  for (const entry of entries) {
    entry.hidden = !wanted.every((word) => texts.get(entry).includes(word));
    found += entry.hidden ? 0 : 1;
  }
  count.textContent = `${found} of ${entries.length}`;
});
