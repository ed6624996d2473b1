// The playground with JavaScript: answers appear word by word, straight from the gateway. Without it a form does the same.
"use strict";
(() => {
  const room = document.querySelector("[data-playground]");
  if (!room || !window.fetch || !window.ReadableStream) return;
  const form = room.querySelector("[data-ask]");
  const names = JSON.parse(room.querySelector("[data-names]").textContent);
  const stop = room.querySelector("[data-stop]");
  const kept = room.querySelector("[data-kept]");
  const ENDS = { stop: "ended by itself", length: "cut off at the longest length", tool_calls: "asks for a tool" };
  const MAX_CHARACTERS = 65536;
  let tried = JSON.parse(room.querySelector("[name=tried]").value);
  let asking = null;

  const part = (number, name) => room.querySelector(`[data-side="${number}"] [data-${name}]`);
  const milliseconds = (ms) => `${Math.round(ms).toLocaleString("en")} ms`;

  function facts(side) {
    const tokens = side.answer_tokens == null ? "tokens not counted" : `${side.answer_tokens} token${side.answer_tokens === 1 ? "" : "s"}`;
    const end = side.error ? "" : ENDS[side.finish_reason] ?? (side.finish_reason || "it does not say why it ended");
    return [tokens, milliseconds(side.duration_ms), end].filter(Boolean).join(", ");
  }

  function begin(number, label) {
    const box = room.querySelector(`[data-side="${number}"]`);
    box.querySelectorAll(".badge").forEach((each) => each.remove());
    box.setAttribute("aria-busy", "true");
    part(number, "name").textContent = label || "Nobody";
    part(number, "text").textContent = "";
    part(number, "text").toggleAttribute("data-empty", !label);
    part(number, "facts").textContent = label ? "is answering" : "";
    part(number, "error").hidden = part(number, "about").hidden = true;
  }

  function end(number, side) {
    const box = room.querySelector(`[data-side="${number}"]`);
    box.removeAttribute("aria-busy");
    if (!side.asked) return;
    part(number, "name").textContent = names[side.model_id] ?? part(number, "name").textContent;
    part(number, "facts").textContent = facts(side);
    part(number, "error").hidden = !side.error;
    part(number, "error").querySelector("span").textContent = side.error;
    part(number, "about").hidden = !side.model_id;
    const star = part(number, "star");
    if (star) star.hidden = Boolean(side.error) || !side.text;
    part(number, "correction").value = side.text;
  }

  async function* events(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const lines = rest.split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  }

  async function answer(number, asked, signal) {
    const side = { asked, model_id: "", engine_id: "", text: "", error: "", prompt_tokens: null, answer_tokens: null, duration_ms: 0, finish_reason: "", answer_id: "", is_star: false, correction: null };
    const system = tried.system_text ? [{ role: "system", content: tried.system_text }] : [];
    const body = {
      model: asked,
      messages: [...system, { role: "user", content: tried.question }],
      temperature: tried.temperature,
      max_tokens: tried.max_tokens,
      stream: true,
      stream_options: { include_usage: true },
    };
    const began = performance.now();
    let isOver = false;
    try {
      const said = await fetch("/v1/chat/completions", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
      side.model_id = said.headers.get("x-goldsmith-model") ?? "";
      side.engine_id = said.headers.get("x-goldsmith-engine") ?? "";
      if (!said.ok) throw new Error((await said.json()).error?.message ?? `The gateway answered ${said.status}.`);
      for await (const data of events(said)) {
        if (data === "[DONE]") { isOver = true; break; }
        const chunk = JSON.parse(data);
        if (chunk.error) throw new Error(chunk.error.message);
        if (chunk.usage) { side.prompt_tokens = chunk.usage.prompt_tokens ?? null; side.answer_tokens = chunk.usage.completion_tokens ?? null; }
        const choice = chunk.choices?.[0];
        if (choice?.delta?.content) {
          side.text = (side.text + choice.delta.content).slice(0, MAX_CHARACTERS);
          part(number, "text").textContent = side.text;
        }
        side.finish_reason = choice?.finish_reason ?? side.finish_reason;
      }
      if (!isOver && !side.finish_reason) throw new Error("The answer broke off.");
    } catch (error) {
      side.error = signal.aborted ? "You stopped it." : String(error.message ?? error).slice(0, 2000);
    }
    side.duration_ms = Math.round((performance.now() - began) * 10) / 10;
    return side;
  }

  async function ask(event) {
    event.preventDefault();
    asking?.abort();
    const mine = asking = new AbortController();
    const label = (select) => select.value ? select.selectedOptions[0].textContent : "";
    tried = {
      question: form.question.value.trim(),
      system_text: form.system_text.value.trim(),
      temperature: Number(form.temperature.value || 0),
      max_tokens: Number(form.max_tokens.value || 512),
      sides: tried.sides,
    };
    kept.textContent = "";
    stop.hidden = false;
    const selects = [form.a, form.b];
    selects.forEach((select, number) => begin(number, label(select)));
    const empty = { asked: "", model_id: "", engine_id: "", text: "", error: "", prompt_tokens: null, answer_tokens: null, duration_ms: null, finish_reason: "", answer_id: "", is_star: false, correction: null };
    tried.sides = [empty, empty];
    await Promise.all(selects.map(async (select, number) => {
      const side = select.value ? await answer(number, select.value, mine.signal) : empty;
      if (asking !== mine) return;
      tried.sides = tried.sides.map((each, place) => place === number ? side : each);
      end(number, side);
    }));
    if (asking !== mine) return;
    asking = null;
    stop.hidden = true;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }

  async function keep(event) {
    event.preventDefault();
    const sent = new URLSearchParams(new FormData(event.target, event.submitter));
    sent.set("tried", JSON.stringify(tried));
    const number = Number(sent.get("side"));
    let told;
    try {
      const said = await fetch(event.target.action, { method: "POST", body: sent });
      told = new DOMParser().parseFromString(await said.text(), "text/html");
    } catch { kept.textContent = "Not saved: the connection is gone."; kept.classList.remove("sr"); return; }
    const box = told.querySelector(`[data-side="${number}"]`);
    if (!box) { document.documentElement.replaceWith(told.documentElement); return; }
    const side = JSON.parse(told.querySelector("[name=tried]").value).sides[number];
    tried.sides = tried.sides.map((each, place) => place === number ? side : each);
    room.querySelector(`[data-side="${number}"]`).replaceWith(box);
    kept.textContent = told.querySelector("[data-kept]").textContent;
    box.querySelector("button[name=verb]")?.focus();
  }

  form.addEventListener("submit", ask);
  room.addEventListener("submit", (event) => { if (event.target.matches("[data-keep]")) keep(event); });
  stop.addEventListener("click", () => asking?.abort());
  addEventListener("keydown", (event) => { if (event.key === "Escape") asking?.abort(); });
})();
