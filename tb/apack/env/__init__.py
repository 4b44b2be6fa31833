"""What benches of APack share: stimulus, expectations, drivers of its ports."""
