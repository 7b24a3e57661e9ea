"""Transfer learning on one's own data: fit a model, and tell whether it became better.

Each kind of data has a part that is never trained on, and that alone decides.
"""
