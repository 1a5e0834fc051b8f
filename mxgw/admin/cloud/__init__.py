"""What lies outside the house and belongs to it: Cloudflare, SendGrid, AWS, certificates."""
