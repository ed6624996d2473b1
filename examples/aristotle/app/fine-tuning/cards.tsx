"use client";
import { DatasetExportCard, ModelComparison, ModelDeployment, ProgressMonitor, TrainingJobCard } from "goldsmith-embed/react";
import { useRouter } from "next/navigation";

/** The five cards. Whenever one of them says that something has changed, the page's own numbers are asked for again. */
export function Cards() {
  const { refresh } = useRouter();
  return (
    <div className="cards">
      <DatasetExportCard onExported={refresh} />
      <TrainingJobCard onTrainingStarted={refresh} />
      <ProgressMonitor onTrainingChanged={refresh} />
      <ModelDeployment onDeployed={refresh} onUndeployed={refresh} />
      <ModelComparison onComparisonEnded={refresh} />
    </div>
  );
}
