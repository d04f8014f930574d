"""The reliability suite: generated histories, and every kill point of every lifecycle."""
