"""Tasks: one folder each; tasks do not know each other."""
