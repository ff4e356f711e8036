"""What may be typed after `setoff`."""
