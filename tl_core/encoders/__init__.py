"""Pretrained transformers: packaged, from a local folder or from the hub; loading and pooling.

Menu: `catalog` (what is packaged, without torch), `families` (what sets families apart),
`load` (name -> encoder), `batches` (tokens -> tensors), `pool` (tokens -> one vector a text).
"""
