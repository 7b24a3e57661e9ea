"""Models that turn text and pictures into vectors.

`text` wraps sentence-transformers, `image` wraps open_clip, `lite` builds the embedded OpenCLIP model.
Nothing here fetches a model on its own account: an encoder is given a path, or a name that the user chose.
"""
