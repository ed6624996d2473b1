"use server";
// What the page of conquests asks its server. Next lets only this application's own pages call these.
import { revalidatePath } from "next/cache";
import { rate } from "../../lib/aristotle";
import { execute, type Execution, execution, GoldsmithSays, type Wish } from "../../lib/goldsmith";

export type Answer = { execution: Execution } | { trouble: string };

export async function star(form: FormData): Promise<void> {
  await rate(String(form.get("conquestId")), form.get("isStar") === "true");
  revalidatePath("/conquests");
}

export async function run(wish: Wish, key: string): Promise<Answer> {
  const { eidosId, candidateId, modelId } = wish;
  return answered(() => execute({ eidosId: `${eidosId}`, candidateId: `${candidateId}`, modelId: `${modelId}` }, `${key}`));
}

export async function look(id: string): Promise<Answer> {
  return answered(() => execution(`${id}`));
}

async function answered(ask: () => Promise<Execution>): Promise<Answer> {
  try {
    const found = await ask();
    if (found.isOver) revalidatePath("/conquests");
    return { execution: found };
  } catch (error) {
    if (error instanceof GoldsmithSays) return { trouble: error.message };
    console.error(error);
    return { trouble: "Goldsmith does not answer. Nothing is lost: press the button again, and it goes on." };
  }
}
