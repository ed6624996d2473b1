// Never run: what the types allow, and what they refuse.
import { load } from "goldsmith-embed";
import { ModelSelector, ProgressMonitor } from "goldsmith-embed/react";
import { askForToken } from "goldsmith-embed/server";

export async function allowed(): Promise<string> {
  const { setToken } = await load("http://127.0.0.1:8001");
  const found = await askForToken({ address: "x", key: "gsk_x", philosopher: "a@b.example", domain: "b.example", may: ["train"] });
  setToken(found.token);
  document.addEventListener("goldsmith-comparison-ended", (event) => event.detail.winRate?.toFixed(2));
  document.addEventListener("goldsmith-token-expiring", (event) => event.detail.renew(found.token));
  const selector = document.createElement("goldsmith-model-selector");
  return selector.model?.type === "fine_tuned" ? selector.model.base_model : selector.value;
}

export const refused = [
  // @ts-expect-error there is no such permission
  () => askForToken({ address: "x", key: "gsk_x", philosopher: "a", domain: "b", may: ["everything"] }),
  // @ts-expect-error a token is for somebody
  () => askForToken({ address: "x", key: "gsk_x" }),
  // @ts-expect-error a part knows its own events alone
  () => <ProgressMonitor onExported={() => undefined} />,
  // @ts-expect-error there is no such theme
  () => <ModelSelector theme="blue" />,
  // @ts-expect-error a state is one of seven
  () => <ProgressMonitor onTrainingChanged={({ state }) => state === "completed"} />,
];
