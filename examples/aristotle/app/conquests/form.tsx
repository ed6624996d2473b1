"use client";
import { ModelSelector } from "goldsmith-embed/react";
import { type FormEvent, useRef, useState } from "react";
import type { Choice } from "../../lib/aristotle";
import type { Execution } from "../../lib/goldsmith";
import { look, run } from "./actions";

const LOOK_EVERY_MS = 1000;
const pause = () => new Promise((done) => setTimeout(done, LOOK_EVERY_MS));

/** A new conquest: against what, whom, and on which model. */
export function ConquestForm({ eidos, candidates }: { eidos: Choice[]; candidates: Choice[] }) {
  const [isBusy, setIsBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [found, setFound] = useState<Execution>();
  const asked = useRef({ what: "", key: "" });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const wish = { eidosId: text(form, "eidosId"), candidateId: text(form, "candidateId"), modelId: text(form, "modelId") };
    // The same wish that has not been answered yet keeps its key, so that pressing again never runs it twice.
    const what = JSON.stringify(wish);
    if (asked.current.what !== what) asked.current = { what, key: crypto.randomUUID() };
    setIsBusy(true);
    setTrouble("");
    setFound(undefined);
    try {
      let answer = await run(wish, asked.current.key);
      while ("execution" in answer && !answer.execution.isOver) {
        setFound(answer.execution);
        await pause();
        answer = await look(answer.execution.id);
      }
      if ("trouble" in answer) setTrouble(answer.trouble);
      else {
        asked.current = { what: "", key: "" };
        setFound(answer.execution);
        if (answer.execution.hasFailed) setTrouble(answer.execution.message);
      }
    } catch {
      setTrouble("This application does not answer. Press the button again: nothing is run twice.");
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <form className="card conquest-form" onSubmit={submit} aria-labelledby="new-conquest">
      <h2 id="new-conquest">New conquest</h2>
      <Choose name="eidosId" label="Against" choices={eidos} />
      <Choose name="candidateId" label="Candidate" choices={candidates} />
      <ModelSelector name="modelId" label="Model" bare required />
      <button className="primary" disabled={isBusy} aria-busy={isBusy}>
        {isBusy ? "Running the conquest" : "Run the conquest"}
      </button>
      <div role="status">{isBusy && <p className="second">{found?.message || "The model is asked."}</p>}</div>
      {trouble && (
        <p role="alert" className="alert">
          {trouble}
        </p>
      )}
      {found?.isOver && !found.hasFailed && <Answer execution={found} />}
    </form>
  );
}

function Choose({ name, label, choices }: { name: string; label: string; choices: Choice[] }) {
  return (
    <label>
      {label}
      <select name={name} required>
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Answer({ execution }: { execution: Execution }) {
  return (
    <section aria-label="Answer" className="answer">
      <pre dir="auto">{execution.answer}</pre>
      <p className="second">
        {execution.modelName} wrote it: {execution.tokens} tokens in {execution.seconds.toFixed(1)} s. It stands in the list now.
      </p>
    </section>
  );
}

const text = (form: FormData, name: string) => String(form.get(name) ?? "");
