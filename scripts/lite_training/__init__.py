"""The parts of scripts/train_lite.py: which pictures and words it learns from, and how."""
