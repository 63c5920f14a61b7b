"""Attribution of an output to words: gradient x input, integrated gradients, leaving words out."""
