"""What runs and looks at simulations, for the benches of every system."""
