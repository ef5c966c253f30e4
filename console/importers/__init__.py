"""Files in, plain values out, with a word on every row."""
