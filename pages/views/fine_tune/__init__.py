"""The steps of the Fine-tune page, one file each, in the order data, source, strategies, start, use."""
