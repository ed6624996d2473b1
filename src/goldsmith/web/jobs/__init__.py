"""Activity: every job, its progress, its log, its failure in one sentence; and the API over the same."""
