"""PURE: what decides. What is known comes in, a decision comes out; no calls, no clock, nothing kept."""
