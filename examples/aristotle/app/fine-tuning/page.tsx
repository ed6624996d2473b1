import type { Metadata } from "next";
import { countStars } from "../../lib/aristotle";
import { isActive, standing } from "../../lib/goldsmith";
import { Cards } from "./cards";

export const metadata: Metadata = { title: "Fine-tuning" };

export default async function FineTuning() {
  return (
    <>
      <h1>Fine-tuning</h1>
      <dl className="numbers">
        {(await numbers()).map(({ name, value, about }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <strong>{value}</strong> <small>{about}</small>
            </dd>
          </div>
        ))}
      </dl>
      <Cards />
    </>
  );
}

async function numbers() {
  const [stars, now] = await Promise.all([countStars(), standing().catch(() => null)]);
  const rates = now?.models.flatMap((each) => (each.type === "fine_tuned" && each.win_rate !== null ? [each.win_rate] : []));
  const average = rates?.length ? rates.reduce((sum, rate) => sum + rate, 0) / rates.length : null;
  const notKnown = { value: "–", about: "not known: Goldsmith does not answer" };
  const active = now?.trainings.filter(isActive).length;
  const live = now?.deployments.filter(({ is_live }) => is_live).length;
  return [
    { name: "Gold stars", value: stars, about: "your conquests that count as good answers" },
    { name: "Active trainings", ...(now ? { value: active, about: "waiting, running or paused" } : notKnown) },
    { name: "Deployed models", ...(now ? { value: live, about: "fine-tuned, and answering now" } : notKnown) },
    { name: "Average win rate", ...(now ? winRate(average, rates?.length ?? 0) : notKnown) },
  ];
}

function winRate(average: number | null, numModels: number) {
  if (average === null) return { value: "–", about: "not measured: nothing was compared yet" };
  return { value: `${Math.round(average * 100)} %`, about: `against the base model; of ${numModels} compared` };
}
