// What pages gain with JavaScript: live numbers, keys, toasts that go away, charts. Every write works without it.
"use strict";

const body = document.body;
const isTyping = (target) => target instanceof Element && target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]") !== null;

// ---- Live: one stream for the page. Elements with data-live="JOB_ID" (or "*") ask for themselves again. ----
const REFRESH_EVERY_MS = 1000;
const waiting = new Map();

function refresh(element) {
  if (waiting.has(element)) return;
  const since = Date.now() - Number(element.dataset.refreshedAt || 0);
  waiting.set(element, setTimeout(() => {
    waiting.delete(element);
    if (!element.isConnected || element.contains(document.activeElement) && isTyping(document.activeElement)) return;
    element.dataset.refreshedAt = String(Date.now());
    htmx.trigger(element, "live");
  }, Math.max(0, REFRESH_EVERY_MS - since)));
}

function changed(jobId) {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (element.dataset.live === "*" || element.dataset.live.split(" ").includes(jobId)) refresh(element);
  }
}

// A browser opens six connections to one host, so a tab that nobody sees lets its own go.
let source = null;

function listenWhileSeen() {
  if (document.hidden) source = source?.close() ?? null;
  else if (!source) listen();
}

function listen() {
  if (!body.dataset.stream) return;
  source = new EventSource(body.dataset.stream);
  // What changed between the page and the stream, or while the connection was gone, is asked for once.
  source.addEventListener("begun", () => document.querySelectorAll("[data-live]").forEach(refresh));
  source.addEventListener("job", (message) => changed(JSON.parse(message.data).id));
  source.addEventListener("event", (message) => {
    const event = JSON.parse(message.data);
    changed(event.job_id);
    if (["succeeded", "failed"].includes(event.kind)) document.querySelectorAll("[data-bell]").forEach(refresh);
    document.dispatchEvent(new CustomEvent("goldsmith:event", { detail: event }));
  });
}

// ---- Clocks: data-ticks="SECONDS" goes on from when the server said it. ----
const said = new WeakMap();

function lasting(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}

setInterval(() => {
  for (const clock of document.querySelectorAll("[data-ticks]")) {
    const from = Number(clock.dataset.ticks);
    if (said.get(clock)?.from !== from) said.set(clock, { from, at: Date.now() });
    clock.textContent = lasting(from + (Date.now() - said.get(clock).at) / 1000);
  }
}, 1000);

// ---- Toasts: ten seconds, longer under the focus or the pointer. One with Undo stays, small, until the next action. ----
const TOAST_MS = 10000;

function letGo(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) letGo(toast);
    else if (toast.querySelector("form")) toast.classList.add("kept");
    else toast.remove();
  }, TOAST_MS);
}

function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast fixed";
  toast.textContent = text;
  document.getElementById("toasts").replaceChildren(toast);
  letGo(toast);
}

// ---- Keys: g and a letter to go somewhere; / search; ? all keys; data-key on a button or link. ----
let goesUntil = 0;

function switchKeys(areOn) {
  body.dataset.keys = areOn ? "on" : "off";
  document.cookie = `goldsmith_keys=${body.dataset.keys}; path=/; max-age=34560000; samesite=strict`;
}

function press(event) {
  if (event.defaultPrevented || event.metaKey || event.altKey) return;
  const target = event.target;
  if (event.ctrlKey) {
    if (event.key === "Enter" && target.form) target.form.requestSubmit();
    return;
  }
  if (isTyping(target) || body.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
  if (event.key === "?") document.getElementById("all-keys")?.showModal();
  else if (event.key === "/") document.querySelector("[data-search]")?.focus();
  else if (event.key === "g") goesUntil = Date.now() + 1500;
  else if (Date.now() < goesUntil) document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
  else document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`)?.click();
  if ("?/".includes(event.key)) event.preventDefault();
  if (event.key !== "g") goesUntil = 0;
}

function fillKeys() {
  const off = document.getElementById("keys-off");
  if (!off) return;
  off.addEventListener("change", () => switchKeys(!off.checked));
  const list = document.getElementById("page-keys");
  for (const element of document.querySelectorAll("[data-key]")) {
    const line = document.createElement("li");
    const key = document.createElement("kbd");
    key.textContent = element.dataset.key;
    line.append(key, " ", element.dataset.keyName || element.textContent.replace(element.dataset.key, "").trim());
    list.append(line);
  }
  list.hidden = !list.children.length;
}

// ---- Charts: Chart.js is fetched by the first chart; colours come from the custom properties. ----
const charts = new Map();
const colour = (name) => {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
const LOOKS = {
  exam: { line: "--gold-line", width: 2.5, radius: 3.5 },
  learn: { line: "--ink-3", width: 1.75, radius: 0 },
  second: { line: "--info", width: 2, radius: 3, dash: [6, 4] },
  third: { line: "--bad", width: 2, radius: 3, dash: [2, 3] },
};

function withScript(address) {
  withScript.loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  return withScript.loading;
}

function dataset(series) {
  const look = LOOKS[series.look] ?? LOOKS.learn;
  return {
    label: series.name,
    data: series.points.map(([x, y]) => ({ x, y })),
    borderColor: colour(look.line),
    backgroundColor: colour("--surface"),
    pointBorderColor: colour(look.line),
    borderWidth: look.width,
    borderDash: look.dash ?? [],
    pointRadius: look.radius,
    pointBorderWidth: 2,
    tension: 0,
  };
}

function draw(figure) {
  const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const grid = { color: colour("--line") };
  const hasPoints = data.series.some((series) => series.points.length);
  const ticks = { color: colour("--ink-3"), font: { size: 12 }, maxTicksLimit: 8 };
  charts.get(figure)?.destroy();
  figure.classList.add("is-drawn");
  const options = {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", axis: "x", intersect: false },
    plugins: { legend: { display: false } },
    scales: {
      x: { type: "linear", ticks, grid: { display: false }, border: grid, min: hasPoints ? undefined : 0, max: data.x_max },
      // Without a point there is nothing that the axis could measure.
      y: { display: hasPoints, min: 0, ticks: { ...ticks, maxTicksLimit: 5 }, grid, border: { display: false } },
    },
  };
  charts.set(figure, new Chart(figure.querySelector("canvas"), { type: "line", data: { datasets: data.series.map(dataset) }, options }));
}

function addPoint(event) {
  const { job_id: jobId, kind, data } = event.detail;
  for (const [figure, chart] of charts) {
    if (figure.dataset.liveJob !== jobId) continue;
    const series = { step: ["learn", data.loss], evaluated: ["exam", data.exam_loss] }[kind];
    const wanted = series && JSON.parse(figure.querySelector("script").textContent).series.findIndex((each) => each.look === series[0]);
    if (!series || wanted < 0 || series[1] == null) continue;
    const points = chart.data.datasets[wanted].data;
    if (points.length && points.at(-1).x >= data.step) continue;
    points.push({ x: data.step, y: series[1] });
    chart.options.scales.y.display = true;
    chart.update("none");
  }
}

async function drawAll() {
  const figures = [...document.querySelectorAll("[data-chart]")];
  if (!figures.length) return;
  await withScript(figures[0].dataset.script);
  figures.forEach(draw);
}

// ---- Small things. ----
function dropFiles() {
  for (const area of document.querySelectorAll("[data-drop]")) {
    const input = area.querySelector("input[type=file]");
    area.addEventListener("dragover", (event) => { event.preventDefault(); area.classList.add("is-over"); });
    area.addEventListener("dragleave", () => area.classList.remove("is-over"));
    area.addEventListener("drop", (event) => {
      event.preventDefault();
      area.classList.remove("is-over");
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

// What was typed into a long form outlives another button of its page, such as Install, until the form itself is sent.
function keepDrafts() {
  for (const form of document.querySelectorAll("form[data-draft]")) {
    const place = `draft ${form.dataset.draft}`;
    const typed = () => [...form.elements].filter((field) => field.name && field.matches("textarea, input.input"));
    const kept = JSON.parse(sessionStorage.getItem(place) ?? "{}");
    for (const field of typed()) if (field.name in kept && field.value === field.defaultValue) field.value = kept[field.name];
    form.addEventListener("input", () => {
      sessionStorage.setItem(place, JSON.stringify(Object.fromEntries(typed().map((field) => [field.name, field.value]))));
    });
    form.addEventListener("submit", (event) => {
      if (!event.submitter?.hasAttribute("formaction")) sessionStorage.removeItem(place);
    });
  }
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try { await navigator.clipboard.writeText(field.value); say("Copied."); } catch { say("It is selected: press Ctrl C to copy it."); }
}

function offerCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

function follow() {
  for (const log of document.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
}

function busy(event) {
  const button = event.submitter;
  if (!button?.classList.contains("button") || event.target.method === "dialog") return;
  setTimeout(() => { button.setAttribute("aria-busy", "true"); }, 0);
  setTimeout(() => { button.removeAttribute("aria-busy"); }, 8000);
}

addEventListener("keydown", press);
addEventListener("submit", busy);
document.addEventListener("goldsmith:event", addPoint);
document.addEventListener("htmx:error", () => say("Not loaded: the connection is gone. It is tried again at the next change."));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
document.querySelectorAll("[data-toast]").forEach(letGo);
document.querySelector("[aria-invalid='true']")?.focus();
fillKeys();
dropFiles();
keepDrafts();
offerCopies();
follow();
listenWhileSeen();
addEventListener("visibilitychange", listenWhileSeen);
addEventListener("pagehide", () => { source = source?.close() ?? null; });
addEventListener("pageshow", listenWhileSeen);
drawAll();

// ---- Reading answers: the next row is here before it is wanted; a mark is saved while one reads on. ----
const rows = new Map();
const place = () => document.querySelector("[data-reading]");

function row(address) {
  if (!rows.has(address)) {
    const asked = fetch(address, { headers: { "HX-Request": "true", Purpose: "prefetch" } });
    rows.set(address, asked.then((answer) => answer.ok ? answer.text() : Promise.reject(answer)));
  }
  return rows.get(address);
}

function put(html, address) {
  const reader = document.querySelector("[data-reader]");
  reader.innerHTML = html;
  htmx.process(reader);
  if (address !== location.pathname + location.search) history.pushState({}, "", address);
  document.getElementById("alerts").replaceChildren();
  document.getElementById("row-now")?.focus({ preventScroll: true });
  if (place()?.dataset.next) row(place().dataset.next).catch(() => rows.delete(place().dataset.next));
}

async function turn(address) {
  try { put(await row(address), address); } catch { location.assign(address); }
}

async function save(form, pressed) {
  const button = pressed ?? form.querySelector("button[name]");
  const sent = new URLSearchParams(new FormData(form, button));
  const next = place().dataset.next;
  const here = place().dataset.here;
  const saving = fetch(form.action, { method: "POST", body: sent, headers: { "HX-Request": "true" } });
  const isAhead = next && button.value !== "unstar";
  rows.delete(here);
  if (isAhead) await turn(next);
  let answer;
  try { answer = await saving; } catch { say("Not saved: the connection is gone."); await turn(here); return; }
  const html = await answer.text();
  const told = new DOMParser().parseFromString(html, "text/html");
  rows.clear();
  if (!told.querySelector("[data-reading]")) {
    await turn(here);
    document.getElementById("alerts").innerHTML = html;
    return;
  }
  if (answer.ok && isAhead) {
    for (const part of ["#pace", "#tools", "#queue"]) document.querySelector(part)?.replaceWith(told.querySelector(part) ?? "");
    if (place().dataset.next) row(place().dataset.next);
  } else put(html, answer.ok ? new URL(answer.url).pathname + new URL(answer.url).search : here);
  const toast = told.querySelector("template[data-said]")?.content.firstElementChild;
  if (toast) { document.getElementById("toasts").replaceChildren(toast); letGo(toast); }
}

function arrows(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const choices = step && event.target.closest("[data-arrows]")?.querySelectorAll("input");
  if (!choices) return;
  event.preventDefault();
  const chosen = choices[([...choices].indexOf(event.target) + step + choices.length) % choices.length];
  chosen.checked = true;
  chosen.focus();
}

addEventListener("keydown", arrows);
addEventListener("submit", (event) => {
  if (!event.target.matches("[data-say]") || !window.fetch) return;
  event.preventDefault();
  save(event.target, event.submitter);
});
addEventListener("click", (event) => {
  const link = event.target.closest("[data-turn]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    turn(link.getAttribute("href"));
  }
  const opener = event.target.closest("summary[data-key]");
  if (opener) {
    if (opener.parentElement.open && event.detail === 0) event.preventDefault();
    setTimeout(() => opener.parentElement.open && opener.parentElement.querySelector("textarea, .input")?.focus(), 0);
  }
  const insert = event.target.closest("[data-insert]");
  if (insert) {
    const field = document.getElementById(insert.dataset.into);
    field.setRangeText(insert.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
  }
});
if (place()) {
  addEventListener("popstate", () => location.reload());
  if (place().dataset.next) row(place().dataset.next).catch(() => rows.clear());
}
