"""Plans, items, coupons and tax rates."""
