"""What people read: how figures are written, and the page of a night."""
