"""The views of the Attention page, one function each."""
