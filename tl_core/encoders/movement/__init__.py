"""Movement of an encoder in training: its weights, its states layer by layer, what can be read off them.

Menu: `weights` (relative change of each layer), `states` (pooled states of every layer), `similarity`
(linear CKA before and after), `probe` (accuracy of a linear probe on each layer).
"""
