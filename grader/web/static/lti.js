// The way in from a learning platform, in its frame: where the browser keeps no cookies here, the platform keeps the secret of a login.
"use strict";

const PATIENCE = 2000;

// Ask the platform's frame by postMessage: "lti.put_data" or "lti.get_data". An answer from anywhere else is not heard.
function ask(place, subject, more) {
  const { frame, origin, key } = place.dataset;
  const opener = window.opener || window.parent;
  const target = frame === "_parent" ? opener : opener.frames[frame];
  const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE);
    window.addEventListener("message", (event) => {
      const said = event.data;
      if (event.origin !== origin || !said || said.message_id !== id || said.subject !== `${subject}.response`) return;
      clearTimeout(timer);
      resolve(said.error ? null : said);
    });
    if (target) target.postMessage({ subject, message_id: id, key, ...more }, origin);
  });
}

function keepsCookies() {
  const secure = location.protocol === "https:" ? "; SameSite=None; Secure; Partitioned" : "";
  document.cookie = `lti-trial=1; Path=${new URL(".", location).pathname}; Max-Age=60${secure}`;
  return document.cookie.includes("lti-trial=1");
}

async function arrive(place) {
  const { arriving, frame, value } = place.dataset;
  const without = document.querySelector("[data-no-cookies]");
  without.hidden = true;
  if (keepsCookies() || (frame && (await ask(place, "lti.put_data", { value })))) {
    location.replace(arriving);
  } else {
    place.hidden = true;
    without.hidden = false;
  }
}

async function give(form) {
  const said = await ask(form, "lti.get_data", {});
  form.elements.kept.value = (said && said.value) || "";
  form.submit();
}

for (const place of document.querySelectorAll("[data-registered]")) {
  (window.opener || window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, place.dataset.registered);
}
for (const form of document.querySelectorAll("[data-going-back]")) form.submit();
for (const place of document.querySelectorAll("[data-arriving]")) arrive(place);
for (const form of document.querySelectorAll("[data-asking]")) give(form);
