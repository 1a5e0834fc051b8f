"""Reports that others expect of a receiver of mail, built from the log."""
