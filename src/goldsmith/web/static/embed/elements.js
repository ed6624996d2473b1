// Goldsmith's parts for the pages of other applications, as custom elements. One line loads them all, without a bundler:
//   <script type="module" src="http://127.0.0.1:8001/static/embed/elements.js"></script>
// The application hands each of them a token that its server asked for, or all of them one by `setToken`.

import { Comparison } from "./comparison.js";
import { setToken } from "./connection.js";
import { DatasetExport } from "./dataset-export.js";
import { Deployment } from "./deployment.js";
import { ModelSelector } from "./model-selector.js";
import { Progress } from "./progress.js";
import { TrainingJob } from "./training-job.js";

const PARTS = {
  "goldsmith-dataset-export": DatasetExport,
  "goldsmith-training-job": TrainingJob,
  "goldsmith-progress": Progress,
  "goldsmith-deployment": Deployment,
  "goldsmith-comparison": Comparison,
  "goldsmith-model-selector": ModelSelector,
};

for (const [name, element] of Object.entries(PARTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}

export { Comparison, DatasetExport, Deployment, ModelSelector, Progress, setToken, TrainingJob };
