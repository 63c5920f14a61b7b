"""Extractive reading comprehension: a question and a passage in, the place of the answer out."""
