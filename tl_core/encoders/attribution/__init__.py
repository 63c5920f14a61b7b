"""What an output hangs on, word by word: gradient x input, integrated gradients, leaving words out."""
