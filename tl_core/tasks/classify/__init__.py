"""One label for one text: models, strategies, scores and their fair comparison."""
