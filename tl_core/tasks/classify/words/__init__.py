"""Text classifiers on word vectors: mean, embedding bag, recurrent, and a convolutional document model."""
