"""Coverage of the tests, gathered from what the simulations wrote."""
