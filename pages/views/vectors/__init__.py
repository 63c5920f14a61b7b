"""The views of the Word vectors page, one function each."""
