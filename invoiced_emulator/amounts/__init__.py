"""Line items, discounts, taxes and totals."""
