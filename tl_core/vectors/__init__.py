"""Static word vectors: where they come from, and what can be asked of them. Knows no transformer."""
