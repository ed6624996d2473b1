// What each generation of Aristotle's database calls its tables and columns.
import { generation } from "./settings";

const SNAKE = {
  aristotleId: "aristotle_id",
  type: "conquest_type",
  useAsExample: "use_as_example",
  evaluatedBy: "evaluated_by",
  evaluatedAt: "evaluated_at",
  createdAt: "created_at",
  updatedAt: "updated_at",
};
const CAMEL = {
  aristotleId: "aristotleId",
  type: "conquestType",
  useAsExample: "useAsExample",
  evaluatedBy: "evaluatedBy",
  evaluatedAt: "evaluatedAt",
  createdAt: "createdAt",
  updatedAt: "updatedAt",
};
const GENERATIONS = {
  V1: {
    ...SNAKE,
    conquests: "conquest_analysis",
    ratings: "ml_analysis_rating",
    prompts: "conquest_prompt",
    answers: "conquest_response",
    key: "conquest_analysis_id",
    eidos: "eidos",
    candidates: "candidate",
    hasUuids: false,
  },
  V2: {
    ...CAMEL,
    conquests: "Conquest",
    ratings: "ml_analysis_rating",
    prompts: "conquest_prompt",
    answers: "conquest_response",
    key: "conquest_analysis_id",
    eidos: "Eidos",
    candidates: "Candidate",
    hasUuids: false,
  },
  V3: {
    ...SNAKE,
    conquests: "conquests",
    ratings: "ml_analysis_ratings",
    prompts: "conquest_prompts",
    answers: "conquest_responses",
    key: "conquest_id",
    eidos: "eidos",
    candidates: "candidates",
    hasUuids: true,
  },
};
export type Names = (typeof GENERATIONS)["V2"];

export function names(): Names {
  const found = GENERATIONS[generation() as keyof typeof GENERATIONS];
  if (!found) throw new Error(`ARISTOTLE_GENERATION is ${generation()}; it must be V1, V2 or V3.`);
  return found;
}
