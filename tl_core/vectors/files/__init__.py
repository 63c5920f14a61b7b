"""Files of word vectors in and out: GloVe, word2vec and fastText text, word2vec and fastText binary, NumPy."""
