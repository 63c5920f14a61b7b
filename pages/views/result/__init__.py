"""The views of a finished comparison, one file each; `show` routes between them."""
