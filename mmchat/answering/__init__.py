"""From what retrieval found to an answer that can be trusted, or to an honest "I don't know"."""
