"""What wangge knows and shows without a city of its own: code books, the outline of Suzhou, a synthetic city."""
