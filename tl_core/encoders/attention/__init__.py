"""What an encoder attends to: maps, roll-out, statistics, heads switched off, one head step by step."""
