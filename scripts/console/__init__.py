"""What commands have in common at the terminal."""
