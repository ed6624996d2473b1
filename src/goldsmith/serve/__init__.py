"""3. A model becomes a live engine: engines, deployments, receipts, aliases. Knows nothing of runs or trainings."""
