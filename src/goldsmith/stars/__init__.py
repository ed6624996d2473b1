"""Gold stars: what people said about answers, and the training sets that are made of it, with the exam held back."""
