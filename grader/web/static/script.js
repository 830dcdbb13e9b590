// Adds to pages that work without it: files can be dropped, one that is too large is told at once, an attempt tells how far it is, a page
// of work under way loads itself again, and times are the reader's own.
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
for (const time of document.querySelectorAll("time")) {
  time.title = time.textContent;
  time.textContent = format.format(new Date(time.dateTime));
}
