"""CloudFormation's protocol: an event becomes a request, and an outcome becomes the answer."""
