import type { Metadata } from "next";
import { candidates, type Conquest, conquests, eidos } from "../../lib/aristotle";
import { standing } from "../../lib/goldsmith";
import { star } from "./actions";
import { ConquestForm } from "./form";

export const metadata: Metadata = { title: "Conquests" };

export default async function Conquests() {
  const [found, against, whom, models] = await Promise.all([conquests(), eidos(), candidates(), modelNames()]);
  return (
    <>
      <h1>Conquests</h1>
      <ConquestForm eidos={against} candidates={whom} />
      <h2>Your newest {found.length}</h2>
      <p className="second">A gold star says that an answer is what the model should write. Stars are what it learns from.</p>
      <ol className="conquests">
        {found.map((conquest) => (
          <Row key={conquest.id} conquest={conquest} model={models.get(conquest.modelId ?? "") ?? conquest.modelId} />
        ))}
      </ol>
    </>
  );
}

function Row({ conquest, model }: { conquest: Conquest; model: string | null }) {
  const { id, about, status, result, isStarred, asked, answered } = conquest;
  return (
    <li className="card conquest" id={id}>
      <form action={star}>
        <input type="hidden" name="conquestId" value={id} />
        <input type="hidden" name="isStar" value={String(!isStarred)} />
        <button className="star" aria-pressed={isStarred} aria-label={`Gold star for ${about}`}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M12 2.8l2.8 5.9 6.4.8-4.7 4.5 1.2 6.4L12 17.3l-5.7 3.1 1.2-6.4L2.8 9.5l6.4-.8z" />
          </svg>
        </button>
      </form>
      <div>
        <h3>{about}</h3>
        <p className="facts">
          <span>{WORDS[result] ?? result}</span>
          {status !== "COMPLETED" && <span>{status.toLowerCase()}</span>}
          {model && <span>on {model}</span>}
        </p>
        <details>
          <summary>What was asked</summary>
          <pre dir="auto">{asked}</pre>
        </details>
        <pre dir="auto">{answered}</pre>
      </div>
    </li>
  );
}

const WORDS: Record<string, string> = { PENDING: "not judged yet", VICTORY: "victory", DEFEAT: "defeat", NEUTRAL: "neutral" };

async function modelNames(): Promise<Map<string, string>> {
  const { models } = await standing().catch(() => ({ models: [] }));
  return new Map(models.map(({ id, name }) => [id, name]));
}
