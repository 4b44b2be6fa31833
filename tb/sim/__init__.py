"""What finds, builds and runs simulations: below all that runs them."""
