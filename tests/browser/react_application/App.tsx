// Another application in React, typed strictly: what a person would write who reads the README.
import { type FormEvent, useRef, useState } from "react";
import type { ModelSelector as Selector } from "goldsmith-embed";
import {
  DatasetExportCard,
  GoldsmithProvider,
  ModelComparison,
  ModelDeployment,
  ModelSelector,
  ProgressMonitor,
  TrainingJobCard,
} from "goldsmith-embed/react";

export interface AppProps {
  address: string;
  getToken: () => Promise<string>;
}

export function App({ address, getToken }: AppProps) {
  const [heard, setHeard] = useState<string[]>([]);
  const [chosen, setChosen] = useState("");
  const [isShown, setIsShown] = useState(false);
  const selector = useRef<Selector>(null);
  const hear = (what: string) => setHeard((before) => [...before, what]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    hear(`form ${new FormData(event.currentTarget).get("modelId")} ${selector.current?.model?.name}`);
  };
  return (
    <GoldsmithProvider address={address} getToken={getToken} onError={(error) => hear(`error ${String(error)}`)}>
      <main>
        <h1>Fine-tuning</h1>
        <DatasetExportCard className="wide" heading="Gold stars" onExported={(set) => hear(`exported ${set.numLearn}`)} />
        <TrainingJobCard theme="dark" onTrainingStarted={({ name }) => hear(`started ${name}`)} />
        <ProgressMonitor bare onTrainingChanged={({ state }) => hear(`changed ${state}`)} />
        <ModelDeployment style={{ marginTop: 8 }} onUndeployed={({ name }) => hear(`undeployed ${name}`)} />
        <ModelComparison onComparisonStarted={({ modelId }) => hear(`comparing ${modelId}`)} />
        <form onSubmit={submit}>
          <ModelSelector
            ref={selector}
            name="modelId"
            label="Model of the conquest"
            required
            value={chosen}
            onModelSelected={({ id, type }) => {
              setChosen(id);
              hear(`selected ${type}`);
            }}
          />
          <button>Run the conquest</button>
        </form>
        <button onClick={() => setIsShown(true)}>One more</button>
        {isShown && <ModelSelector name="other" heading="Another" label="Another model" defaultValue={chosen} disabled={false} />}
        <output>{heard.join("; ")}</output>
      </main>
    </GoldsmithProvider>
  );
}
