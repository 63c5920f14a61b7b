"""Text to tensors: tokens, vocabularies, bags of words, padding, windows. Knows no model."""
