"""Teachers: transformers that are distilled, and whose vectors static models are fitted to."""
