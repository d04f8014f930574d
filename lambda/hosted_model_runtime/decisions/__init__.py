"""PURE: what decides. No call, no clock, no memory: what is known comes in, a decision comes out."""
