"""Reference models and analysis: what the hardware must do, and what it saves."""
