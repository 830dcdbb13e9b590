"""What learning platforms give out and take back: submissions in, grades out."""
