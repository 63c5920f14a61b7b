"""Attention of an encoder: maps, roll-out, statistics, heads switched off, one head step by step."""
