import type { CSSProperties, ForwardRefExoticComponent, ReactElement, ReactNode, RefAttributes } from "react";
import type * as Elements from "./elements.js";

type Detail<Name extends keyof Elements.GoldsmithEvents> = (detail: Elements.GoldsmithEvents[Name]) => void;

export interface ProviderProps {
  /** Where Goldsmith is, for example `http://127.0.0.1:8001`. */
  address: string;
  /** Asks your server for a token: at first, and whenever one ends. */
  getToken: () => Promise<string>;
  /** When no token or no element came. Default: the console. */
  onError?: (error: unknown) => void;
  children?: ReactNode;
}
/** Loads the elements, and keeps the page's token good. Put it around the parts. */
export function GoldsmithProvider(props: ProviderProps): ReactElement;

/** What every part takes. */
export interface PartProps {
  id?: string;
  className?: string;
  style?: CSSProperties;
  hidden?: boolean;
  /** Another title. */
  heading?: string;
  /** Default: the page's own `color-scheme`. */
  theme?: "light" | "dark";
  /** Without the card around it. */
  bare?: boolean;
  /** A token of its own; default: the one of the provider. */
  token?: string;
  /** A Goldsmith of its own; default: the one of the provider. */
  address?: string;
}

export interface DatasetExportCardProps extends PartProps {
  onExported?: Detail<"goldsmith-exported">;
}
export interface TrainingJobCardProps extends PartProps {
  onTrainingStarted?: Detail<"goldsmith-training-started">;
}
export interface ProgressMonitorProps extends PartProps {
  /** The id of the training to show; default: the one at work, else the newest. */
  training?: string;
  onTrainingChanged?: Detail<"goldsmith-training-changed">;
}
export interface ModelDeploymentProps extends PartProps {
  onDeployed?: Detail<"goldsmith-deployed">;
  onUndeployed?: Detail<"goldsmith-undeployed">;
}
export interface ModelComparisonProps extends PartProps {
  /** The id of the model that is chosen at first. */
  model?: string;
  onComparisonStarted?: Detail<"goldsmith-comparison-started">;
  onComparisonEnded?: Detail<"goldsmith-comparison-ended">;
}
export interface ModelSelectorProps extends PartProps {
  /** Its name in your form. */
  name?: string;
  label?: string;
  required?: boolean;
  disabled?: boolean;
  /** The id of the chosen model, which you keep yourself. */
  value?: string;
  /** The id of the model that is chosen at first, and again when the form is reset. */
  defaultValue?: string;
  onModelSelected?: Detail<"goldsmith-model-selected">;
}

type Component<Props, Element> = ForwardRefExoticComponent<Props & RefAttributes<Element>>;
export const DatasetExportCard: Component<DatasetExportCardProps, Elements.DatasetExport>;
export const TrainingJobCard: Component<TrainingJobCardProps, Elements.TrainingJob>;
export const ProgressMonitor: Component<ProgressMonitorProps, Elements.Progress>;
export const ModelDeployment: Component<ModelDeploymentProps, Elements.Deployment>;
export const ModelComparison: Component<ModelComparisonProps, Elements.Comparison>;
export const ModelSelector: Component<ModelSelectorProps, Elements.ModelSelector>;
