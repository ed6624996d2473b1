// Aristotle's own tables: conquests, their ratings, eidos and candidates. Every query names philosopher and domain.
import { randomBytes, randomUUID } from "node:crypto";
import postgres from "postgres";
import { names } from "./names";
import { currentUser, databaseUrl } from "./settings";

export interface Conquest {
  id: string;
  about: string;
  type: string;
  status: string;
  result: string;
  isStarred: boolean;
  asked: string;
  answered: string;
  modelId: string | null;
}
export interface Choice {
  id: string;
  name: string;
}

const MOST_CONQUESTS = 50;
const kept = globalThis as { aristotle?: postgres.Sql };

function database(): postgres.Sql {
  const options = { max: 4, connection: { TimeZone: "UTC" }, onnotice: () => undefined };
  kept.aristotle ??= postgres(databaseUrl(), options);
  return kept.aristotle;
}

/** The person's conquests, the newest first. */
export async function conquests(): Promise<Conquest[]> {
  const sql = database();
  const { philosopher, domain } = currentUser();
  const n = names();
  const found = await sql`
    SELECT c.id::text, c.title, c.${sql(n.aristotleId)} AS subject, c.${sql(n.type)}::text AS type, c.status::text,
      c.result::text, to_jsonb(c) ->> 'fine_tuned_model_id' AS model,
      EXISTS (SELECT FROM ${sql(n.ratings)} r WHERE r.${sql(n.key)} = c.id AND r.is_gold_star
        AND r.use_as_sample_response AND r.philosopher = ${philosopher} AND r.domain = ${domain}) AS starred,
      (SELECT p.data FROM ${sql(n.prompts)} p WHERE p.${sql(n.key)} = c.id ORDER BY p.updated_at DESC LIMIT 1) AS asked,
      (SELECT a.data FROM ${sql(n.answers)} a WHERE a.${sql(n.key)} = c.id ORDER BY a.updated_at DESC LIMIT 1)
        AS answered
    FROM ${sql(n.conquests)} c WHERE c.philosopher = ${philosopher} AND c.domain = ${domain}
    ORDER BY c.${sql(n.createdAt)} DESC, c.id DESC LIMIT ${MOST_CONQUESTS}`;
  return found.map((row) => ({
    id: row.id,
    about: row.title ?? nameIn(row.asked) ?? row.subject ?? row.id,
    type: row.type,
    status: row.status,
    result: row.result,
    isStarred: row.starred,
    asked: textOf(row.asked, "prompt"),
    answered: textOf(row.answered, "response"),
    modelId: row.model,
  }));
}

/** How many gold stars the person has. */
export async function countStars(): Promise<number> {
  const sql = database();
  const { philosopher, domain } = currentUser();
  const [row] = await sql`
    SELECT count(*)::int AS stars FROM ${sql(names().ratings)} WHERE is_gold_star AND use_as_sample_response
    AND analysis_type = 'conquest_analysis' AND philosopher = ${philosopher} AND domain = ${domain}`;
  return row.stars;
}

/** What a conquest is run against. */
export async function eidos(): Promise<Choice[]> {
  const sql = database();
  const { philosopher, domain } = currentUser();
  const rows = await sql`
    SELECT id::text, coalesce(name, id::text) AS name FROM ${sql(names().eidos)}
    WHERE philosopher = ${philosopher} AND domain = ${domain} ORDER BY name`;
  return rows.map(({ id, name }) => ({ id, name }));
}

/** Who is judged. Candidates belong to the organisation. */
export async function candidates(): Promise<Choice[]> {
  const sql = database();
  const n = names();
  const rows = await sql`
    SELECT id::text, concat_ws(', ', coalesce(name, ${sql(n.aristotleId)}), title, company) AS name
    FROM ${sql(n.candidates)} WHERE domain = ${currentUser().domain} ORDER BY name LIMIT 200`;
  return rows.map(({ id, name }) => ({ id, name }));
}

/** Give a conquest its gold star, or take it away: its rating and its result, both or neither. */
export async function rate(conquestId: string, isStar: boolean): Promise<void> {
  const { philosopher, domain } = currentUser();
  const n = names();
  await database().begin(async (sql) => {
    const found = await sql`
      UPDATE ${sql(n.conquests)} SET result = ${isStar ? "VICTORY" : "PENDING"}, ${sql(n.useAsExample)} = ${isStar},
        ${sql(n.evaluatedBy)} = ${isStar ? philosopher : null}, ${sql(n.evaluatedAt)} = ${isStar ? sql`now()` : null},
        ${sql(n.updatedAt)} = now()
      WHERE id::text = ${conquestId} AND philosopher = ${philosopher} AND domain = ${domain} RETURNING id`;
    if (found.length === 0) throw new Error(`There is no conquest ${conquestId} of ${philosopher}.`);
    const [{ id }] = found;
    const changed = await sql`
      UPDATE ${sql(n.ratings)} SET rating = ${isStar ? 5 : null}, is_gold_star = ${isStar},
        use_as_sample_response = ${isStar}, updated_at = now()
      WHERE ${sql(n.key)} = ${id} AND philosopher = ${philosopher} AND domain = ${domain} RETURNING id`;
    if (changed.length > 0 || !isStar) return;
    const ratingId = n.hasUuids ? randomUUID() : `rating_${randomBytes(6).toString("hex")}`;
    await sql`
      INSERT INTO ${sql(n.ratings)} (id, ${sql(n.key)}, analysis_type, rating, is_gold_star, use_as_sample_response,
        philosopher, domain) VALUES (${ratingId}, ${id}, 'conquest_analysis', 5, true, true, ${philosopher}, ${domain})`;
  });
}

/** The text of a prompt or an answer, in all three shapes in which `data` is kept. */
function textOf(data: unknown, word: "prompt" | "response"): string {
  if (typeof data === "string") return data;
  if (data === null || typeof data !== "object") return "";
  const { evaluation, corrected_response: corrected, [word]: plain } = data as Record<string, unknown>;
  if (typeof corrected === "string") return corrected;
  if (evaluation && typeof evaluation === "object") return lines(evaluation);
  return plain === undefined ? lines(data) : typeof plain === "string" ? plain : lines(plain);
}

function lines(data: object | unknown): string {
  return Object.entries(data as Record<string, unknown>)
    .filter(([name]) => !name.startsWith("system") && name !== "work_history")
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${String(value)}`)
    .join("\n");
}

function nameIn(data: unknown): string | undefined {
  const asked = data as { name?: string; prompt?: unknown } | null;
  return asked?.name ?? (typeof asked?.prompt === "string" ? asked.prompt.match(/^Candidate \d+/)?.[0] : undefined);
}
