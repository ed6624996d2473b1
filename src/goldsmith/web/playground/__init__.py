"""The playground: two models side by side, asked the same; what is worth it is starred."""
