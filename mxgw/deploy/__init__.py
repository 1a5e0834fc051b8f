"""The edge on Fargate: from a checkout to a running gateway, by one command."""
