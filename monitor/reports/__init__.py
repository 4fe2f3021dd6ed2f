"""What people read, made from stored results."""
