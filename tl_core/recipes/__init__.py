"""The whole story of one job each: what a page or the command line submits, top to bottom."""
