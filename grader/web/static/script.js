// Adds to pages that work without it: files can be dropped, one that is too large is told at once, an attempt tells how far it is, a page
// of work under way loads itself again, what others change is kept up to date, and times are the reader's own.
"use strict";

for (const place of document.querySelectorAll("[data-drop]")) {
  const input = place.querySelector("input[type=file]");
  const told = () => {
    const [file] = input.files;
    input.setCustomValidity(file && file.size > Number(place.dataset.most) ? place.dataset.drop : "");
    input.reportValidity();
  };
  input.addEventListener("change", told);
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    place.addEventListener(kind, () => place.classList.remove("over"));
  }
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      told();
    }
  });
}

for (const place of document.querySelectorAll("[data-events]")) {
  const events = new EventSource(place.dataset.events);
  events.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    place.textContent = told.words;
    if (told.done) {
      events.close();
      location.reload();
    }
  });
}

for (const place of document.querySelectorAll("[data-again]")) {
  setTimeout(() => location.reload(), 1000 * Number(place.dataset.again));
}

const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
function ownTimes(place) {
  for (const time of place.querySelectorAll("time")) {
    time.title = time.textContent;
    time.textContent = format.format(new Date(time.dateTime));
  }
}
ownTimes(document);

// Not while somebody is at a link or a button in it, or has selected some of it: neither may be pulled away.
function idle(place) {
  const selection = document.getSelection();
  return !document.hidden && !place.contains(document.activeElement) && (selection.isCollapsed || !selection.containsNode(place, true));
}

async function renew(place) {
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected || !idle(place)) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (!fresh) return;
  ownTimes(fresh);
  if (fresh.innerHTML !== place.innerHTML) place.replaceChildren(...fresh.childNodes);
}

for (const place of document.querySelectorAll("[data-live]")) {
  // One that does not arrive is asked for again the next time.
  setInterval(() => idle(place) && renew(place).catch(() => {}), 1000 * Number(place.dataset.live));
}
