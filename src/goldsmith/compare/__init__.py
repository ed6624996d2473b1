"""Answers of several models on the same exam rows, side by side, and one honest sentence about them."""
