"""What a picture shows, in words: tags from the owner's own names of things, with a calibrated probability.

`kinds` finds the names in what was indexed, `probability` says what a cosine is worth, `tagger` brings both
to the pictures of a store.
"""
