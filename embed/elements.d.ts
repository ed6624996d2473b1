// What the elements take and tell. The elements themselves come from your Goldsmith.

/** A fine-tuned or a base model, as `GET /api/models/available` lists it. */
export type Model = TunedModel | BaseModel;
export interface TunedModel {
  type: "fine_tuned";
  id: string;
  name: string;
  /** `deployed`: it answers now; `available`: it can be brought live. */
  status: "deployed" | "available";
  base_model: string;
  version: number;
  /** Of its newest comparison with its base model, from 0 to 1; null before there is one. */
  win_rate: number | null;
  deployed_at: string | null;
}
export interface BaseModel {
  type: "base";
  id: string;
  name: string;
  status: "deployed" | "available";
  size_gb: number;
}

export type JobState = "queued" | "starting" | "running" | "paused" | "succeeded" | "failed" | "cancelled";
export type VerdictKind = "better" | "worse" | "not_known" | "no_need" | "too_few";
export type Permission = "export" | "train" | "deploy" | "compare";

/** Every event by its name, with what it says (`event.detail`). All of them bubble to the document. */
export interface GoldsmithEvents {
  "goldsmith-exported": { id: string; name: string; numLearn: number; numExam: number };
  "goldsmith-training-started": { id: string; name: string; trainingSetId: string | null };
  "goldsmith-training-changed": { id: string; name: string; state: JobState; modelId: string | null };
  "goldsmith-deployed": { modelId: string; name: string };
  "goldsmith-undeployed": { modelId: string; name: string };
  "goldsmith-comparison-started": { id: string; modelId: string };
  "goldsmith-comparison-ended": {
    id: string;
    modelId: string;
    state: JobState;
    kind: VerdictKind | null;
    winRate: number | null;
  };
  /** All of it is empty where somebody chose none. */
  "goldsmith-model-selected": {
    id: string;
    name: string;
    type: "base" | "fine_tuned" | "";
    status: "deployed" | "available" | "";
  };
  /** Once before a token ends, or when it has ended; `renew` takes the next one. */
  "goldsmith-token-expiring": { isOver: boolean; secondsLeft: number; renew(token: string): void };
}

/** What every part has. */
export interface Part extends HTMLElement {
  /** The short-lived token that your server asked for. Without one the page's is used: see `setToken`. */
  token: string;
  /** What stands above it. */
  heading: string;
}
export interface DatasetExport extends Part {}
export interface TrainingJob extends Part {}
export interface Progress extends Part {
  /** The id of the training to show; empty: the one at work, else the newest. */
  training: string;
}
export interface Deployment extends Part {}
export interface Comparison extends Part {
  /** The id of the chosen model. */
  model: string;
}
export interface ModelSelector extends Part {
  /** The id of the chosen model; empty: none. */
  value: string;
  /** The chosen model, as far as it is known. */
  readonly model: Model | null;
  name: string;
  readonly form: HTMLFormElement | null;
  readonly validity: ValidityState;
  readonly validationMessage: string;
  checkValidity(): boolean;
  reportValidity(): boolean;
}

/** What Goldsmith's script gives. */
export interface Elements {
  /** Give every part of the page that has no token of its own this one. */
  setToken(token: string): void;
}

/** Load the six elements from where Goldsmith is, once a page. */
export function load(address: string): Promise<Elements>;

declare global {
  interface HTMLElementTagNameMap {
    "goldsmith-dataset-export": DatasetExport;
    "goldsmith-training-job": TrainingJob;
    "goldsmith-progress": Progress;
    "goldsmith-deployment": Deployment;
    "goldsmith-comparison": Comparison;
    "goldsmith-model-selector": ModelSelector;
  }
  interface DocumentEventMap extends GoldsmithEventMap {}
  interface HTMLElementEventMap extends GoldsmithEventMap {}
}
export type GoldsmithEventMap = { [Name in keyof GoldsmithEvents]: CustomEvent<GoldsmithEvents[Name]> };
