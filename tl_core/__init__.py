"""The engine: transfer learning on text, without a browser.

Importing this package loads neither torch nor transformers; each module imports
them late, where a model is really needed. The engine never imports streamlit or plotly.

Letters in shapes: N texts, B batch, T tokens, V words, D width, L layers, H heads, C classes.
"""

__version__ = "0.1.0"
