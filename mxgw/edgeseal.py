"""The edge's word to home: Authentication-Results under a seal that home can check."""
