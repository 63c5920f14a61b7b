"""The views of the Reading page."""
