// What this server asks Goldsmith, with its key. Whose it is comes from the session here, never from a page.
import { askForToken } from "goldsmith-embed/server";
import type { JobState, Model } from "goldsmith-embed";
import { addressOfGoldsmith, currentUser, keyOfGoldsmith } from "./settings";

/** An execution of a conquest, as far as a page shows it. */
export interface Execution {
  id: string;
  isOver: boolean;
  hasFailed: boolean;
  /** What it waits for, or why it failed. */
  message: string;
  modelName: string;
  conquestId: string | null;
  answer: string;
  tokens: number;
  seconds: number;
}
export interface Wish {
  eidosId: string;
  candidateId: string;
  modelId: string;
}
/** What Goldsmith shows of the person's trainings and models. */
export interface Standing {
  models: Model[];
  trainings: { id: string; state: JobState }[];
  deployments: { model_id: string; is_live: boolean }[];
}

/** What a person may read: Goldsmith's own words. */
export class GoldsmithSays extends Error {}

const MOST_TOKENS = 200;
const WITHIN_MS = 30_000;
const OVER: readonly JobState[] = ["succeeded", "failed", "cancelled"];

/** A token for the person's page. */
export function tokenForPage() {
  const asked = { address: addressOfGoldsmith(), key: keyOfGoldsmith(), ...currentUser() };
  return askForToken({ ...asked, may: ["export", "train", "deploy", "compare"] });
}

/** How everything stands that is the person's or their organisation's. */
export async function standing(): Promise<Standing> {
  const { token } = await askForToken({
    address: addressOfGoldsmith(),
    key: keyOfGoldsmith(),
    ...currentUser(),
    minutes: 1,
  });
  return (await ask("/v1/embed/now", token)) as Standing;
}

export const isActive = ({ state }: { state: JobState }) => !OVER.includes(state);

/** Run a conquest. The same key never runs it twice. */
export async function execute(wish: Wish, key: string): Promise<Execution> {
  const { models } = await standing();
  if (!models.some(({ id }) => id === wish.modelId)) {
    throw new GoldsmithSays(`There is no model ${wish.modelId} for ${currentUser().domain}.`);
  }
  const body = { ...wish, ...currentUser(), maxTokens: MOST_TOKENS };
  return seen(await ask("/api/conquests/execute", keyOfGoldsmith(), { body, key }));
}

/** How a conquest stands that takes longer. */
export async function execution(id: string): Promise<Execution> {
  return seen(await ask(`/api/conquests/executions/${encodeURIComponent(id)}`, keyOfGoldsmith()));
}

async function ask(path: string, secret: string, sent?: { body: object; key: string }): Promise<any> {
  const answer = await fetch(addressOfGoldsmith().replace(/\/$/, "") + path, {
    method: sent ? "POST" : "GET",
    headers: {
      authorization: `Bearer ${secret}`,
      ...(sent && { "content-type": "application/json", "idempotency-key": sent.key }),
    },
    body: sent && JSON.stringify(sent.body),
    cache: "no-store",
    signal: AbortSignal.timeout(WITHIN_MS),
  });
  const said = await answer.json();
  if (!answer.ok) throw new GoldsmithSays([said.detail ?? said.title, said.hint].filter(Boolean).join(" "));
  return said;
}

/** Goldsmith's answer; another person's execution is not there. */
function seen(found: any): Execution {
  const { philosopher, domain } = currentUser();
  if (found.philosopher !== philosopher || found.source_domain !== domain) {
    throw new GoldsmithSays(`There is no such execution of ${philosopher}.`);
  }
  const isOver = found.stage === "over";
  return {
    id: found.id,
    isOver,
    hasFailed: isOver && found.result?.state !== "stored",
    message: found.result?.error || found.message,
    modelName: found.model_name,
    conquestId: found.result?.conquest_id ?? null,
    answer: found.result?.text ?? "",
    tokens: found.tokens,
    seconds: found.seconds,
  };
}
